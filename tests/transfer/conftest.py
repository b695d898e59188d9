"""Fixtures for the tests of import, export and copy: the table is in memory unless a test says otherwise."""

import os

import pytest

from tests.support.unit import anybody, client, clock, each_module_tidy, each_test_tidy, on_the_table

__all__ = ["anybody", "client", "clock", "each_module_tidy", "each_test_tidy", "on_the_table"]


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave as they were the variables that a command sets."""
    for name in ("TABLE_NAME", "AWS_REGION", "AWS_DEFAULT_REGION"):
        if name in os.environ:
            monkeypatch.setenv(name, os.environ[name])
