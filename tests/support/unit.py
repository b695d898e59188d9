"""Fixtures that the unit tests share: the table in memory, clients, a clock."""

from collections.abc import Iterator

import pytest

from tests.support.client import Client
from tests.support.clock import Clock
from tests.support.event_sources import Queue, clear


@pytest.fixture(scope="session", autouse=True)
def on_the_table(in_memory: None) -> None:
    """Run every test here on the table in memory."""


@pytest.fixture(scope="module", autouse=True)
def each_module_tidy(anybody: Client, tidy_module: None) -> None:
    """Remove the items that a module wrote, except the key of `anybody`."""


@pytest.fixture(autouse=True)
def each_test_tidy(tidy: None) -> None:
    """Remove the items that a test wrote, and empty the queues before it.

    Messages that earlier tests received but did not delete would come again after a while.
    """
    clear()


@pytest.fixture
def client() -> Client:
    """Return a client whose project is empty."""
    return Client()


@pytest.fixture
def trusted() -> Client:
    """Return a client with a trusted key, whose project is empty."""
    return Client(trusted=True)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Return a clock that all code reads. Pauses take no real time; they only move it forward."""
    return Clock(monkeypatch)


@pytest.fixture(scope="session")
def anybody(on_the_table: None) -> Client:
    """Return a shared client for calls that are refused and so write nothing."""
    return Client()


@pytest.fixture
def queue(on_the_table: None) -> Iterator[Queue]:
    """Return the empty erasure queue."""
    emptied = Queue()
    emptied.taken()
    yield emptied
    emptied.taken()
