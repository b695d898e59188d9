"""The official Python SDK, unmodified, against the local API: as python_sdk, runs_sdk and streams_sdk ask it."""

from pathlib import Path

import pytest

from tests.e2e import versions
from tests.e2e.isolated import run_python
from tests.support.local_api import ROOT

_SCRIPTS = [Path(__file__).with_name(f"{name}.py") for name in ("python_sdk", "runs_sdk", "streams_sdk")]
_PYTEST = (
    *("-m", "pytest", "-q", "--noconftest", "--import-mode=importlib", "-c", "/dev/null"),
    *("-p", "no:cacheprovider", "-p", "no:warnings"),
)


@pytest.mark.parametrize("version", versions.PYTHON)
def test_the_official_python_sdk_works(version: str, surroundings: dict[str, str]) -> None:
    run = run_python(version, *_PYTEST, *_SCRIPTS, PYTHONPATH=str(ROOT), **surroundings)
    assert run.returncode == 0, run.stdout
