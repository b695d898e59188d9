"""`check` and `repair` find what a restore may leave of a transaction. After the repair every operation works.

The tests run on moto, because they damage the data, not the engine.
"""

import base64
import itertools
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from click.testing import Result

from shared.runs.records import ACTIVE, Outcome, ToolCall
from tests.support import expected, fault_injection, imported, program, stored
from tests.support.client import Client
from tests.support.clock import Clock
from tests.support.event_sources import asked, erase
from tests.support.fault_injection import Attempt, Fault
from tests.support.invariants import check_assistants, check_project
from tests.support.runs import WEATHER, Runs

_LARGE = expected.ROLE_USER | {"content": "".join(chr(0x4E00 + number * 7919 % 20_000) for number in range(1_000))}
_RUN = {"role": "assistant", "content": "hi", "run_id": "run_1"}
_ONCE = {"idempotency-key": "once"}
_LONG = _LARGE["content"]
_FOREIGN = ["msg_abc123", "msg_abc12"]

pytestmark = pytest.mark.usefixtures("tidy", "clock")


@pytest.fixture
def client(in_memory: None, monkeypatch: pytest.MonkeyPatch) -> Client:
    """Return a client. A content of 1,000 characters is stored in parts."""
    from shared.store import items

    monkeypatch.setattr(items, "_INLINE_BYTES", 1_000)
    monkeypatch.setattr(items, "_CHUNK_BYTES", 2_000)
    return Client(trusted=True)


def repair(*arguments: str, **options: str) -> Result:
    return program.invoke("repair", "--table", "message-api-Table", *arguments, **options)


def check() -> Result:
    return program.invoke("check", "--table", "message-api-Table")


def repaired() -> list[str]:
    """Repair until a walk finds no problems. Return the printed lines."""
    result = repair("--yes")
    *problems, summary = result.output.splitlines()
    assert result.exit_code == 0, result.output
    assert summary.endswith(f" items read, {len(problems)} problems, {len(problems)} repaired")
    return problems


def use(client: Client, *, check: Callable[[str], None] = check_project) -> None:
    """Use all objects of the project. No response may be a 5xx."""
    check(client.project)
    check_assistants(client.project)
    assistant_id = Runs(client).assistant()
    for thread in client.create("list_threads")["data"]:
        thread_id = thread["id"]
        assert client.create("retrieve_thread", thread_id) == thread
        for message in client.page(thread_id, limit=100)["data"]:
            assert client.create("retrieve_message", thread_id, message["id"]) == message
        _use_runs(client, thread_id, assistant_id)
        new = client.message(thread_id, "after the repair")
        assert client.page(thread_id, limit=1)["data"] == [new]
        client.create("modify_thread", thread_id, body={"metadata": {"user_id": "other"}})
    listed = client.create("list_threads", query={"metadata[user_id]": "other"})["data"]
    assert listed == client.create("list_threads")["data"]
    for assistant in Runs(client).create("list_assistants")["data"]:
        assert Runs(client).create("retrieve_assistant", assistant["id"]) == assistant
    check(client.project)


def _use_runs(client: Client, thread_id: str, assistant_id: str) -> None:
    """Read all runs of a thread and their steps, end the active one, and run the thread once more."""
    runs = Runs(client)
    for run in runs.create("list_runs", thread_id, query={"limit": 100})["data"]:
        assert runs.read(run) == run
        steps = runs.steps(run)
        assert [runs.create("retrieve_run_step", thread_id, run["id"], step["id"]) for step in steps] == steps
        if run["status"] in ACTIVE:
            runs.create("cancel_run", thread_id, run["id"])
            assert runs.read(run)["status"] == "cancelled"
    new = runs.run(thread_id, assistant_id)
    answer(client, new, Outcome("completed", "answered"))
    assert client.page(thread_id, limit=1)["data"][0]["content"] == [expected.text("answered")]


def answer(client: Client, run: dict[str, Any], outcome: Outcome) -> dict[str, Any]:
    """Let the worker take a run and store an outcome. Return the run's new state."""
    from shared.runs.store import lifecycle, runs

    partition = f"{client.project}#{run['thread_id']}"
    if Runs(client).read(run)["status"] == "queued":
        assert lifecycle.claim(partition, run["id"], "attempt")
    assert lifecycle.finish(client.project, runs.retrieve(client.project, run["thread_id"], run["id"]), outcome)
    return Runs(client).read(run)


