"""The functions' variables: settings and clients follow each change, and no other table is reached by mistake."""

import os
from collections.abc import Iterator

import pytest

from shared import clients
from shared.settings import settings
from shared.store import table
from tools import environment
from tools.local import template


@pytest.fixture(autouse=True)
def _as_it_was(in_memory: None) -> Iterator[None]:
    before = dict(os.environ)
    yield
    os.environ.clear()
    environment.update(before)


def test_a_variable_that_changes_reaches_the_settings_and_every_client() -> None:
    before = (table.client(), clients.sqs(), clients.events())

    environment.update({"TABLE_NAME": "another"})

    assert settings().table_name == "another"
    assert not {*map(id, before)} & {*map(id, (table.client(), clients.sqs(), clients.events()))}


def test_a_variable_that_stays_the_same_keeps_the_clients() -> None:
    before = table.client()

    environment.complete(template.load())

    assert table.client() is before


def test_a_local_engine_is_reached_without_an_account(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
        monkeypatch.setenv(name, "of-an-account")

    environment.lead_to_local(template.load(), "http://127.0.0.1:9")

    assert table.client().meta.endpoint_url == "http://127.0.0.1:9"
    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"} & os.environ.keys()


def test_a_dynamodb_at_a_url_is_reached_with_the_credentials_that_are_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "mine")

    environment.lead_to(template.load(), "http://127.0.0.1:9")

    assert table.client().meta.endpoint_url == "http://127.0.0.1:9"
    assert os.environ["AWS_ACCESS_KEY_ID"] == "mine"
