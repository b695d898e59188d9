"""The official Python SDK, unmodified, against the local API; what it is asked to do stands in python_sdk.py."""

from pathlib import Path

import pytest

from tests.e2e import versions
from tests.e2e.isolated import run_python
from tests.support.local_api import ROOT

_SCRIPT = Path(__file__).with_name("python_sdk.py")
PYTEST = (
    "-m",
    "pytest",
    "-q",
    "--noconftest",
    "--import-mode=importlib",
    "-c",
    "/dev/null",
    "-p",
    "no:cacheprovider",
    "-p",
    "no:warnings",
)


@pytest.mark.parametrize("version", versions.PYTHON)
def test_the_official_python_sdk_works(version: str, surroundings: dict[str, str]) -> None:
    folder = {"PYTHONPATH": str(ROOT)}
    run = run_python(version, *PYTEST, _SCRIPT, EXPECTED_VERSION=version, **folder, **surroundings)
    assert run.returncode == 0, run.stdout
