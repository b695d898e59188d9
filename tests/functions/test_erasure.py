"""Queue erasures, erase thread, sweep threads: what a deletion leaves behind is removed, and nothing else."""

import json
import os
import random
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from tests import expected, faults, stored
from tests.client import Client
from tests.clock import Clock

_LARGE = "".join(random.Random(1).choices("".join(map(chr, range(0x4E00, 0x9FFF))), k=250_000))
_HOUR = 3_600


class Queue:
    """The erasure queue: what was sent to it since it was last looked at."""

    def __init__(self) -> None:
        self._client = boto3.client("sqs")
        self._url = os.environ["ERASURE_QUEUE_URL"]

    def taken(self) -> list[dict[str, str]]:
        """Take and return what is in the queue, in any order."""
        found: list[dict[str, str]] = []
        while records := self._client.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages"):
            for record in records:
                found.append(json.loads(record["Body"]))
                self._client.delete_message(QueueUrl=self._url, ReceiptHandle=record["ReceiptHandle"])
        return found


@pytest.fixture
def queue(_table: None) -> Iterator[Queue]:
    emptied = Queue()
    emptied.taken()
    yield emptied
    emptied.taken()


def _context(seconds: float) -> Any:
    return SimpleNamespace(get_remaining_time_in_millis=lambda: int(seconds * 1000))


def _erase(*asked: dict[str, str], seconds: float = 300) -> None:
    from functions.erase_thread import handler

    handler({"Records": [{"body": json.dumps(erasure)} for erasure in asked]}, _context(seconds))


def _sweep(seconds: float = 300) -> None:
    from functions.sweep_threads import handler

    handler({}, _context(seconds))


def _queue_changes(*changes: dict[str, Any]) -> None:
    from functions.queue_erasures import handler

    handler({"Records": [{"dynamodb": change} for change in changes]}, None)


def _change(partition: str, sort: str, old: Any = None, new: Any = None) -> dict[str, Any]:
    change = {"Keys": {"threadId": {"S": partition}, "messageId": {"S": sort}}}
    return change | ({"OldImage": old} if old else {}) | ({"NewImage": new} if new else {})


def _asked(partition: str, prefix: str = "") -> dict[str, str]:
    return {"partition": partition, "prefix": prefix}


def _full_thread(client: Client) -> str:
    """Return the partition of a thread that has one of everything that a thread may leave behind."""
    thread_id = client.thread(metadata={"user_id": "u"}, messages=[expected.ROLE_USER])
    body = {"role": "assistant", "content": _LARGE, "run_id": "r"}
    client.create("create_message", thread_id, body=body, headers={"idempotency-key": "k"})
    return f"{client.project}#{thread_id}"


def _delete(client: Client, partition: str) -> None:
    client.create("delete_thread", partition.partition("#")[2])


def test_a_deleted_thread_is_queued(queue: Queue) -> None:
    _queue_changes(*[_change(f"a#thread_{number}", "head") for number in range(23)])

    assert sorted(asked["partition"] for asked in queue.taken()) == sorted(f"a#thread_{number}" for number in range(23))


def test_the_parts_that_a_message_no_longer_has_are_queued(trusted: Client, queue: Queue) -> None:
    partition = _full_thread(trusted)
    (message_id,) = (sort for sort in stored.sort_keys(partition, "msg_") if "parts" in stored.item(partition, sort))
    old = stored.item(partition, message_id)
    new = old | {"parts": {"M": old["parts"]["M"] | {"generation": {"N": "2"}}}}
    inline = {name: value for name, value in old.items() if name != "parts"}
    first = f"part#{message_id}#00000001#"

    cases = [(None, [first]), (new, [first]), (inline, [first]), (old, [])]
    for image, prefixes in cases:
        _queue_changes(_change(partition, message_id, old, image))
        assert queue.taken() == [_asked(partition, prefix) for prefix in prefixes]
    assert [sort for sort in stored.sort_keys(partition) if sort.startswith(first)] == [first + "00", first + "01"]


def test_a_refused_entry_of_the_queue_has_the_batch_delivered_again(queue: Queue) -> None:
    from shared import erasure_queue

    failed = {"Failed": [{"Id": "0", "Code": "InternalError", "SenderFault": False}], "Successful": []}

    with (
        faults.inject(faults.Fault("SendMessageBatch", faults.answered(failed)), client=erasure_queue._client),
        pytest.raises(RuntimeError, match=r"\AInternalError\Z"),
    ):
        _queue_changes(_change("a#thread_1", "head"))


def test_a_deleted_thread_is_erased_to_the_last_item(trusted: Client, queue: Queue) -> None:
    kept, partition = _full_thread(trusted), _full_thread(trusted)
    before = stored.sort_keys(kept)
    kinds = {sort.partition("#")[0].partition("_")[0] for sort in before}
    assert kinds == {"head", "thread", "msg", "part", "run", "once"}

    _delete(trusted, partition)
    _erase(_asked(partition))

    assert stored.sort_keys(partition) == []
    assert stored.sort_keys(kept) == before
    listed = [thread["id"] for thread in trusted.create("list_threads")["data"]]
    assert listed == [kept.partition("#")[2]]
    assert [f"thread_{ulid}" for ulid in stored.sort_keys(f"{trusted.project}#threads")] == listed
    by_value = trusted.create("list_threads", query={"metadata[user_id]": "u"})["data"]
    assert [thread["id"] for thread in by_value] == listed
    assert queue.taken() == []


def test_an_open_thread_is_never_erased(trusted: Client, queue: Queue) -> None:
    partition = _full_thread(trusted)
    before = stored.sort_keys(partition)

    _erase(_asked(partition), _asked(f"{trusted.project}#thread_00000000000000000000000000"))

    assert stored.sort_keys(partition) == before
    assert queue.taken() == []


