"""The official Python SDK, unmodified, against the local API; what it is asked to do stands in python_sdk.py."""

from pathlib import Path

import pytest

from tests.e2e import versions
from tests.e2e.isolated import run_python

_SCRIPT = Path(__file__).with_name("python_sdk.py")
_PYTEST = ("-m", "pytest", "-q", "--noconftest", "--import-mode=importlib", "-c", "/dev/null", "-p", "no:cacheprovider")


@pytest.mark.parametrize("version", versions.PYTHON)
def test_the_official_python_sdk_works(version: str, surroundings: dict[str, str]) -> None:
    run = run_python(version, *_PYTEST, "-p", "no:warnings", _SCRIPT, EXPECTED_VERSION=version, **surroundings)
    assert run.returncode == 0, run.stdout