def with_runs(client: Client) -> str:
    """Create a thread with a run that has every kind of item, and a run that waits. Return its partition."""
    waiting = waits(client)
    return f"{client.project}#{waiting['thread_id']}"


def waits(client: Client) -> dict[str, Any]:
    """Create a thread with a run that has every kind of item, and a run that waits. Return the run that waits."""
    runs = Runs(client)
    thread_id, assistant_id = runs.thread(), runs.assistant(instructions=_LONG, tools=[WEATHER])
    done = runs.run(thread_id, assistant_id)
    answer(client, done, Outcome("requires_action", "I look it up.", calls=(_call("call_1", _LONG),)))
    assert runs.submit(done, {"call_1": _LONG}).status == 200
    answer(client, done, Outcome("completed", "Sunny."))
    waiting = runs.run(thread_id, assistant_id)
    answer(client, waiting, Outcome("requires_action", calls=(_call("call_2", _LONG),)))
    return waiting


def _call(call_id: str, arguments: str = "{}") -> ToolCall:
    return ToolCall(call_id, "get_weather", arguments)


def full(client: Client) -> str:
    """Create a thread with an item of every kind. Return its partition."""
    thread_id = client.thread(metadata={"user_id": "u"}, messages=[expected.ROLE_USER])
    client.create("create_message", thread_id, body=_LARGE)
    client.create("create_message", thread_id, body=_RUN, headers=_ONCE)
    return f"{client.project}#{thread_id}"


def cut(kept: tuple[bool, ...]) -> Fault:
    """Write only these parts of a transaction. Respond to its caller as if all were written."""
    calls = {"Put": "put_item", "Update": "update_item", "Delete": "delete_item"}

    def effect(attempt: Attempt) -> fault_injection.Outcome:
        from shared.store import table

        entries = itertools.compress(attempt.request["TransactItems"], kept)
        for kind, part in (found for entry in entries for found in entry.items()):
            fault_injection._undisturbed(partial(getattr(table.client(), calls[kind]), **_with_bytes(part)))
        return attempt.answer(200, {})

    return Fault("TransactWriteItems", effect)


def _with_bytes(part: dict[str, Any]) -> dict[str, Any]:
    """Return a part of a transaction for botocore. Binary values, which were sent as text, are bytes again."""
    item = {
        name: {"B": base64.b64decode(value["B"])} if "B" in value else value
        for name, value in part.get("Item", {}).items()
    }
    return part | ({"Item": item} if item else {})


def cuts(parts: int) -> Iterator[tuple[bool, ...]]:
    """Yield every way to cut a transaction of `parts` parts in two that sets one part apart."""
    for kept in itertools.product((True, False), repeat=parts):
        if sum(kept) in (1, parts - 1):
            yield kept


def test_a_table_that_only_operations_have_written_has_no_problems(client: Client, clock: Clock) -> None:
    partition = full(client)
    client.create("delete_thread", client.thread(metadata={"user_id": "u"}))
    for message in client.page(partition.partition("#")[2])["data"][:2]:
        client.create("delete_message", partition.partition("#")[2], message["id"])
    stored.remove(partition, "part#")
    runs = Runs(client)
    waiting = waits(client)
    abandoned = runs.run(runs.thread(), runs.assistant())
    once = runs.create("create_run", runs.thread(), body={"assistant_id": waiting["assistant_id"]}, headers=_ONCE)
    deleted = runs.assistant(instructions=_LONG)
    runs.create("delete_assistant", deleted)
    stored.remove(f"{client.project}#assistants", f"part#{deleted}")
    clock.forward(601)
    runs.run(abandoned["thread_id"], abandoned["assistant_id"])
    client.message(waiting["thread_id"], "an answer of another", role="assistant", run_id=waiting["id"])

    result = repair("--yes")

    assert result.exit_code == 0, result.output
    assert result.output.endswith(" items read, 0 problems, 0 repaired\n")
    assert runs.read(once)["status"] == "expired"
    # A message of a run. None of the run's steps names it.
    use(client, check=lambda _: None)


def test_a_create_that_was_cut_is_repaired(client: Client, clock: Clock) -> None:
    """The transaction has the head, the message, the entry of its run, and the marker of its key."""
    threads = {}
    for kept in cuts(4):
        thread_id = client.thread(messages=[expected.ROLE_USER])
        clock.forward(1)
        with fault_injection.inject(cut(kept)):
            client.create("create_message", thread_id, body=_RUN, headers=_ONCE)
        threads[kept] = thread_id

    repaired()

    for (head, message, _run, _memory), thread_id in threads.items():
        again = client.call("create_message", thread_id, body=_RUN, headers=_ONCE)
        # A head that moved looks as if the message had been deleted since.
        assert message or head or "idempotent-replayed" not in again.headers
    use(client)


