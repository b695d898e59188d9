"""Fixtures for the tests of assistants and runs."""

from collections.abc import Iterator

import pytest

from tests.support import canaries
from tests.support.chat_stub import Chat, chatting
from tests.support.client import Client
from tests.support.runs import Runs
from tests.support.unit import anybody, client, clock, each_module_tidy, each_test_tidy, on_the_table, trusted

__all__ = ["anybody", "client", "clock", "each_module_tidy", "each_test_tidy", "on_the_table", "trusted"]


@pytest.fixture
def runs(client: Client) -> Runs:
    """Return the calls of a project that is empty."""
    return Runs(client)


@pytest.fixture
def chat(monkeypatch: pytest.MonkeyPatch) -> Iterator[Chat]:
    """Return the endpoint of the model; a test sets its `replies`."""
    from shared.runs import endpoint, model

    with chatting("Hello") as running:
        monkeypatch.setenv("MODEL_URL", running.base_url)
        monkeypatch.setenv("MODEL_API_KEY", "sk-of-the-model-1234")
        canaries.note_key("sk-of-the-model-1234")
        endpoint.endpoint.cache_clear()
        yield running
        endpoint.endpoint.cache_clear()
        model._http_client().close()
        model._http_client.cache_clear()
        model._client.cache_clear()
