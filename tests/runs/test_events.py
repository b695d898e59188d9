"""Events of runs: one for each new status, compared whole; and changes that never have an event."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from tests.support import chat_stub, fault_injection, schemas, stored, stream
from tests.support.chat_stub import Chat, calls, fails, says
from tests.support.clock import Clock
from tests.support.fault_injection import Attempts
from tests.support.runs import WEATHER, Runs, waiting
from tests.support.stream import Record

CALL = ("call_1", "get_weather", '{"city":"Rome"}')
LARGE = "".join(map(chr, range(0x4E00, 0x4E00 + 4_000)))  # it does not compress below 1,000 bytes


@pytest.fixture
def sent() -> Iterator[Attempts]:
    """Record each PutEvents."""
    from shared import clients

    with fault_injection.inject(client=clients.events()) as attempts:
        yield attempts


def publish(records: list[Record]) -> None:
    from functions import publish_events

    assert publish_events.handler(stream.event(records), None) == {"batchItemFailures": []}


@contextmanager
def changing() -> Iterator[list[Record]]:
    """Yield a list. When the block has ended, the list has the records of the runs that changed in it."""
    found: list[Record] = []
    with stream.changes(None) as records:
        yield found
    found += of_runs(records)


@contextmanager
def publishing() -> Iterator[None]:
    """When the block has ended, publish the changes of runs that happened in it."""
    with changing() as records:
        yield
    publish(records)


def published(sent: Attempts) -> list[tuple[str, dict[str, Any]]]:
    """Return detail type and detail of each event so far, and clear the log of calls.

    Every event must match the schema.
    """
    entries = [entry for _, request in sent.log for entry in request["Entries"]]
    sent.log.clear()
    return [(entry["DetailType"], schemas.event(entry["DetailType"], entry["Detail"])["detail"]) for entry in entries]


def sort_of(record: Record) -> str:
    return str(record["dynamodb"]["Keys"]["messageId"]["S"])


def of_runs(records: list[Record]) -> list[Record]:
    return [record for record in records if sort_of(record).startswith("run_")]


def detail_of(runs: Runs, run: dict[str, Any], version: int, **fields: Any) -> dict[str, Any]:
    """Return the detail of an event for a run, as in a response."""
    kept = {name: value for name, value in run.items() if name not in {"instructions", "tools"}}
    own = {
        "event_id": f"{runs.client.project}/{run['thread_id']}/{run['id']}/{version}",
        "project": runs.client.project,
        "version": version,
        "content_omitted": False,
    }
    return kept | own | fields


def test_each_status_of_a_run_is_published_with_the_run_as_it_was(
    runs: Runs, chat: Chat, clock: Clock, sent: Attempts
) -> None:
    chat.replies = [calls(CALL), says("Sunny.")]
    thread_id = runs.thread()
    assistant_id = runs.assistant(tools=[WEATHER], temperature=0.5, response_format={"type": "text"})
    given = {"metadata": {"a": "1"}, "tool_choice": "required", "max_completion_tokens": 100}

    with changing() as first:
        created = runs.run(thread_id, assistant_id, **given)
    with changing() as second:
        asking = runs.execute(created)
    with changing() as third:
        submitted = runs.submit(created, {"call_1": "sunny"}).body
    with changing() as fourth:
        done = runs.execute(created)
    for records in (first, second, third, fourth):
        publish(records)

    assert published(sent) == [
        ("thread.run.queued", detail_of(runs, created, 1)),
        ("thread.run.requires_action", detail_of(runs, asking, 3)),
        ("thread.run.queued", detail_of(runs, submitted, 4)),
        ("thread.run.completed", detail_of(runs, done, 6)),
    ]
    assert asking["required_action"]["submit_tool_outputs"]["tool_calls"][0]["id"] == "call_1"


def test_a_claimed_run_is_published_as_in_progress(runs: Runs, chat: Chat, clock: Clock, sent: Attempts) -> None:
    run = runs.run(runs.thread(), runs.assistant())
    partition = f"{runs.client.project}#{run['thread_id']}"
    queued = stored.item(partition, run["id"])

    def look() -> None:
        publish([stream.record(1, queued, stored.item(partition, run["id"]))])
        shown.append(runs.read(run))

    shown: list[dict[str, Any]] = []
    chat.replies = [replace(says("Hello"), before=look)]
    runs.execute(run)

    assert published(sent) == [("thread.run.in_progress", detail_of(runs, shown[0], 2, status="in_progress"))]


@pytest.mark.parametrize(
    ("reply", "status"),
    [(fails(400, "no"), "failed"), (says("Half", finish="length"), "incomplete"), (says("H"), "completed")],
    ids=["failed", "incomplete", "completed"],
)
def test_the_end_of_a_run_is_published(
    *, runs: Runs, chat: Chat, clock: Clock, sent: Attempts, reply: chat_stub.Reply, status: str
) -> None:
    chat.replies = [reply]
    run = runs.run(runs.thread(), runs.assistant())

    with publishing():
        done = runs.execute(run)

    assert done["status"] == status
    assert published(sent) == [(f"thread.run.{status}", detail_of(runs, done, 3))]


def test_a_cancelled_run_is_published_and_an_expired_one_never(
    runs: Runs, chat: Chat, clock: Clock, sent: Attempts
) -> None:
    thread_id, assistant_id = runs.thread(), runs.assistant()
    run = runs.run(thread_id, assistant_id)

    with publishing():
        runs.create("cancel_run", thread_id, run["id"])
    assert published(sent) == [("thread.run.cancelled", detail_of(runs, runs.read(run), 2))]

    late = runs.run(thread_id, assistant_id)
    with changing() as records:
        clock.forward(600)
        assert runs.execute(late)["status"] == "expired"
    assert records == []


def test_an_event_that_comes_after_the_runs_time_shows_the_status_that_was_stored(
    runs: Runs, clock: Clock, sent: Attempts
) -> None:
    with changing() as records:
        run = runs.run(runs.thread(), runs.assistant())
    clock.forward(3_600)

    publish(records)

    assert published(sent) == [("thread.run.queued", detail_of(runs, run, 1))]


def test_a_change_of_metadata_alone_has_no_event_and_counts_as_a_version(
    runs: Runs, chat: Chat, clock: Clock, sent: Attempts
) -> None:
    run = waiting(runs, chat)

    with changing() as records:
        runs.create("modify_run", run["thread_id"], run["id"], body={"metadata": {"a": "1"}})
    publish(records)
    assert (len(records), published(sent)) == (1, [])

    with publishing():
        runs.create("cancel_run", run["thread_id"], run["id"])
    assert published(sent) == [("thread.run.cancelled", detail_of(runs, runs.read(run), 5))]


def test_a_run_too_large_for_an_event_is_published_without_its_calls(
    runs: Runs, chat: Chat, clock: Clock, sent: Attempts
) -> None:
    long = json.dumps({"city": "\N{GRINNING FACE}" * 250_000}, ensure_ascii=False)
    chat.replies = [calls(("call_1", "get_weather", long))]
    resources = {"file_search": {"vector_store_ids": ["vs_1"]}}
    run = runs.run(runs.thread(), runs.assistant(tools=[WEATHER], tool_resources=resources))

    with publishing():
        asking = runs.execute(run)

    assert asking["tool_resources"] == resources
    omitted: dict[str, Any] = {"required_action": None, "tool_resources": {}, "content_omitted": True}
    assert published(sent) == [("thread.run.requires_action", detail_of(runs, asking, 3, **omitted))]


def test_settings_in_chunks_are_published_like_any(runs: Runs, clock: Clock, sent: Attempts) -> None:
    assistant_id = runs.assistant(instructions=LARGE)

    with publishing():
        run = runs.run(runs.thread(), assistant_id)

    assert stored.sort_keys(f"{runs.client.project}#{run['thread_id']}", f"part#{run['id']}")
    assert published(sent) == [("thread.run.queued", detail_of(runs, run, 1))]


@pytest.mark.parametrize("gone", ["part#run_", "step#", "part#step#"])
def test_of_a_thread_that_is_being_erased_no_event_shows_half_a_run(
    *, runs: Runs, chat: Chat, clock: Clock, sent: Attempts, gone: str
) -> None:
    city = "".join(map(chr, range(0x4E00, 0x4E00 + 20_000))) * 10
    chat.replies = [calls(("call_1", "get_weather", city))]
    run = runs.run(runs.thread(), runs.assistant(instructions=LARGE, tools=[WEATHER]))
    with changing() as records:
        runs.execute(run)
    partition = f"{runs.client.project}#{run['thread_id']}"
    assert stored.sort_keys(partition, gone)
    stored.remove(partition, gone)

    publish(records)

    assert published(sent) == []


def test_records_of_all_other_items_have_no_event(runs: Runs, chat: Chat, clock: Clock) -> None:
    from shared import events

    chat.replies = [calls(CALL, text="I look it up."), says("Sunny.")]
    with stream.changes(None) as first:
        assistant_id = runs.assistant(tools=[WEATHER], instructions=LARGE)
        run = runs.run(runs.thread(), assistant_id)
        runs.execute(run)
        runs.submit(run, {"call_1": "sunny"})
    with stream.changes(None) as last:
        runs.execute(run)
        runs.create("modify_assistant", assistant_id, body={"name": "other"})
    with stream.changes(None) as removed:
        runs.create("delete_assistant", assistant_id)
        stored.remove(f"{runs.client.project}#{run['thread_id']}", "run_", "step#", "output#", "part#")
    with_events = ("head", "thread", "msg_", "run_")
    records = [*first, *last, *removed]
    others = [record for record in records if not sort_of(record).startswith(with_events)]
    kinds = {sort_of(record).partition("#")[0].partition("_")[0] for record in others}
    thread_entry = run["thread_id"].removeprefix("thread_")
    # "run" is a message's entry in its run's list.
    assert kinds == {"asst", "list", "step", "output", "part", "run", thread_entry}
    later = [json.loads(json.dumps(record).replace('"v": {"N": "1"}', '"v": {"N": "2"}')) for record in others]
    gone = [record for record in of_runs(removed) if "NewImage" not in record["dynamodb"]]

    assert len(gone) == 1
    assert [event for record in [*others, *later, *gone] for event in events.of_record(record)] == []


def test_a_run_that_a_later_version_has_written_is_left_to_that(runs: Runs, clock: Clock) -> None:
    from shared import events
    from shared.store.errors import NewerItemError

    with changing() as records:
        runs.run(runs.thread(), runs.assistant())
    (record,) = records
    record["dynamodb"]["NewImage"]["v"] = {"N": "2"}

    with pytest.raises(NewerItemError):
        list(events.of_record(record))


def test_the_event_of_an_answer_is_as_the_schema_says(runs: Runs, chat: Chat, clock: Clock, sent: Attempts) -> None:
    run = runs.run(runs.thread(), runs.assistant())

    with stream.changes() as records:
        runs.execute(run)
    publish([record for record in records if sort_of(record).startswith("msg_")])

    ((kind, detail),) = published(sent)
    assert (kind, detail["run_id"], detail["completed_at"]) == ("thread.message.created", run["id"], run["created_at"])


def test_the_schema_refuses_what_is_never_published_of_a_run(runs: Runs, clock: Clock, sent: Attempts) -> None:
    with publishing():
        runs.run(runs.thread(), runs.assistant())
    ((kind, detail),) = published(sent)
    changes: list[tuple[str, dict[str, Any]]] = [
        ("thread.run.completed", {}),
        ("thread.run.expired", {"status": "expired"}),
        ("thread.run.cancelling", {"status": "cancelling"}),
        (kind, {"instructions": "Be brief."}),
        (kind, {"tools": []}),
        (kind, {"usage": {}}),
        (kind, {"required_action": {}}),
        (kind, {"version": 0}),
        (kind, {"previous_metadata": {}}),
    ]

    for other, change in changes:
        event = {"source": "message-api", "detail-type": other, "detail": detail | change}
        assert not schemas.validator("event").is_valid(event), (other, change)
