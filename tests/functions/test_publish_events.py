"""Publish events: the whole event of each change of the table, and what happens to events that the bus refuses."""

import io
import json
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.support import expected, fault_injection, stored, stream
from tests.support.client import Client
from tests.support.clock import Clock
from tests.support.expected import compact, text
from tests.support.fault_injection import Attempt, Attempts, Effect, Fault, Outcome
from tests.support.stream import Record
from tests.support.variables import VARIABLES
from tools.local import template

TAKEN: dict[str, list[Any]] = {"batchItemFailures": []}


@pytest.fixture
def sent() -> Iterator[Attempts]:
    """Record each PutEvents."""
    from shared import clients

    with fault_injection.inject(client=clients.events()) as attempts:
        yield attempts


def publish(records: list[Record]) -> Any:
    from functions import publish_events

    return publish_events.handler(stream.event(records), None)


@contextmanager
def published() -> Iterator[None]:
    """When the context ends, publish the changes made in it. The bus takes all events."""
    with stream.changes() as records:
        yield
    assert publish(records) == TAKEN


def packs(sent: Attempts) -> list[list[dict[str, Any]]]:
    """Return the entries of each PutEvents so far, and clear the log of calls."""
    found = [request["Entries"] for _, request in sent.log]
    sent.log.clear()
    return found


def told(sent: Attempts) -> list[tuple[str, dict[str, Any]]]:
    """Return detail type and detail of each event so far, and clear the log of calls."""
    return [(entry["DetailType"], json.loads(entry["Detail"])) for pack in packs(sent) for entry in pack]


def extended(shown: dict[str, Any], client: Client, subject: str, version: int | None, **more: Any) -> dict[str, Any]:
    """Return the detail of an event, as in the contract."""
    fields = {
        "event_id": f"{client.project}/{subject}",
        "project": client.project,
        "version": version,
        "content_omitted": False,
    }
    return shown | fields | more


def wide() -> str:
    """Return a content that hardly compresses and so is stored in parts. Its event has less than 1 MB."""
    return "".join(chr(random.randrange(0x4E00, 0x9FFF)) for _ in range(200_000))


def refusing(*codes: str | None) -> Effect:
    """Let the bus refuse each entry with its code. The bus takes entries with the code None or without a code."""

    def effect(attempt: Attempt) -> Outcome:
        count = len(attempt.request["Entries"])
        wanted = [*codes, *[None] * count][:count]
        answers = [{"ErrorCode": code, "ErrorMessage": "injected"} if code else {"EventId": "1"} for code in wanted]
        return attempt.answer(200, {"FailedEntryCount": len(codes), "Entries": answers})

    return effect


def test_a_new_message_is_told_whole(client: Client, clock: Clock, sent: Attempts) -> None:
    thread_id = client.thread()

    with published():
        message_id = client.message(thread_id, metadata={"a": "ä"})["id"]

    shown = expected.message(thread_id, message_id, int(time.time()), [text("hello")], metadata={"a": "ä"})
    assert packs(sent) == [
        [
            {
                "Source": "message-api",
                "DetailType": "thread.message.created",
                "Detail": compact(extended(shown, client, f"{thread_id}/{message_id}/1", 1)),
                "EventBusName": "message-api-Events",
            }
        ]
    ]


def test_a_modified_message_is_told_with_the_metadata_it_had(client: Client, clock: Clock, sent: Attempts) -> None:
    thread_id = client.thread()
    message_id = client.message(thread_id)["id"]
    shown = expected.message(thread_id, message_id, int(time.time()), [text("hello")])
    subject = f"{thread_id}/{message_id}"
    of_metadata = {"content_changed": False}

    for metadata in ({"a": "1"}, None):
        with published():
            client.create("modify_message", thread_id, message_id, body={"metadata": metadata})

    second = extended(shown | {"metadata": {"a": "1"}}, client, f"{subject}/2", 2, **of_metadata, previous_metadata={})
    third = extended(shown, client, f"{subject}/3", 3, **of_metadata, previous_metadata={"a": "1"})
    assert told(sent) == [("thread.message.updated", second), ("thread.message.updated", third)]


@pytest.mark.parametrize(("old", "new"), [("hello", "edited"), ("hello", wide()), (wide(), "edited")])
def test_an_edited_message_is_told_with_its_new_content(client: Client, sent: Attempts, old: str, new: str) -> None:
    thread_id = client.thread()
    message = client.message(thread_id, old)

    with published():
        edited = client.create("modify_message", thread_id, message["id"], body={"content": new})

    subject = f"{thread_id}/{message['id']}/2"
    detail = extended(edited, client, subject, 2, previous_metadata={}, content_changed=True)
    assert told(sent) == [("thread.message.updated", detail)]


