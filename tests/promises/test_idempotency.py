"""A create happens once for its Idempotency-Key, even if it is sent often at once. tests/functions has the rest."""

import json
from typing import Any

import pytest

from tests.support import processes
from tests.support.client import Client
from tests.support.runs import Runs

KEY = {"idempotency-key": "my secret key"}
BODY = {"role": "user", "content": "hello", "metadata": {"a": "b"}}


@pytest.mark.parametrize("during_run", [False, True])
def test_a_create_sent_fifty_times_at_once_from_five_processes_happens_once(
    client: Client, trusted: Client, during_run: bool
) -> None:
    if during_run:  # only a trusted key may write then
        client = trusted
    thread_id = client.thread()
    if during_run:
        runs = Runs(client)
        runs.run(thread_id, runs.assistant())
    request = (client.secret, "create_message", (thread_id,), {"body": BODY, "headers": KEY})
    sent = processes.together([0.0, 5.0, -5.0, 1.0, 0.0], processes.send, *request, 10)
    assert [answer.status for answer in sent] == [200] * 50
    assert len({answer.text for answer in sent}) == 1
    assert sum(answer.replayed for answer in sent) == 49
    assert client.page(thread_id)["data"] == [json.loads(sent[0].text)]


def test_a_thread_sent_twenty_times_at_once_from_two_processes_is_created_once(client: Client) -> None:
    body = {"metadata": {"user_id": "u"}, "messages": [BODY]}
    request = (client.secret, "create_thread", (), {"body": body, "headers": KEY})
    sent = processes.together([0.0, 3.0], processes.send, *request, 10)
    assert [answer.status for answer in sent] == [200] * 20
    assert len({answer.text for answer in sent}) == 1
    assert sum(answer.replayed for answer in sent) == 19
    thread = json.loads(sent[0].text)
    assert client.create("list_threads")["data"] == [thread]
    assert len(client.page(thread["id"])["data"]) == 1


def test_a_repeat_after_later_messages_still_gets_the_first_answer(client: Client) -> None:
    thread_id = client.thread()
    options: dict[str, Any] = {"body": BODY, "headers": KEY}
    first = client.call("create_message", thread_id, **options)
    for _ in range(20):
        client.message(thread_id)
    assert client.call("create_message", thread_id, **options).text == first.text
    assert len(client.page(thread_id, limit=100)["data"]) == 21
