"""A thread is created with all of its first messages or not at all, even if they need more than one transaction."""

import json
import random
import string

import pytest

from tests.promises import calls
from tests.promises.threads import age, incompressible, listed, remains
from tests.promises.threads import texts as texts_of
from tests.support import capacity, event_sources
from tests.support.client import Client, invoke
from tests.support.event_sources import Erasures
from tests.support.filled import USER
from tools.local.gateway import MAX_EVENT
from tools.local.http_payload import encode

# Near the limit of a request's size, and too large for one transaction even when compressed.
LARGE = ["".join(random.Random(seed).choices(string.ascii_letters + string.digits, k=195_000)) for seed in range(32)]

# One of these messages is stored in chunks.
TEXTS = ["first", "second", incompressible(1)]


def _body(texts: list[str]) -> str:
    messages = [{"role": "user", "content": text} for text in texts]
    return json.dumps({"messages": messages, "metadata": {"user_id": USER}}, ensure_ascii=False)


@pytest.mark.parametrize(
    ("texts", "operations"),
    [
        ([str(number) for number in range(32)], ["TransactWriteItems"]),
        (["\x00" * 27_000] * 32, ["TransactWriteItems"]),
        (LARGE, ["TransactWriteItems", "BatchWriteItem", "BatchWriteItem", "TransactWriteItems"]),
        ([incompressible(seed, 48_000) for seed in range(32)], None),
        ([incompressible(seed) for seed in range(4)], None),
    ],
    ids=["small", "control characters", "larger than a transaction", "four-byte", "with parts"],
)
def test_first_messages_come_back_equal_up_to_the_request_s_limit(
    client: Client, texts: list[str], operations: list[str] | None
) -> None:
    event = client.event("create_thread", body=_body(texts))
    assert len(encode(event)) <= MAX_EVENT
    with capacity.recorded() as made:
        thread_id = invoke("create_thread", event).body["id"]
    assert operations in (None, [call.operation for call in made if call.operation != "GetItem"])
    assert texts_of(client, thread_id) == texts
    client.message(thread_id, "the next")
    assert client.page(thread_id, limit=1)["data"][0]["content"][0]["text"]["value"] == "the next"


@pytest.fixture
def _staged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let any first messages be too large for one transaction. Megabytes take the same steps, but minutes."""
    monkeypatch.setattr("shared.store.threads._BYTES_IN_ONE", 0)


@pytest.mark.parametrize("done", [False, True], ids=["before the call", "after the call"])
@pytest.mark.usefixtures("_staged")
def test_an_abandoned_create_leaves_nothing(client: Client, erasures: Erasures, done: bool) -> None:
    event = client.event("create_thread", body=_body(TEXTS), headers={"idempotency-key": "one"})
    client.thread()  # looks the key up, so that later calls do not
    (kept,) = listed(client)
    for step in range(100):
        with calls.partitions() as touched:
            was_killed = calls.killed(step, lambda: invoke("create_thread", event), done=done)
        threads = _threads(client, touched)
        committed = done and step == 2
        if committed or not was_killed:
            break
        assert listed(client) == [kept], "nobody sees a thread that is not whole"
        for thread_id in threads:
            assert client.call("list_messages", thread_id).status == 404
            if remains(client, thread_id):
                age(client, thread_id, 3_601)
        event_sources.sweep_project(client)
        erasures.run()
        assert [remains(client, thread_id) for thread_id in threads] == [[]] * len(threads)
    assert step == (2 if done else 3)
    repeat = client.call("create_thread", body=_body(TEXTS), headers={"idempotency-key": "one"})
    assert repeat.headers["idempotent-replayed"] == "true"
    assert listed(client) == [repeat.body["id"], kept]
    assert texts_of(client, repeat.body["id"]) == TEXTS


@pytest.mark.usefixtures("_staged")
def test_a_create_that_the_sweep_takes_for_abandoned_fails_and_leaves_nothing(
    client: Client, erasures: Erasures, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shared.store import sweep

    monkeypatch.setattr(sweep, "_OVERDUE_SECONDS", -1)
    event = client.event("create_thread", body=_body(TEXTS))
    client.create("delete_thread", client.thread())
    erasures.run()
    answers = []
    for step in range(3):
        with calls.partitions() as touched, calls.at(step, lambda: event_sources.sweep_project(client)):
            answers.append(invoke("create_thread", event).status)
        erasures.run()  # the queue's delay is longer than the time-out of the API's functions
        (thread_id,) = _threads(client, touched) - set(listed(client)) or {listed(client)[0]}
        assert bool(remains(client, thread_id)) == (answers[-1] == 200)
    assert answers == [200, 503, 503]


def _threads(client: Client, touched: set[str]) -> set[str]:
    prefix = f"{client.project}#thread_"
    return {partition.removeprefix(f"{client.project}#") for partition in touched if partition.startswith(prefix)}