def test_of_a_message_only_the_parts_that_are_asked_for_are_erased(trusted: Client, queue: Queue) -> None:
    partition = _full_thread(trusted)
    parts = stored.sort_keys(partition, "part#")
    others = [sort for sort in stored.sort_keys(partition) if sort not in parts]

    _erase(_asked(partition, parts[0].removesuffix("00").replace("#00000001#", "#00000002#")))
    assert stored.sort_keys(partition, "part#") == parts
    _erase(_asked(partition, parts[0].removesuffix("00")))

    assert stored.sort_keys(partition) == others


@pytest.mark.parametrize("prefix", ["", "msg_"])
def test_what_does_not_fit_the_time_is_queued_again_without_delay(client: Client, queue: Queue, prefix: str) -> None:
    thread_id = client.thread(messages=[expected.ROLE_USER] * 3)
    partition = f"{client.project}#{thread_id}"
    _delete(client, partition)

    _erase(_asked(partition, prefix), seconds=29)

    assert len(stored.sort_keys(partition, "msg_")) == 3
    assert queue.taken() == [_asked(partition, prefix)]


def test_a_thread_that_is_modified_while_it_is_erased_is_erased_again(client: Client, queue: Queue) -> None:
    partition = f"{client.project}#{client.thread()}"
    _delete(client, partition)
    modify = faults.before(lambda: stored.change(partition, "thread", version={"N": "2"}))

    with faults.inject(faults.Fault("TransactWriteItems", modify)):
        _erase(_asked(partition))
    assert stored.sort_keys(partition) == ["head", "thread"]
    _erase(*queue.taken())

    assert stored.sort_keys(partition) == stored.sort_keys(f"{client.project}#threads") == []


def test_a_failed_erasure_fails_the_delivery(client: Client) -> None:
    partition = f"{client.project}#{client.thread()}"
    _delete(client, partition)

    with (
        faults.inject(faults.Fault("GetItem", faults.error("AccessDeniedException"), times=0)),
        pytest.raises(Exception, match="AccessDenied"),
    ):
        _erase(_asked(partition))


def test_the_sweep_queues_forgotten_tombstones(client: Client, queue: Queue, clock: Clock) -> None:
    for _ in range(2):
        client.thread()
    forgotten = f"{client.project}#{client.thread()}"
    _delete(client, forgotten)

    _sweep()
    assert queue.taken() == []
    clock.forward(_HOUR + 1)
    _sweep()

    assert queue.taken() == [_asked(forgotten)]


def test_the_sweep_closes_what_was_abandoned_while_it_was_created(
    client: Client, queue: Queue, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shared.store import threads

    monkeypatch.setattr(threads, "_WRITES_IN_ONE", 0)
    with faults.inject(faults.Fault("BatchWriteItem", faults.timeout, times=0)):
        assert client.call("create_thread", body={"messages": [expected.ROLE_USER]}).status == 503
    (ulid,) = stored.sort_keys(f"{client.project}#threads")
    partition = f"{client.project}#thread_{ulid}"

    clock.forward(_HOUR)
    _sweep()
    assert stored.item(partition, "head")["state"] == {"S": "pending"}
    clock.forward(2)
    _sweep()
    assert stored.item(partition, "head")["state"] == {"S": "erasing"}
    _erase(_asked(partition))

    assert stored.sort_keys(partition) == stored.sort_keys(f"{client.project}#threads") == []


def test_the_sweep_closes_threads_past_their_retention(
    client: Client, queue: Queue, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For their users they are gone to the second, for the eraser from the next sweep on."""
    from shared.store import head

    monkeypatch.setattr(head, "_RETENTION_SECONDS", 86_400)
    idle, active = client.thread(), client.thread()
    clock.forward(86_399)
    client.message(active)
    assert client.call("retrieve_thread", idle).status == 200
    clock.forward(1)

    for function in ("retrieve_thread", "modify_thread", "delete_thread", "create_message", "list_messages"):
        body = expected.ROLE_USER if function == "create_message" else {}
        assert client.call(function, idle, body=body).body == expected.no_thread(idle)
    assert [thread["id"] for thread in client.create("list_threads")["data"]] == [active]
    _sweep()

    states = [stored.item(f"{client.project}#{thread_id}", "head")["state"]["S"] for thread_id in (idle, active)]
    assert states == ["erasing", "open"]


def test_the_sweep_leaves_a_thread_that_came_to_life(
    client: Client, queue: Queue, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shared.store import head

    monkeypatch.setattr(head, "_RETENTION_SECONDS", 86_400)
    partition = f"{client.project}#{client.thread()}"
    clock.forward(90_000)
    write = faults.before(lambda: stored.change(partition, "head", activeAt={"N": str(2**40)}))

    with faults.inject(faults.Fault("UpdateItem", write)):
        _sweep()

    assert stored.item(partition, "head")["state"] == {"S": "open"}


def test_a_sweep_without_time_is_continued_by_the_next(client: Client, queue: Queue, clock: Clock) -> None:
    """Each looks at one list of threads, if its time is up at once; behind the last list the walk begins anew."""
    clients = [client, Client(), Client()]
    partitions = [f"{one.project}#{one.thread()}" for one in clients]
    for one, partition in zip(clients, partitions, strict=True):
        _delete(one, partition)
    clock.forward(_HOUR + 1)

    runs: list[list[str]] = []
    for _ in range(5):
        _sweep(seconds=59)
        runs.append([asked["partition"] for asked in queue.taken()])

    first, second, third = sorted(partitions)
    assert runs == [[first], [second], [third], [], [first]]
