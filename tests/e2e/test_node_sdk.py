"""The official SDK for Node.js, unmodified, against the local API; what it is asked to do stands in node_sdk.mjs."""

import shutil
from pathlib import Path

import pytest

from tests.e2e import versions
from tests.e2e.isolated import install_node, run_node

_SCRIPT = Path(__file__).with_name("node_sdk.mjs")


@pytest.mark.parametrize("version", versions.NODE)
def test_the_official_node_sdk_works(version: str, surroundings: dict[str, str], tmp_path: Path) -> None:
    node = install_node(version, tmp_path)
    shutil.copy(_SCRIPT, tmp_path)
    run = run_node(node, tmp_path, "--test", _SCRIPT.name, EXPECTED_VERSION=version, **surroundings)
    assert run.returncode == 0, run.stdout
    assert "# fail 0" in run.stdout