def test_a_create_of_parts_that_was_cut_is_repaired(client: Client, clock: Clock) -> None:
    """The transaction has the head, the message, and its two parts."""
    for kept in cuts(4):
        thread_id = client.thread(messages=[expected.ROLE_USER])
        clock.forward(1)
        with fault_injection.inject(cut(kept)) as attempts:
            client.create("create_message", thread_id, body=_LARGE)
        assert len(attempts.log[0][1]["TransactItems"]) == 4

    repaired()

    use(client)


def test_a_create_of_a_thread_that_was_cut_is_repaired(client: Client) -> None:
    """The transaction has the head, the message, the thread, and its two entries."""
    threads = {}
    body = {"metadata": {"user_id": "u"}, "messages": [expected.ROLE_USER]}
    for kept in cuts(5):
        with fault_injection.inject(cut(kept)):
            threads[kept] = client.create("create_thread", body=body)["id"]

    repaired()

    for kept, thread_id in threads.items():
        # A message or a head alone becomes a thread. Items that only name the thread are removed.
        assert (client.call("retrieve_thread", thread_id).status == 200) == (kept[0] or kept[1]), kept
    use(client)


def test_a_thread_that_was_moved_by_half_is_repaired(client: Client) -> None:
    """The transaction has the thread, its old entry, and its new entry."""
    threads = []
    for kept in cuts(3):
        threads.append(client.thread(metadata={"user_id": "u"}))
        with fault_injection.inject(cut(kept)):
            client.create("modify_thread", threads[-1], body={"metadata": {"user_id": "v"}})

    problems = repaired()

    assert len(problems) >= len(threads)
    for value in "uv":
        found = client.create("list_threads", query={"metadata[user_id]": value})["data"]
        has = [client.create("retrieve_thread", thread)["metadata"]["user_id"] == value for thread in threads]
        assert {thread["id"] for thread in found} == {*itertools.compress(threads, has)}
    use(client)


def test_a_message_that_was_deleted_by_half_is_repaired(client: Client) -> None:
    """The transaction has the message and the entry of its run."""
    messages = {}
    for kept in cuts(2):
        thread_id = client.thread()
        messages[kept] = (thread_id, client.create("create_message", thread_id, body=_RUN)["id"])
        with fault_injection.inject(cut(kept)):
            client.create("delete_message", *messages[kept])

    assert len(repaired()) == 2

    for (is_deleted, _), (thread_id, message_id) in messages.items():
        found = client.page(thread_id, run_id="run_1")["data"]
        assert [message["id"] for message in found] == [message_id] * (not is_deleted)
    use(client)


def test_an_erasure_that_was_cut_in_its_last_step_leaves_nothing(client: Client) -> None:
    """The last step has the head, its two entries, and the thread. The thread stays deleted, whichever are restored."""
    partitions = []
    for kept in cuts(4):
        thread_id = client.thread(metadata={"user_id": "u"}, messages=[expected.ROLE_USER])
        partitions.append(f"{client.project}#{thread_id}")
        client.create("delete_thread", thread_id)
        with fault_injection.inject(cut(kept)):
            erase(asked(partitions[-1]))

    repaired()
    erase(*map(asked, partitions))

    assert [stored.sort_keys(partition) for partition in partitions] == [[]] * len(partitions)
    assert client.create("list_threads")["data"] == []
    use(client)


_FIRST = ("head", "thread", "msg_", "run#", "run_", "step#", "output#", "part#run_", "part#step#", "part#output#")
# A thread with runs has several items of some kinds. The last of these belongs to the answer or to the run that waits.
_LAST = ("msg_", "run_", "step#", "part#run_", "part#step#")


