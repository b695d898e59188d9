"""Fixtures for the tests of assistants and runs."""

from collections.abc import Iterator

import pytest

from tests.support.chat_stub import Chat, as_the_model
from tests.support.client import Client
from tests.support.runs import Runs
from tests.support.unit import anybody, client, clock, each_module_tidy, each_test_tidy, on_the_table, trusted

__all__ = ["anybody", "client", "clock", "each_module_tidy", "each_test_tidy", "on_the_table", "trusted"]


@pytest.fixture
def runs(client: Client) -> Runs:
    """Return the calls of a project that is empty."""
    return Runs(client)


@pytest.fixture
def chat() -> Iterator[Chat]:
    """Return the endpoint of the model; a test sets its `replies`."""
    with as_the_model() as running:
        yield running