def test_a_deleted_message_is_told_with_the_version_after_its_last(client: Client, sent: Attempts) -> None:
    thread_id = client.thread()
    message_id = client.message(thread_id)["id"]
    client.create("modify_message", thread_id, message_id, body={"metadata": {"a": "1"}})

    with published():
        client.create("delete_message", thread_id, message_id)

    shown = {"id": message_id, "object": "thread.message.deleted", "deleted": True, "thread_id": thread_id}
    assert told(sent) == [("thread.message.deleted", extended(shown, client, f"{thread_id}/{message_id}/3", 3))]


def test_a_thread_is_told_when_it_is_created_modified_and_deleted(client: Client, clock: Clock, sent: Attempts) -> None:
    resources = {"tool_resources": {"code_interpreter": {"file_ids": ["f"]}}}
    with published():
        thread_id = client.thread(metadata={"user_id": "u"})
    with published():
        client.create("modify_thread", thread_id, body=resources)
    with published():
        client.create("delete_thread", thread_id)

    created = expected.thread(thread_id, int(time.time()), metadata={"user_id": "u"})
    updated = created | resources
    deleted = {"id": thread_id, "object": "thread.deleted", "deleted": True}
    assert told(sent) == [
        ("thread.created", extended(created, client, f"{thread_id}/1", 1)),
        ("thread.updated", extended(updated, client, f"{thread_id}/2", 2, previous_metadata={"user_id": "u"})),
        ("thread.deleted", extended(deleted, client, f"{thread_id}/deleted", None)),
    ]


def test_an_event_that_is_told_again_is_the_same(client: Client, sent: Attempts) -> None:
    with stream.changes() as records:
        client.message(client.thread())

    publish(records)
    first = packs(sent)
    publish(records)

    assert packs(sent) == first
    assert len({json.loads(entry["Detail"])["event_id"] for pack in first for entry in pack}) == 2


def test_only_messages_and_threads_invoke_the_function(trusted: Client) -> None:
    with stream.changes() as records:
        thread_id = trusted.thread(metadata={"user_id": "u"})
        body = {"role": "assistant", "content": "hello", "run_id": "r"}
        headers = {"idempotency-key": "k"}
        trusted.create("create_message", thread_id, body=body, headers=headers)
        trusted.message(thread_id, wide())

    kinds = [record["dynamodb"]["Keys"]["messageId"]["S"].partition("_")[0] for record in records]
    assert sorted(kinds) == ["msg", "msg", "thread"]


@pytest.mark.parametrize(
    ("content", "hidden", "omitted"),
    [
        (wide(), 0, False),
        ("\N{GRINNING FACE}" * 256_000, 0, True),
        ("\x01" * 256_000, 0, True),
        (wide(), 2, False),
        (wide(), 99, True),
    ],
    ids=["in chunks", "too large", "too large when escaped", "in chunks that come late", "in chunks that do not come"],
)
@pytest.mark.usefixtures("clock")
def test_a_large_message_is_told_whole_or_without_its_content(
    client: Client, sent: Attempts, content: str, hidden: int, omitted: bool
) -> None:
    """`hidden` is how many reads do not show the chunks. The function waits for chunks, but only for a short time."""
    thread_id = client.thread()
    with stream.changes() as records:
        message = client.message(thread_id, content, metadata={"a": "1"})

    nothing = fault_injection.changed(lambda answer: answer["Responses"].clear())
    with fault_injection.inject(*[Fault("BatchGetItem", nothing, times=hidden)] * bool(hidden)):
        assert publish(records) == TAKEN

    shown = message | ({"content": []} if omitted else {})
    subject = f"{thread_id}/{message['id']}/1"
    assert told(sent) == [("thread.message.created", extended(shown, client, subject, 1, content_omitted=omitted))]


@pytest.mark.parametrize(("size", "is_omitted"), [(990_000, False), (990_001, True)])
def test_an_event_has_its_content_up_to_990_000_bytes(
    client: Client, sent: Attempts, size: int, is_omitted: bool
) -> None:
    thread_id = client.thread()
    wide = "\N{GRINNING FACE}" * 246_000
    with published():
        client.message(thread_id, wide)
    ((entry,),) = packs(sent)

    with published():
        client.message(thread_id, wide + "x" * (size - len(entry["Detail"].encode())))

    ((entry,),) = packs(sent)
    assert json.loads(entry["Detail"])["content_omitted"] is is_omitted
    assert is_omitted or len(entry["Detail"].encode()) == size


