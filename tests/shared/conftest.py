"""Fixtures for the tests of the modules."""

from tests.support.unit import anybody, client, clock, each_module_tidy, each_test_tidy, on_the_table, trusted

__all__ = ["anybody", "client", "clock", "each_module_tidy", "each_test_tidy", "on_the_table", "trusted"]