@pytest.mark.parametrize(
    ("make", "lost", "told_nothing"),
    [
        (full, [(kind, -1) for kind in ("head", "thread", "msg_", "part#", "run#", "once#")], ("once#", -1)),
        (with_runs, [*((kind, 0) for kind in _FIRST), *((kind, -1) for kind in _LAST)], ("msg_", 0)),
    ],
    ids=["of messages", "of runs"],
)
def test_whatever_single_item_is_lost_every_operation_works_after_the_repair(
    client: Client,
    make: Callable[[Client], str],
    lost: list[tuple[str, int]],
    told_nothing: tuple[str, int],
) -> None:
    """Each thread lacks the first or the last item of one kind. A further thread is not in its list."""
    partitions = {item: make(client) for item in lost}
    for (kind, place), partition in partitions.items():
        stored.remove(partition, stored.sort_keys(partition, kind)[place])
    unlisted = make(client)
    stored.remove(f"{client.project}#threads", unlisted[-26:])

    threads = {unlisted, *partitions.values()}
    told = {line.partition(": ")[0] for line in repaired()}
    assert told & threads == threads - {partitions[told_nothing]}
    assert len(client.create("list_threads")["data"]) == len(threads)
    use(client)


def test_a_message_whose_content_is_lost_is_removed_and_the_others_stay(client: Client) -> None:
    partition = full(client)
    thread_id = partition.partition("#")[2]
    (lost,) = {sort.split("#")[1] for sort in stored.sort_keys(partition, "part#")}
    stored.remove(partition, stored.sort_keys(partition, "part#")[0])

    assert repaired() == [f"{partition}: has lost chunks of {lost}, which nobody can read"]

    assert lost not in [message["id"] for message in client.page(thread_id)["data"]]
    assert len(client.page(thread_id)["data"]) == 2
    use(client)


@pytest.mark.parametrize("lost", [["alias#"], ["head"], ["thread"], ["head", "thread"]], ids=str)
def test_imported_threads_are_found_again_by_their_own_ids(client: Client, lost: list[str]) -> None:
    imported.brought(client, imported.thread(), *(imported.message(message_id) for message_id in _FOREIGN))
    partition = f"{client.project}#{imported.THREAD}"
    before = client.page(imported.THREAD)
    assert check().output.endswith(" 0 problems\n")
    stored.remove(partition, *lost)

    repaired()

    assert client.page(imported.THREAD) == before
    assert [client.create("retrieve_message", imported.THREAD, message_id)["id"] for message_id in _FOREIGN] == _FOREIGN
    assert client.create("list_threads")["data"] == [client.create("retrieve_thread", imported.THREAD)]
    assert client.page(imported.THREAD, after=_FOREIGN[1], limit=1)["data"][0]["id"] == _FOREIGN[0]


def test_api_keys_and_their_list_go_together(client: Client) -> None:
    from shared.store import api_keys, keys

    lost, kept = Client(), Client()
    digest, unlisted = api_keys.hash_of(lost.secret), api_keys.hash_of(kept.secret)
    stored.remove(f"key#{digest}", "key")
    stored.remove(keys.API_KEYS, f"{kept.project}#")

    assert sorted(repaired()) == [
        f"key#{unlisted}: the API key {unlisted[:16]} is in no list",
        f"keys: lists the API key {digest[:16]}, which does not exist",
    ]
    listed = {key.project for key in api_keys.list_keys()}
    assert kept.project in listed
    assert lost.project not in listed


def test_a_check_changes_nothing_and_its_exit_code_says_that_there_are_problems(client: Client) -> None:
    partition = full(client)
    stored.remove(partition, "run#")
    before = stored.sort_keys(partition)

    result = check()

    assert result.exit_code == 1
    assert result.output.endswith(" 1 problems\n")
    assert stored.sort_keys(partition) == before


def test_a_repair_asks_and_does_nothing_without_a_yes(client: Client) -> None:
    partition = full(client)
    stored.remove(partition, "run#")
    before = stored.sort_keys(partition)

    refused = repair(stdin="n\n")

    assert (refused.exit_code, refused.stderr) == (1, "Aborted!\n")
    assert refused.stdout.endswith("Repair 1 of 1 problems? [y/N]: n\n")
    assert stored.sort_keys(partition) == before
    assert repair(stdin="y\n").exit_code == 0
    assert len(stored.sort_keys(partition)) == len(before) + 1


def test_what_a_later_version_wrote_is_told_and_left_alone(client: Client) -> None:
    from shared.store import keys

    damaged = {full(client): ("head", "run#"), f"{client.project}#assistants": (Runs(client).assistant(), "list#")}
    for listing in (keys.API_KEYS, keys.threads_partitions(client.project, 4)[0]):
        stored.change(listing, f"{client.project}#none", thread={"S": "thread_none"})
        damaged[listing] = (f"{client.project}#none", "nothing")
    for partition, (later, lost) in damaged.items():
        stored.change(partition, later, v={"N": "99"})
        stored.remove(partition, lost)
    before = [*map(stored.sort_keys, damaged)]

    result = repair("--yes")

    assert result.exit_code == 1
    assert all(f"{partition}: was written by a later version" in result.output for partition in damaged)
    assert [*map(stored.sort_keys, damaged)] == before


