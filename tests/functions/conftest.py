"""Fixtures for the tests of the handlers."""

from collections.abc import Iterator

import pytest

from tests.support.event_sources import Queue
from tests.support.unit import anybody, client, clock, each_module_tidy, each_test_tidy, on_the_table, trusted

__all__ = ["anybody", "client", "clock", "each_module_tidy", "each_test_tidy", "on_the_table", "queue", "trusted"]


@pytest.fixture
def queue(on_the_table: None) -> Iterator[Queue]:
    """Return the erasure queue, which is empty."""
    emptied = Queue()
    emptied.taken()
    yield emptied
    emptied.taken()
