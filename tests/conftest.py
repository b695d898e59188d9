"""Fixtures for all tests, and the search for data that no output may have (tests/support/canaries.py)."""

import os
import sys
from collections.abc import Generator
from typing import Any

import pytest

from tests.support import canaries
from tests.support.engines import dynamodb_local
from tests.support.memory import in_memory, tidy, tidy_module

__all__ = ["dynamodb_local", "in_memory", "tidy", "tidy_module"]

# As deployed, so that what the functions log is looked at; the local API's own level is another.
os.environ.setdefault("POWERTOOLS_LOG_LEVEL", "INFO")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """End the time of earlier requests. A test that relies on it always fails, not only after a slow test."""
    if table := sys.modules.get("shared.store.table"):
        table.set_deadline(-1)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: Any) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    return canaries.checked((yield))
