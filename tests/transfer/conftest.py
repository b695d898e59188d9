"""Fixtures for the tests of import, export and copy: the table is in memory unless a test says otherwise."""

from tests.support.unit import anybody, client, clock, each_module_tidy, each_test_tidy, on_the_table

__all__ = ["anybody", "client", "clock", "each_module_tidy", "each_test_tidy", "on_the_table"]
