"""This version reads, changes and erases a table of each released version with the same results as that version."""

import json
import re
import time

import pytest

from tests.support import event_sources as queues
from tests.support import expected, stored, stream
from tests.support.chat_stub import Chat
from tests.support.client import Client
from tests.support.clock import Clock
from tests.support.event_sources import Queue, asked, erase, queue_changes, sweep
from tests.support.local_api import ROOT
from tests.support.runs import Runs
from tests.upgrades import dump
from tests.upgrades.dump import Dump

_HOUR, _DAY, _YEAR = 3_600, 86_400, 31_536_000


@pytest.fixture(params=dump.VERSIONS)
def left(request: pytest.FixtureRequest, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Dump:
    """Return the dump of a released version. Its items are in the table, and the clock is a minute later."""
    from shared import auth

    monkeypatch.setattr(auth, "_remembered", {})
    found = dump.read(request.param)
    clock.forward(found.written + 60 - time.time())
    dump.put(found.items)
    return found


def held(left: Dump) -> stream.Images:
    """Return the table's items in the partitions of the dump, old and new ones, except API keys."""
    partitions = {item["threadId"]["S"] for item in left.items} - {"keys"}
    return {key: item for key, item in stream.images().items() if key[0] in partitions}


def put_later(left: Dump, sort: str) -> None:
    """Write the items whose sort keys begin with this prefix as if a later version had written them."""
    items = [item for item in left.items if item["messageId"]["S"].startswith(sort)]
    dump.put([item | {"v": {"N": str(int(item["v"]["N"]) + 1)}} for item in items])


def test_every_released_version_has_left_a_table() -> None:
    released = re.findall(r"^## \[(\d+\.\d+\.\d+)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)

    assert {*released} <= {*dump.VERSIONS} != set()


@pytest.mark.parametrize("seconds", [0, _YEAR])
def test_all_of_it_is_read_as_it_was_then(left: Dump, clock: Clock, seconds: int) -> None:
    before = held(left)
    clock.forward(seconds)
    for step in left.reads:
        dump.check(step)

    assert held(left) == before


def test_all_of_it_is_changed_as_it_was_then(left: Dump) -> None:
    for step in left.writes:
        dump.check(step)


def test_its_events_are_published_as_they_were_then(left: Dump) -> None:
    names = {detail["id"] for _, detail in left.events} | {"thread", "head"}

    assert dump.published([item for item in left.items if dump.name(item) in names]) == left.events


def test_its_threads_go_on(left: Dump) -> None:
    """Each new message is the last of its thread, also for a reader with a cursor of the old version."""
    for partition in left.partitions("open"):
        project, _, thread_id = partition.partition("#")
        client = Client(project, trusted=True)  # a trusted key can write while a run is active
        before = client.page(thread_id, order="asc", limit=100)["data"]
        new = client.message(thread_id, "new")
        cursor = {"after": before[-1]["id"]} if before else {}

        assert client.page(thread_id, order="asc", limit=100, **cursor)["data"] == [new]
        assert client.page(thread_id, order="asc", limit=100)["data"] == [*before, new]


def test_a_run_that_waited_goes_on(left: Dump, chat: Chat) -> None:
    (submit,) = (step for step in left.writes if (step["function"], step["status"]) == ("submit_tool_outputs", 200))
    assert dump.ask(submit).status == 200

    assert Runs(Client("alpha")).execute(submit["answer"])["status"] == "completed"
    assert chat.asked[0]["messages"][-1] == {"role": "tool", "tool_call_id": "call_1", "content": "sunny"}


def test_its_idempotency_keys_are_forgotten_after_their_day(left: Dump, clock: Clock) -> None:
    for step in (step for step in left.writes if step["replayed"]):
        clock.forward(_DAY)
        answer = dump.ask(step)
        assert (answer.status, "idempotent-replayed" in answer.headers) == (200, False)
        assert answer.body["id"] != step["answer"]["id"]


def test_its_commands_are_not_done_again(left: Dump) -> None:
    before = held(left)
    for command in left.commands:
        queues.put(command)
        assert (queues.deliver(), queues.rejected()) == ([], [])

    assert held(left) == before


def test_its_api_keys_are_listed_and_revoked(left: Dump) -> None:
    from shared.store import api_keys, table

    table.set_deadline(60)
    ours = [key for key in api_keys.list_keys() if key.project in {"alpha", "beta"}]
    assert {(key.project, key.name, key.trusted, key.revoked is not None) for key in ours} == {
        ("alpha", "laptop", False, False),
        ("alpha", "lost", False, True),
        ("alpha", "responder", True, False),
        ("beta", "", False, False),
    }
    for key in ours:
        api_keys.revoke(key.id)
    assert {dump.ask(step).status for step in left.reads} == {401}


def test_all_of_it_is_erased(left: Dump, queue: Queue, clock: Clock) -> None:
    """No items remain of threads that are deleted now, that were abandoned, or that were forgotten."""
    for partition in left.partitions("open"):
        project, _, thread_id = partition.partition("#")
        Client(project).create("delete_thread", thread_id)
    runs = Runs(Client("alpha"))
    with stream.changes("QueueJobs") as records:
        for assistant in runs.create("list_assistants")["data"]:
            runs.create("delete_assistant", assistant["id"])
    queue_changes(*(record["dynamodb"] for record in records))
    erase(*queue.taken(), *map(json.loads, left.erasures))
    for _ in range(3):  # one for the rest of a walk, one to mark what was abandoned as expired, one to find that
        clock.forward(_HOUR + 1)
        sweep()
        erase(*queue.taken())

    keys = {item["threadId"]["S"] for item in left.items if item["messageId"]["S"] == "key"}
    assert {partition for partition, _ in held(left)} == {*keys, "alpha#once", "sweep"}


def test_the_sweep_goes_on_where_the_one_of_then_stopped(left: Dump, queue: Queue, clock: Clock) -> None:
    clock.forward(_HOUR + 1)
    for swept in ([], [asked(partition) for partition in left.partitions("erasing")]):
        sweep()
        assert queue.taken() == swept


def test_what_stood_in_the_queue_is_erased_and_nothing_else(left: Dump) -> None:
    jobs = [json.loads(body) for body in left.erasures]
    before = held(left)
    erase(*jobs)

    # A thread's entries in lists go with it.
    removed = {key for key in before.keys() - held(left).keys() if "#threads" not in key[0]}
    doomed = [(job["partition"], job["prefix"]) for job in jobs]
    assert removed == {
        key for key in before for partition, prefix in doomed if key[0] == partition and key[1].startswith(prefix)
    }
    assert {prefix[:5] for _, prefix in doomed} == {"", "part#"}


_OF_A_RUN = "retrieve_run modify_run submit_tool_outputs cancel_run list_run_steps retrieve_run_step"
_OF_A_THREAD = f"list_threads retrieve_thread modify_thread delete_thread create_run list_runs {_OF_A_RUN} "
_OF_A_THREAD += "create_message list_messages retrieve_message modify_message delete_message"
_OF_AN_ASSISTANT = "list_assistants retrieve_assistant modify_assistant delete_assistant"


@pytest.mark.parametrize(
    ("sort", "functions"),
    [
        ("head", _OF_A_THREAD),
        ("thread", "retrieve_thread modify_thread list_threads"),
        ("msg_", "retrieve_message modify_message delete_message list_messages"),
        ("run_", f"{_OF_A_RUN} list_runs create_run create_thread_and_run"),
        ("step#", "list_run_steps retrieve_run_step"),
        ("output#", "list_run_steps retrieve_run_step"),
        ("asst_", f"{_OF_AN_ASSISTANT} create_run create_thread_and_run"),
        ("once#", "create_message create_thread create_run create_thread_and_run"),
        ("key", f"{_OF_A_THREAD} {_OF_AN_ASSISTANT} create_thread create_thread_and_run"),
    ],
)
def test_what_a_later_version_has_written_is_refused_and_stays(left: Dump, sort: str, functions: str) -> None:
    put_later(left, sort)
    before = held(left)
    refused: set[str] = set()
    for step in left.reads + left.writes:
        if step["function"] in {*functions.split()} - refused and dump.ask(step).body == expected.OUR_FAULT:
            refused.add(step["function"])

    assert refused == {*functions.split()}
    assert held(left) == before


@pytest.mark.parametrize("sort", ["head", "thread"])
def test_a_thread_that_a_later_version_has_written_or_listed_is_not_erased(
    left: Dump, queue: Queue, clock: Clock, sort: str
) -> None:
    from shared.store.errors import NewerItemError

    put_later(left, sort)
    for partition in left.partitions("erasing"):
        before = {key: item for key, item in held(left).items() if key[0] != "sweep"}
        with pytest.raises(NewerItemError):
            erase(asked(partition))
        if sort == "thread":
            assert stored.sort_keys(partition) == ["head", "thread"]
            continue
        for _ in range(2):
            clock.forward(_HOUR + 1)
            sweep()
        assert queue.taken() == []
        assert {key: item for key, item in held(left).items() if key[0] != "sweep"} == before