def test_a_thread_that_a_later_version_lists_in_its_own_way_stays_in_its_lists(client: Client) -> None:
    partition = full(client)
    lists = [entry["S"] for entry in stored.item(partition, "thread")["entries"]["L"]]
    stored.change(partition, "thread", v={"N": "99"}, entries={"L": [{"S": "elsewhere"}]})
    before = [*map(stored.sort_keys, lists)]

    assert repair("--yes").exit_code == 1
    assert [*map(stored.sort_keys, lists)] == before


def test_what_changes_meanwhile_is_left_to_the_next_run(client: Client) -> None:
    partition = full(client)
    thread_id = partition.partition("#")[2]
    last = stored.sort_keys(partition, "msg_")[-1]
    stored.change(partition, "head", lastUlid={"S": stored.sort_keys(partition, "msg_")[0][4:]})
    beside = fault_injection.before(lambda: stored.change(partition, "head", lastUlid={"S": last[4:]}))
    with fault_injection.inject(Fault("TransactWriteItems", beside)):
        result = repair("--yes")

    assert result.exit_code == 1
    assert stored.item(partition, "head")["lastUlid"] == {"S": last[4:]}
    assert client.call("retrieve_thread", thread_id).status == 200


def test_a_create_of_a_run_that_was_cut_is_repaired(client: Client, clock: Clock) -> None:
    """The transaction has the head, the run, the message, and the marker."""
    runs = Runs(client)
    body = {"assistant_id": runs.assistant(), "additional_messages": [expected.ROLE_USER]}
    created = {}
    for kept in cuts(4):
        thread_id = runs.thread()
        clock.forward(1)  # so that its ids are above those of the thread
        with fault_injection.inject(cut(kept)):
            created[kept] = runs.create("create_run", thread_id, body=body, headers=_ONCE)

    repaired()

    for kept, run in created.items():
        listed = [found["id"] for found in runs.create("list_runs", run["thread_id"])["data"]]
        assert listed == [run["id"]] * kept[1], kept
        again = runs.call("create_run", run["thread_id"], body=body, headers=_ONCE)
        assert again.status == (400 if kept[1] and not kept[3] else 200), kept
    use(client)


def test_an_answer_that_was_cut_is_repaired(client: Client, clock: Clock) -> None:
    """The transaction has the head, the run, the message, its entry, and the step."""
    runs = Runs(client)
    assistant_id = runs.assistant()
    answered = {}
    for kept in cuts(5):
        answered[kept] = runs.run(runs.thread(), assistant_id)
        clock.forward(1)
        with fault_injection.inject(cut(kept)):
            answer(client, answered[kept], Outcome("completed", "Hello"))

    told = repaired()

    lost = [run["id"] for kept, run in answered.items() if kept == (False, True, False, False, False)]
    assert [line.rpartition(" ")[2] for line in told if "has lost the newest message of" in line] == lost
    for kept, run in answered.items():
        assert runs.read(run)["status"] == ("completed" if kept[1] else "in_progress"), kept
        answers = [shown["id"] for shown in client.page(run["thread_id"])["data"] if shown["run_id"] == run["id"]]
        assert len(answers) == kept[2], kept
        steps = runs.steps(run)
        assert len(steps) == (kept[4] or (kept[1] and kept[2])), kept
        for step in steps:
            assert [step["step_details"]["message_creation"]["message_id"]] == answers or not kept[2]
    # A message without its step, or a completed run without its answer, is what a cut may leave.
    use(client, check=lambda _: None)


