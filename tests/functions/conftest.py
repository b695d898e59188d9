"""Fixtures for the tests of the handlers."""

from tests.support.unit import anybody, client, clock, each_module_tidy, each_test_tidy, on_the_table, queue, trusted

__all__ = ["anybody", "client", "clock", "each_module_tidy", "each_test_tidy", "on_the_table", "queue", "trusted"]