def test_a_message_whose_parts_are_gone_is_told_without_its_content(client: Client, sent: Attempts) -> None:
    thread_id = client.thread()
    with stream.changes() as records:
        message_id = client.message(thread_id, wide())["id"]
    with stream.changes() as deleted:
        client.create("delete_message", thread_id, message_id)
    stored.remove(f"{client.project}#{thread_id}", "part#")

    publish([*records, *deleted])

    assert [(kind, detail["content_omitted"]) for kind, detail in told(sent)] == [
        ("thread.message.created", True),
        ("thread.message.deleted", False),
    ]


def test_a_call_has_ten_entries_and_less_than_a_megabyte(client: Client, sent: Attempts) -> None:
    thread_id = client.thread()
    with stream.changes() as records:
        small = [client.message(thread_id)["id"] for _ in range(21)]
    with stream.changes() as more:
        large = [client.message(thread_id, "€" * size)["id"] for size in (200_000, 150_000, 10, 150_000)]

    publish([*records, *more])

    assert [[json.loads(entry["Detail"])["id"] for entry in pack] for pack in packs(sent)] == [
        small[:10],
        small[10:20],
        [small[20], large[0]],
        [large[1], large[2], large[3]],
    ]


def test_what_the_bus_refuses_is_sent_again(client: Client, clock: Clock) -> None:
    from shared import clients

    thread_id = client.thread()
    with stream.changes() as records:
        created = [client.message(thread_id)["id"] for _ in range(3)]

    refuse = Fault("PutEvents", refusing("ThrottlingException", None, "InternalFailure"))
    again = Fault("PutEvents", refusing(None, "ThrottlingException"), at=2)
    with fault_injection.inject(refuse, again, client=clients.events()) as attempts:
        assert publish(records) == TAKEN

    assert [[json.loads(entry["Detail"])["id"] for entry in pack] for pack in packs(attempts)] == [
        created,
        [created[0], created[2]],
        [created[2]],
    ]
    assert clock.slept == [0.2, 0.4]


def test_what_the_bus_keeps_refusing_is_named_and_nothing_after_it_is_sent(client: Client, clock: Clock) -> None:
    from shared import clients

    thread_id = client.thread()
    with stream.changes() as records:
        created = [client.message(thread_id)["id"] for _ in range(15)]

    refuse = [Fault("PutEvents", refusing(None, None, "InternalFailure", None, "InternalFailure"))]
    refuse += [Fault("PutEvents", refusing("InternalFailure", "InternalFailure"), at=2, times=3)]
    with fault_injection.inject(*refuse, client=clients.events()) as attempts:
        answer = publish(records)

    assert answer == {"batchItemFailures": [{"itemIdentifier": records[2]["dynamodb"]["SequenceNumber"]}]}
    assert [[json.loads(entry["Detail"])["id"] for entry in pack] for pack in packs(attempts)] == [
        created[:10],
        *[[created[2], created[4]]] * 3,
    ]


