"""Fixtures for the tests of upgrades."""

from tests.runs.conftest import chat
from tests.support.unit import anybody, clock, each_module_tidy, each_test_tidy, on_the_table, queue

__all__ = ["anybody", "chat", "clock", "each_module_tidy", "each_test_tidy", "on_the_table", "queue"]
