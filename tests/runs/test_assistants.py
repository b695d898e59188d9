"""Assistants: create, list, retrieve, modify, delete. Whole responses are compared."""

import json
import math
from functools import partial
from typing import Any

import pytest

from tests.support import expected, fault_injection, stored
from tests.support.client import Client
from tests.support.expected_runs import DEFAULTS, assistant_object
from tests.support.fault_injection import Fault
from tests.support.runs import WEATHER, Runs

EVERYTHING: dict[str, Any] = {
    "name": "Weather",
    "description": "Knows the weather.",
    "model": "gpt-4o",
    "instructions": "Be brief. ❄",
    "tools": [WEATHER, {"type": "code_interpreter"}, {"type": "file_search", "file_search": {"max_num_results": 3}}],
    "top_p": 0.5,
    "temperature": 0.25,
    "reasoning_effort": "low",
    "tool_resources": {"file_search": {"vector_store_ids": ["vs_1"]}},
    "metadata": {"b": "2", "a": "1"},
    "response_format": {"type": "json_schema", "json_schema": {"name": "weather", "schema": {"type": "object"}}},
}


def created(runs: Runs, **body: Any) -> dict[str, Any]:
    return runs.create("create_assistant", body={"model": "gpt-4o", **body})


def no_assistant(assistant_id: str) -> dict[str, Any]:
    return expected.error(f"No assistant found with id '{assistant_id}'.")


def test_an_assistant_comes_back_as_it_was_given(runs: Runs) -> None:
    whole = runs.call("create_assistant", body=EVERYTHING)
    bare = created(runs)

    assert whole.text == expected.compact(assistant_object(whole.body, EVERYTHING))
    assert bare == assistant_object(bare, {})
    assert runs.create("retrieve_assistant", whole.body["id"]) == whole.body
    assert runs.create("retrieve_assistant", bare["id"]) == bare


def test_null_means_absent_in_a_new_assistant(runs: Runs) -> None:
    nulls = dict.fromkeys(name for name in DEFAULTS if name != "model")

    found = created(runs, **nulls)

    assert found == assistant_object(found, {})


def test_a_modification_leaves_what_is_absent_and_null_sets_the_default(runs: Runs) -> None:
    found = runs.create("create_assistant", body=EVERYTHING)
    changes: dict[str, Any] = {
        "name": "Other",
        "tools": [],
        "temperature": None,
        "metadata": {"c": "3"},
        "response_format": None,
    }

    modified = runs.create("modify_assistant", found["id"], body=changes)

    fields = EVERYTHING | changes | {"temperature": 1.0, "response_format": "auto"}
    assert modified == assistant_object(found, fields)
    assert runs.create("retrieve_assistant", found["id"]) == modified
    assert runs.create("modify_assistant", found["id"], body={}) == modified


def test_a_deleted_assistant_is_gone_from_every_call(runs: Runs) -> None:
    found = created(runs)

    deleted = runs.create("delete_assistant", found["id"])

    assert deleted == {"id": found["id"], "object": "assistant.deleted", "deleted": True}
    calls = [
        runs.call("retrieve_assistant", found["id"]),
        runs.call("modify_assistant", found["id"], body={}),
        runs.call("delete_assistant", found["id"]),
        runs.call("create_run", runs.thread(), body={"assistant_id": found["id"]}),
        runs.call("create_thread_and_run", body={"assistant_id": found["id"]}),
    ]
    of_a_run = expected.no_assistant_to_run(found["id"])
    errors = [no_assistant(found["id"])] * 3 + [of_a_run] * 2
    assert [(call.status, call.body) for call in calls] == [(404, error) for error in errors]
    assert runs.create("list_assistants") == expected.page([])


def test_lists_page_both_ways_and_a_cursor_survives_its_assistant(runs: Runs) -> None:
    found = [created(runs, name=str(number)) for number in range(5)]
    newest_first = found[::-1]

    first = runs.create("list_assistants", query={"limit": 2})
    second = runs.create("list_assistants", query={"limit": 2, "after": first["last_id"]})
    back = runs.create("list_assistants", query={"limit": 2, "before": second["last_id"]})
    oldest = runs.create("list_assistants", query={"order": "asc", "limit": 2})
    runs.create("delete_assistant", first["last_id"])
    again = runs.create("list_assistants", query={"limit": 2, "after": first["last_id"]})

    assert first == expected.page(newest_first[:2], has_more=True)
    assert second == again == expected.page(newest_first[2:4], has_more=True)
    assert back == expected.page(newest_first[1:3], has_more=True)
    assert oldest == expected.page(found[:2], has_more=True)
    end = {"after": found[0]["id"]}
    assert runs.create("list_assistants", query=end) == expected.page([])