def test_outputs_that_were_submitted_by_half_are_repaired(client: Client) -> None:
    """The transaction has the head, the run, the step, and the outputs. Missing outputs can be submitted again."""
    runs = Runs(client)
    assistant_id = runs.assistant(tools=[WEATHER])
    submitted = {}
    for kept in cuts(4):
        submitted[kept] = run = runs.run(runs.thread(), assistant_id)
        answer(client, run, Outcome("requires_action", calls=(_call("call_1"),)))
        with fault_injection.inject(cut(kept)):
            runs.submit(run, {"call_1": "sunny"})

    repaired()

    for kept, run in submitted.items():
        assert runs.read(run)["status"] == ("queued" if kept[1] else "requires_action"), kept
        if not kept[1]:
            assert runs.submit(run, {"call_1": "sunny"}).status == 200
        (step,) = runs.steps(run)
        is_kept = kept[3] or not kept[1]
        assert step["status"] == ("completed" if kept != (False, True, False, False) else "in_progress")
        assert step["step_details"]["tool_calls"][0]["function"]["output"] == ("sunny" if is_kept else None), kept
        answer(client, run, Outcome("completed", "Sunny."))
    use(client)


def test_a_run_that_was_cancelled_by_half_is_repaired(client: Client) -> None:
    """The transaction has the head and the run. The repair changes the head to match the run."""
    runs = Runs(client)
    assistant_id = runs.assistant()
    cancelled = {}
    for kept in cuts(2):
        cancelled[kept] = run = runs.run(runs.thread(), assistant_id)
        with fault_injection.inject(cut(kept)):
            runs.create("cancel_run", run["thread_id"], run["id"])

    assert sorted(repaired()) == sorted(
        f"{client.project}#{run['thread_id']}: has a head that does not know its newest run"
        for run in cancelled.values()
    )

    for kept, run in cancelled.items():
        assert runs.read(run)["status"] == ("cancelled" if kept[1] else "queued")
    use(client)


def test_a_run_whose_settings_are_lost_is_removed_and_its_messages_stay(client: Client) -> None:
    waiting = waits(client)
    thread_id = waiting["thread_id"]
    partition = f"{client.project}#{thread_id}"
    before = client.page(thread_id)
    stored.remove(partition, f"part#{waiting['id']}")

    assert repaired() == [
        f"{partition}: has lost the settings of {waiting['id']}, which nobody can read",
        f"{partition}: has a head that does not know its newest run",
    ]

    assert client.page(thread_id) == before
    assert waiting["id"] not in [run["id"] for run in Runs(client).create("list_runs", thread_id)["data"]]
    assert [sort for sort in stored.sort_keys(partition) if waiting["id"] in sort] == []
    use(client)


def test_a_run_whose_calls_are_lost_has_failed(client: Client) -> None:
    waiting = waits(client)
    stored.remove(f"{client.project}#{waiting['thread_id']}", f"part#step#{waiting['id']}")

    repaired()

    shown = Runs(client).read(waiting)
    assert (shown["status"], shown["required_action"], Runs(client).steps(waiting)) == ("failed", None, [])
    assert shown["last_error"] == {
        "code": "server_error",
        "message": "Part of this run was lost when its table was restored. Create another run.",
    }
    use(client)


def test_a_thread_that_only_has_runs_keeps_them_when_its_head_is_lost(client: Client) -> None:
    runs = Runs(client)
    run = runs.run(client.thread(), runs.assistant())
    partition = f"{client.project}#{run['thread_id']}"
    stored.remove(partition, "head", "thread")

    repaired()

    assert runs.read(run) == run
    use(client)


def test_assistants_and_their_list_go_together(client: Client) -> None:
    """The cases: an assistant, its entry or one of its chunks is missing; an edit has left a chunk."""
    runs = Runs(client)
    partition = f"{client.project}#assistants"
    gone, unlisted, broken, edited, kept = (runs.assistant(instructions=_LONG) for _ in range(5))
    (left,) = (stored.item(partition, sort) for sort in stored.sort_keys(partition, f"part#{edited}")[:1])
    runs.create("modify_assistant", edited, body={"instructions": _LONG[::-1]})
    stored.remove(partition, gone, f"list#{unlisted[5:]}", stored.sort_keys(partition, f"part#{broken}")[0])
    old = left["messageId"]["S"].rpartition("#")[0]
    chunks = len(stored.sort_keys(partition, f"part#{gone}")) + len(stored.sort_keys(partition, old))

    told = repaired()

    assert left["threadId"]["S"] == partition
    assert sorted(told) == sorted(
        f"{partition}: {text}"
        for text in (
            f"lists {gone}, which is not there",
            f"does not list {unlisted}",
            f"has lost content of {broken}, which nobody can read",
            f"has {chunks} chunks of no assistant",
        )
    )
    assert {found["id"] for found in runs.create("list_assistants")["data"]} == {unlisted, edited, kept}
    use(client)
