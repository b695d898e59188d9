"""Assistants: they are imported with their ids, and exported before the threads. Some are refused."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.promises.threads import incompressible
from tests.runs.test_assistants import EVERYTHING
from tests.support import expected, stored, stream
from tests.support.client import Client
from tests.support.event_sources import Queue, erase, queue_changes
from tests.support.expected import compact
from tests.support.expected_runs import DEFAULTS
from tests.support.imported import CREATED, THREAD, jsonl, message, thread
from tests.support.runs import WEATHER, Runs
from tests.transfer import commands


def assistant(own_id: str = "asst_abc123", created_at: int = CREATED, **fields: Any) -> dict[str, Any]:
    return {"id": own_id, "object": "assistant", "created_at": created_at, **DEFAULTS, **fields}


def run(client: Client, *objects: Any, options: tuple[str, ...] = ()) -> commands.Outcome:
    return commands.run(client, "import", *options, "-", stdin=jsonl(*objects))


def export(client: Client, file: Path, *options: str) -> str:
    code, said, errors = commands.run(client, "export", *options, file)
    assert (code, errors) == (0, "")
    return said


def listed(client: Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = Runs(client).create("list_assistants", query="order=asc&limit=100")["data"]
    return found


def test_assistants_keep_their_ids_times_and_order(client: Client) -> None:
    native = assistant("asst_01HEBKXB88ZZZZZZZZZZZZZZZZ", 1_699_049_549)
    found = [assistant("asst_z", **EVERYTHING), assistant("asst_a", name="a"), native]

    outcome = run(client, native, *found[:2], thread(), message("msg_a"))

    said = "imported 3 assistants, 1 threads with 1 messages, 0 assistants and 0 threads exist already, 0 refused\n"
    assert outcome == (0, said, "")
    assert listed(client) == found
    assert Runs(client).call("retrieve_assistant", "asst_z").text == compact(found[0])
    assert Runs(client).create("list_assistants", query="order=asc&after=asst_z")["data"] == found[1:]


def test_a_run_takes_an_imported_assistant(client: Client) -> None:
    assert run(client, assistant(instructions="Be brief."), thread(), message("msg_a"))[0] == 0

    created = Runs(client).run(THREAD, "asst_abc123")

    assert (created["assistant_id"], created["instructions"]) == ("asst_abc123", "Be brief.")


def test_a_deleted_assistant_that_is_imported_again_keeps_its_new_chunks(client: Client) -> None:
    large = assistant(instructions=incompressible(seed=1, length=160_000))
    queue = Queue()
    queue.taken()
    assert run(client, large)[0] == 0
    with stream.changes("QueueJobs") as records:
        Runs(client).create("delete_assistant", large["id"])

    assert run(client, large)[0] == 0
    queue_changes(*(one["dynamodb"] for one in records))
    erasures = queue.taken()
    assert len(erasures) == 1
    erase(*erasures)

    assert Runs(client).create("retrieve_assistant", large["id"]) == large
    assert len({sort.split("#")[2] for sort in stored.sort_keys(f"{client.project}#assistants", "part#")}) == 1


def test_an_assistant_that_exists_is_not_changed(client: Client) -> None:
    assert run(client, assistant(name="first"))[0] == 0

    again = run(client, assistant(name="second"), assistant("asst_new"))

    said = "imported 1 assistants, 0 threads with 0 messages, 1 assistants and 0 threads exist already, 0 refused\n"
    assert again == (0, said, "")
    assert listed(client) == [assistant(name="first"), assistant("asst_new")]


def test_a_page_saved_twice_is_imported_once_and_a_copy_that_differs_is_refused(client: Client) -> None:
    page = expected.page([assistant("asst_b", CREATED + 1), assistant()])

    code, said, errors = run(client, page, page, assistant(name="other"))

    assert (code, said.split(",")[0]) == (1, "imported 2 assistants")
    assert errors == "-:3: it differs from asst_abc123 in -:1: assistant 2, and only that one is imported\n"
    assert listed(client) == [assistant(), assistant("asst_b", CREATED + 1)]


def test_a_dry_run_counts_assistants_and_writes_none(client: Client) -> None:
    assert run(client, assistant())[0] == 0

    outcome = run(client, assistant(), assistant("asst_b"), options=("--dry-run",))

    said = "would import 1 assistants, 0 threads with 0 messages, 1 assistants and 0 threads exist already, 0 refused\n"
    assert outcome == (0, said, "")
    assert listed(client) == [assistant()]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (dict.fromkeys(name for name in DEFAULTS if name != "model"), {}),
        ({"file_ids": []}, {}),
        (
            {
                "file_ids": ["file_1"],
                "tools": [{"type": "code_interpreter", "name": None}, {"type": "retrieval", "function": None}, WEATHER],
            },
            {
                "tools": [{"type": "code_interpreter"}, {"type": "file_search"}, WEATHER],
                "tool_resources": {"code_interpreter": {"file_ids": ["file_1"]}},
            },
        ),
        (
            {"file_ids": ["file_1"], "tool_resources": {"code_interpreter": {"file_ids": ["file_2"]}}},
            {"tool_resources": {"code_interpreter": {"file_ids": ["file_2", "file_1"]}}},
        ),
    ],
)
def test_an_assistant_as_the_old_api_wrote_it_is_imported(
    client: Client, written: dict[str, Any], read: dict[str, Any]
) -> None:
    assert run(client, assistant() | written)[0::2] == (0, "")

    assert listed(client) == [assistant(**read)]


def test_what_this_api_does_not_have_is_left_out_and_named(client: Client) -> None:
    found = assistant(tools=[{"type": "browser"}, {"type": "file_search"}], deployment="d", note=None)

    code, said, errors = run(client, found)

    assert (code, said.split(",")[0]) == (1, "imported 1 assistants")
    assert errors == "-:1: asst_abc123 is imported without the field 'deployment', a tool 'browser'\n"
    assert listed(client) == [assistant(tools=[{"type": "file_search"}])]


def test_a_sampling_value_that_was_not_given_is_not_sent_to_the_model(client: Client) -> None:
    """The old API returned 1.0 for a value that was not given. Some models refuse a request with the parameter."""
    from shared.runs.store import assistants

    assert run(client, assistant(temperature=1, top_p=0.5))[0] == 0

    data = assistants.retrieve(client.project, "asst_abc123").data
    assert (data.temperature, data.top_p) == (None, 0.5)


REFUSED: list[tuple[dict[str, Any], str]] = [
    (assistant("abc"), "its id 'abc' is not 'asst_' followed by letters, digits, '_' and '-', 128 in all"),
    (
        assistant("asst_01HEBKXB88ZZZZZZZZZZZZZZZZ"),
        f"its created_at is {CREATED}, but the time in its id is 1699049549",
    ),
    (assistant(created_at=-1), "Invalid 'created_at': "),
    ({"object": "assistant", "created_at": CREATED, "model": "m"}, "Missing required parameter: 'id'."),
    (assistant(model=None), "Missing required parameter: 'model'."),
    (assistant(tools=7), "Invalid type for 'tools': expected an array, but got an integer instead."),
    (
        assistant(tools=[{"type": 7}]),
        "Invalid type for 'tools[0].type': expected a string, but got an integer instead.",
    ),
    (assistant(tools=[{"name": "f"}]), "Missing required parameter: 'tools[0].type'."),
    (assistant(tools=["function"]), "Invalid type for 'tools[0]': expected an object, but got a string instead."),
    (assistant(file_ids="x"), "Unknown parameter: 'file_ids'."),
    (assistant(file_ids=["f"], tool_resources={"code_interpreter": 7}), "Unknown parameter: 'file_ids'."),
    (assistant(file_ids=["f"], tool_resources={"code_interpreter": {"file_ids": 7}}), "Unknown parameter: 'file_ids'."),
    (assistant(temperature=True), "Invalid type for 'temperature': expected a number, but got a boolean instead."),
    (assistant(file_ids=["f"], tool_resources=7), "Invalid type for 'tool_resources': expected an object, but got"),
    (
        {"id": "step_1", "object": "thread.run.step"},
        "its 'object' is 'thread.run.step', and runs are not moved: see docs/migrate.md",
    ),
]


@pytest.mark.parametrize(("refused", "reason"), REFUSED, ids=range(len(REFUSED)))
def test_what_is_refused_names_its_place_and_the_rest_goes_in(
    client: Client, refused: dict[str, Any], reason: str
) -> None:
    code, said, errors = run(client, assistant("asst_good"), refused)

    assert (code, said[-12:]) == (1, ", 1 refused\n")
    assert errors.startswith(f"-:2: {reason}")
    assert listed(client) == [assistant("asst_good")]


def test_assistants_are_exported_before_the_threads_and_come_back_equal(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tools.transfer import exports

    monkeypatch.setattr(exports, "_AT_ONCE", 2)
    own = [assistant(f"asst_{number}", CREATED + number) for number in range(3)]
    run(client, *own, thread(), message("msg_a"))
    native = [Runs(client).create("create_assistant", body=EVERYTHING) for _ in range(3)]
    other, file, again = Client(), tmp_path / "out.jsonl", tmp_path / "again.jsonl"

    assert export(client, file, "--dry-run") == "would export 6 assistants, 1 threads with 1 messages\n"
    assert export(client, file) == "exported 6 assistants, 1 threads with 1 messages\n"

    assert file.read_bytes() == jsonl(*own, *native, thread(), message("msg_a"))
    assert commands.run(other, "import", file)[0] == 0
    export(other, again)
    assert again.read_bytes() == file.read_bytes()


def test_the_export_of_one_thread_has_no_assistants_and_no_other_thread(client: Client, tmp_path: Path) -> None:
    run(client, assistant(), thread(), message("msg_a"), thread("thread_other"))

    assert export(client, tmp_path / "one", "--thread", THREAD) == "exported 1 threads with 1 messages\n"
    dry = export(client, tmp_path / "two", "--thread", THREAD, "--dry-run")

    assert dry == "would export 1 threads with 1 messages\n"
    assert [*tmp_path.iterdir()] == [tmp_path / "one"]
    assert (tmp_path / "one").read_bytes() == jsonl(thread(), message("msg_a"))


@pytest.mark.parametrize("lines", range(6))
def test_an_export_that_was_killed_has_each_assistant_once(client: Client, tmp_path: Path, lines: int) -> None:
    whole = [assistant(), assistant("asst_b", CREATED + 1), thread(), message("msg_a"), thread("thread_b", CREATED + 1)]
    run(client, *whole)
    out = tmp_path / "out.jsonl"
    from tools.transfer import parts

    with suppress(commands.Killed), parts.part_of(out, None, commands.TABLE, client.project, None) as into:
        for line in whole[:lines]:
            into.add(compact(line))
        commands.die()

    export(client, out)

    assert out.read_bytes() == jsonl(*whole)