def test_events_that_the_bus_keeps_refusing_raise_an_alarm(
    client: Client, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lambda counts no error for these events. The alarm counts the log line of the last attempt, and only this one."""
    from shared import clients
    from shared.log import logger

    with stream.changes() as records:
        client.thread()
    log = io.StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", log)
    refuse = Fault("PutEvents", refusing("InternalFailure"), times=0)
    with fault_injection.inject(refuse, client=clients.events()):
        publish(records)
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    resources = template.read()["Resources"]
    counted, alarm = (resources[name]["Properties"] for name in ("RefusedEvents", "EventsRefused"))
    (metric,) = counted["MetricTransformations"]

    assert [(line["level"], line["message"], line["codes"]) for line in lines] == [
        *[("WARNING", "refused events", ["InternalFailure"])] * 3,
        ("ERROR", "refused events", ["InternalFailure"]),
    ]
    assert counted["FilterPattern"] == '{ ($.level = "ERROR") && ($.message = "refused events") }'
    assert counted["LogGroupName"] == resources["PublishEvents"]["Properties"]["LoggingConfig"]["LogGroup"]
    assert (alarm["Namespace"], alarm["MetricName"]) == (metric["MetricNamespace"], metric["MetricName"])


def test_a_bus_out_of_reach_fails_the_batch(client: Client, clock: Clock) -> None:
    from shared import clients

    with stream.changes() as records:
        client.thread()

    refuse = Fault("PutEvents", fault_injection.error("InternalException", status=500), times=0)
    with (
        fault_injection.inject(refuse, client=clients.events()),
        pytest.raises(clients.events().exceptions.ClientError, match="InternalException"),
    ):
        publish(records)


def test_erasing_a_thread_of_many_messages_tells_of_one_deletion(client: Client, sent: Attempts) -> None:
    from shared.store import erasure, keys

    thread_id = client.thread()
    for _ in range(12):
        client.message(thread_id)
    partition = keys.thread_partition(client.project, thread_id)
    with stream.changes() as deletion:
        client.create("delete_thread", thread_id)
    with stream.changes() as first:
        assert not erasure._erase_all_but(partition, "!", "~", ("head", "thread"), time.monotonic() - 1)
        assert erasure.erase_prefix(partition, "msg_", time.monotonic() + 60)
    publish([*deletion, *first])
    with stream.changes() as rest:
        assert erasure.erase_thread(partition, time.monotonic() + 60)
    publish([*first, *rest])

    assert [(kind, detail["id"]) for kind, detail in told(sent)] == [("thread.deleted", thread_id)]
    assert (len(first), len(rest)) == (12, 0)


def test_a_message_deleted_just_before_its_thread_is_told_with_the_thread(client: Client, sent: Attempts) -> None:
    thread_id = client.thread()
    message_id = client.message(thread_id)["id"]
    with stream.changes() as records:
        client.create("delete_message", thread_id, message_id)
    with stream.changes() as deletion:
        client.create("delete_thread", thread_id)

    publish([*records, *deletion])

    assert [kind for kind, _ in told(sent)] == ["thread.deleted"]


def test_a_deletion_in_a_thread_that_has_expired_is_told(
    client: Client, sent: Attempts, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(VARIABLES, "RETENTION_DAYS", "1")
    thread_id = client.thread()
    message_id = client.message(thread_id)["id"]
    with stream.changes() as records:
        client.create("delete_message", thread_id, message_id)
    clock.forward(2 * 86_400)

    publish(records)

    assert [kind for kind, _ in told(sent)] == ["thread.message.deleted"]


def test_an_expired_thread_is_deleted_once(client: Client, monkeypatch: pytest.MonkeyPatch, sent: Attempts) -> None:
    from shared.store import head, sweep

    thread_id = client.thread()
    partition = f"{client.project}#{thread_id}"
    with published():
        for _ in range(2):
            sweep._mark_expired(partition, stored.item(partition, "head") | {"state": {"S": head.OPEN}})

    assert [(kind, detail["id"]) for kind, detail in told(sent)] == [("thread.deleted", thread_id)]


def test_messages_of_a_large_new_thread_are_told_with_it(
    client: Client, clock: Clock, sent: Attempts, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shared.store import threads

    monkeypatch.setattr(threads, "_BYTES_IN_ONE", 0)
    with stream.changes() as records:
        thread_id = client.thread(messages=[{"role": "user", "content": word} for word in ("one", "two")])
    one, two = (message["id"] for message in client.page(thread_id, order="asc")["data"])
    with stream.changes() as modified:
        client.create("modify_message", thread_id, two, body={"metadata": {"a": "1"}})
    with stream.changes() as later:
        three = client.message(thread_id, "three")["id"]

    publish([*records, *modified, *later])

    shown = {
        message_id: expected.message(thread_id, message_id, int(time.time()), [text(word)])
        for message_id, word in ((one, "one"), (two, "two"), (three, "three"))
    }
    second = shown[two] | {"metadata": {"a": "1"}}
    thread = expected.thread(thread_id, int(time.time()))
    assert told(sent) == [
        ("thread.created", extended(thread, client, f"{thread_id}/1", 1)),
        ("thread.message.created", extended(shown[one], client, f"{thread_id}/{one}/1", 1)),
        # Creation and modification remain two events, although both now have the same content.
        ("thread.message.created", extended(second, client, f"{thread_id}/{two}/1", 2)),
        (
            "thread.message.updated",
            extended(second, client, f"{thread_id}/{two}/2", 2, previous_metadata={}, content_changed=False),
        ),
        ("thread.message.created", extended(shown[three], client, f"{thread_id}/{three}/1", 1)),
    ]


def test_of_a_thread_that_was_abandoned_while_it_was_written_nothing_is_told(
    client: Client, sent: Attempts, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shared.store import erasure, head, keys, sweep, table, threads

    monkeypatch.setattr(threads, "_BYTES_IN_ONE", 0)
    forbidden = Fault("TransactWriteItems", fault_injection.error("AccessDeniedException"), at=2)
    with stream.changes() as records:
        with fault_injection.inject(forbidden):
            body = {"messages": [{"role": "user", "content": "one"}]}
            assert client.call("create_thread", body=body).status == 500
        (entry,) = table.query(keys.threads_partitions(client.project, 1)[0], "0", "~")
        partition = keys.thread_partition(client.project, entry["thread"]["S"])
        pending = stored.item(partition, "head")
        assert pending["state"]["S"] == head.PENDING
    with stream.changes() as buried:
        sweep._mark_expired(partition, pending)
    with stream.changes() as erased:
        assert erasure.erase_thread(partition, time.monotonic() + 60)

    assert (len(records), len(buried), len(erased)) == (1, 0, 1)
    assert publish([*records, *erased]) == TAKEN
    assert told(sent) == []