def test_a_large_assistant_is_stored_in_chunks_and_its_old_chunks_are_not_read(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shared.store import items

    monkeypatch.setattr(items, "_INLINE_BYTES", 100)
    monkeypatch.setattr(items, "_CHUNK_BYTES", 50)
    instructions = "".join(chr(0x4E00 + number * 7 % 20_000) for number in range(2_000))

    found = created(runs, instructions=instructions)
    modified = runs.create("modify_assistant", found["id"], body={"name": "x"})

    assert found == assistant_object(found, {"instructions": instructions})
    assert modified == assistant_object(found, {"instructions": instructions, "name": "x"})
    assert runs.create("list_assistants") == expected.page([modified])


def test_an_assistant_of_another_project_does_not_exist(runs: Runs) -> None:
    found = created(runs)
    stranger = Runs(Client())

    assert stranger.call("retrieve_assistant", found["id"]).status == 404
    assert stranger.create("list_assistants") == expected.page([])


def tool(**function: Any) -> list[dict[str, Any]]:
    return [{"type": "function", "function": {"name": "f", **function}}]


REFUSALS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "no model": ({"model": None}, expected.wrong_type("model", "a string", "null")),
    "empty model": (
        {"model": ""},
        expected.error(
            "Invalid 'model': string too short. Expected a string with minimum length 1, "
            "but got a string with length 0 instead.",
            "model",
            "string_below_min_length",
        ),
    ),
    "long model": ({"model": "m" * 257}, expected.too_long("model", 256, 257)),
    "long name": ({"name": "n" * 257}, expected.too_long("name", 256, 257)),
    "long description": ({"description": "d" * 513}, expected.too_long("description", 512, 513)),
    "long instructions": ({"instructions": "i" * 256_001}, expected.too_long("instructions", 256_000, 256_001)),
    "many tools": ({"tools": tool() * 129}, expected.too_many("tools", 128, 129)),
    "unknown tool": (
        {"tools": [{"type": "web"}]},
        expected.unsupported("tools[0].type", "web", "'function', 'code_interpreter' and 'file_search'"),
    ),
    "tool without type": ({"tools": [{}]}, expected.missing("tools[0].type")),
    "function without name": (
        {"tools": [{"type": "function", "function": {}}]},
        expected.missing("tools[0].function.name"),
    ),
    "function name": (
        {"tools": tool(name="get weather")},
        expected.invalid(
            "tools[0].function.name",
            "string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.",
        ),
    ),
    "long function name": ({"tools": tool(name="f" * 65)}, expected.too_long("tools[0].function.name", 64, 65)),
    "long function description": (
        {"tools": tool(description="d" * 1_025)},
        expected.too_long("tools[0].function.description", 1_024, 1_025),
    ),
    "parameters": (
        {"tools": tool(parameters=[])},
        expected.wrong_type("tools[0].function.parameters", "an object", "an array"),
    ),
    "surrogate in parameters": (
        {"tools": tool(parameters={"a": ["\ud800"]})},
        expected.surrogate("tools[0].function.parameters"),
    ),
    "unknown field of a function": ({"tools": tool(function=1)}, expected.unknown("tools[0].function.function")),
    "strict": ({"tools": tool(strict="yes")}, expected.wrong_type("tools[0].function.strict", "a boolean", "a string")),
    "hot": (
        {"temperature": 2.5},
        expected.error(
            "Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got 2.5 instead.",
            "temperature",
            "decimal_above_max_value",
        ),
    ),
    "top_p": ({"top_p": -1}, expected.below("top_p", "decimal", 0, -1)),
    "top_p that no double can hold": ({"top_p": -(10**400)}, expected.below("top_p", "decimal", 0, float("-inf"))),
    "effort": (
        {"reasoning_effort": "most"},
        expected.unsupported(
            "reasoning_effort", "most", "'none', 'minimal', 'low', 'medium', 'high', 'xhigh' and 'max'"
        ),
    ),
    "format": (
        {"response_format": {"type": "xml"}},
        expected.unsupported("response_format.type", "xml", "'text', 'json_object' and 'json_schema'"),
    ),
    "format by name": ({"response_format": "json"}, expected.unsupported("response_format", "json", "'auto'")),
    "format of another type": (
        {"response_format": 1},
        expected.wrong_type("response_format", "a string or an object", "an integer"),
    ),
    "too large together": (
        {
            "tools": tool(parameters={"a": "x" * 200_000}),
            "response_format": {"type": "json_schema", "json_schema": {"a": "x" * 70_000}},
        },
        expected.error(
            "The tools, tool_resources and response_format are larger than 262144 bytes together.",
            None,
            "request_too_large",
        ),
    ),
    "unknown field": ({"file_ids": []}, expected.unknown("file_ids")),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_breaks_a_rule_is_refused_and_leaves_nothing(runs: Runs, case: str) -> None:
    change, error = REFUSALS[case]
    status = 413 if error["error"]["code"] == "request_too_large" else 400
    found = created(runs)

    create = runs.call("create_assistant", body={"model": "gpt-4o"} | change)
    modify = runs.call("modify_assistant", found["id"], body=change)

    assert [(answer.status, answer.body) for answer in (create, modify)] == [(status, error)] * 2
    assert runs.create("list_assistants") == expected.page([found])


def test_blanks_that_nobody_sent_do_not_count_to_the_size_of_tools(runs: Runs) -> None:
    """With blanks between the numbers, these tools would be larger than 256 KB."""
    tools = tool(parameters={"a": [1] * 100_000})

    assert created(runs, tools=tools)["tools"] == tools


def test_a_wrong_body_is_named_before_an_assistant_that_does_not_exist(runs: Runs) -> None:
    answer = runs.call("modify_assistant", "asst_none", body={"x": 1})

    assert (answer.status, answer.body) == (400, expected.unknown("x"))


@pytest.mark.parametrize(
    ("param", "change"),
    [
        ("tools[0].function.parameters", {"tools": tool(parameters={"a": [math.inf]})}),
        (
            "response_format.json_schema",
            {"response_format": {"type": "json_schema", "json_schema": {"schema": {"a": -math.inf}}}},
        ),
        ("tools[0].file_search", {"tools": [{"type": "file_search", "file_search": {"a": math.inf}}]}),
        ("tool_resources", {"tool_resources": {"a": math.inf}}),
    ],
)
def test_a_number_too_large_for_any_reader_is_refused(runs: Runs, param: str, change: dict[str, Any]) -> None:
    body = json.dumps({"model": "gpt-4o"} | change).replace("Infinity", "1e999")

    answer = runs.call("create_assistant", body=body)

    assert (answer.status, answer.body) == (400, expected.invalid(param, "it contains a number that is too large."))
    assert runs.create("list_assistants") == expected.page([])


def test_a_page_ends_where_a_response_would_be_too_long(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    from shared.store import pages

    found = [created(runs, instructions=f"{number}" * 3_000) for number in range(3)]
    monkeypatch.setattr(pages, "PAGE_BYTES", 9_000)

    assert runs.create("list_assistants") == expected.page(found[:0:-1], has_more=True)
    assert runs.create("list_assistants", query={"after": found[1]["id"]}) == expected.page(found[:1])
    monkeypatch.setattr(pages, "PAGE_BYTES", 1)
    assert runs.create("list_assistants") == expected.page(found[2:], has_more=True)


def test_a_cursor_that_is_not_known_is_named(runs: Runs) -> None:
    answer = runs.call("list_assistants", query={"after": "asst_unknown"})

    assert (answer.status, answer.body) == (404, no_assistant("asst_unknown"))


def test_nothing_lies_between_cursors_in_the_wrong_order(runs: Runs) -> None:
    first, second = created(runs), created(runs)

    query = {"order": "asc", "after": second["id"], "before": first["id"]}
    assert runs.create("list_assistants", query=query) == expected.page([])


def test_a_list_goes_on_behind_assistants_that_are_deleted_while_it_is_read(runs: Runs) -> None:
    oldest, *others = (created(runs) for _ in range(3))

    def delete() -> None:
        for other in others:
            runs.create("delete_assistant", other["id"])

    with fault_injection.inject(Fault("Query", fault_injection.after(delete))):
        assert runs.create("list_assistants", query={"limit": 2}) == expected.page([oldest])


def test_of_two_modifications_at_once_neither_is_lost(runs: Runs) -> None:
    found = created(runs)
    modify = partial(runs.create, "modify_assistant", found["id"], body={"name": "first"})

    with fault_injection.inject(Fault("TransactWriteItems", fault_injection.before(modify))):
        modified = runs.create("modify_assistant", found["id"], body={"description": "second"})

    assert modified == assistant_object(found, {"name": "first", "description": "second"})
    assert runs.create("retrieve_assistant", found["id"]) == modified


def test_of_two_deletions_at_once_the_second_finds_nothing(runs: Runs) -> None:
    found = created(runs)
    delete = partial(runs.create, "delete_assistant", found["id"])

    with fault_injection.inject(Fault("TransactWriteItems", fault_injection.before(delete))):
        answer = runs.call("delete_assistant", found["id"])

    assert (answer.status, answer.body) == (404, no_assistant(found["id"]))


def test_an_assistant_whose_chunks_are_replaced_while_it_is_read_is_shown_whole(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shared.store import items

    monkeypatch.setattr(items, "_INLINE_BYTES", 100)
    found = created(runs, instructions="".join(f"{number:x}" for number in range(1_000)))
    partition = f"{runs.client.project}#assistants"
    old = stored.sort_keys(partition, f"part#{found['id']}")

    def replace() -> None:
        runs.create("modify_assistant", found["id"], body={"name": "x"})
        stored.remove(partition, *old)

    with fault_injection.inject(Fault("GetItem", fault_injection.after(replace), at=1)):
        shown = runs.create("retrieve_assistant", found["id"])

    assert shown == found | {"name": "x"}


def test_a_malformed_id_is_named(anybody: Client) -> None:
    runs = Runs(anybody)
    answers = [runs.call(f"{verb}_assistant", "thread_1", body={}) for verb in ("retrieve", "modify", "delete")]
    answers.append(runs.call("list_assistants", query={"after": "x"}))

    of_path, of_query = (
        expected.malformed_id("assistant_id", "thread_1", "asst"),
        expected.malformed_id("after", "x", "asst"),
    )
    assert [answer.body for answer in answers] == [of_path] * 3 + [of_query]
