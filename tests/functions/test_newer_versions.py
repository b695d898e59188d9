"""Items that a later version of this software wrote: operations return a 500 and do not change them."""

from typing import Any

import pytest

from tests.support import expected, stored
from tests.support.client import Client


@pytest.mark.parametrize(
    ("sort", "functions"),
    [
        ("head", ["create_message", "list_messages", "retrieve_message", "retrieve_thread", "list_threads"]),
        ("thread", ["retrieve_thread", "modify_thread", "list_threads"]),
        ("msg_", ["retrieve_message", "modify_message", "list_messages"]),
        ("once#", ["create_message"]),
    ],
)
def test_what_a_later_version_has_written_is_not_guessed_at(client: Client, sort: str, functions: list[str]) -> None:
    thread_id = client.thread()
    options: dict[str, Any] = {"headers": {"idempotency-key": "k"}}
    created = client.create("create_message", thread_id, body=expected.ROLE_USER, **options)
    partition = f"{client.project}#{thread_id}"
    (found,) = stored.sort_keys(partition, sort)
    stored.change(partition, found, v={"N": "2"})

    for function in functions:
        ids = [] if function == "list_threads" else [thread_id, created["id"]]
        wanted = ids if function in {"retrieve_message", "modify_message"} else ids[:1]
        body = expected.ROLE_USER if function == "create_message" else {"metadata": {"a": "b"}}
        answer = client.call(function, *wanted, body=body, **options)
        assert (answer.status, answer.body) == (500, expected.OUR_FAULT), function


def test_a_key_of_a_later_version_opens_nothing(client: Client) -> None:
    from shared.store import api_keys

    stored.change(f"key#{api_keys.hash_of(client.secret)}", "key", v={"N": "2"})

    assert client.call("list_threads").body == expected.OUR_FAULT
