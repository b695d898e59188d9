"""Fixtures for the tests of assistants and runs."""

from collections.abc import Iterator

import pytest

from tests.support.chat_stub import Chat
from tests.support.client import Client
from tests.support.runs import Runs, with_model
from tests.support.unit import anybody, client, clock, each_module_tidy, each_test_tidy, on_the_table, queue, trusted

__all__ = ["anybody", "client", "clock", "each_module_tidy", "each_test_tidy", "on_the_table", "queue", "trusted"]


@pytest.fixture
def runs(client: Client) -> Runs:
    """Return the calls of an empty project."""
    return Runs(client)


@pytest.fixture
def chat() -> Iterator[Chat]:
    """Return the endpoint of the model. A test sets its `replies`."""
    with with_model("Hello") as running:
        yield running
