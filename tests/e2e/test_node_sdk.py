"""The official SDK for Node.js, unmodified, against the local API: as node_sdk, runs_sdk and streams_sdk ask it."""

import shutil
from pathlib import Path

import pytest

from tests.e2e import versions
from tests.e2e.isolated import install_node, run_node

_SCRIPTS = ("node_sdk.mjs", "runs_sdk.mjs", "streams_sdk.mjs")


@pytest.mark.parametrize("version", versions.NODE)
def test_the_official_node_sdk_works(version: str, surroundings: dict[str, str], tmp_path: Path) -> None:
    node = install_node(version, tmp_path)
    for script in _SCRIPTS:
        shutil.copy(Path(__file__).with_name(script), tmp_path)
    run = run_node(node, tmp_path, "--test", *_SCRIPTS, **surroundings)
    assert run.returncode == 0, run.stdout
    assert "# fail 0" in run.stdout
