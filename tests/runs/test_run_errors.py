"""The refusals of assistants and runs: each row of the contract's table. Whole responses are compared."""

import json
import random
from typing import Any

import pytest

from tests.support import chat_stub, expected
from tests.support.chat_stub import Chat, calls
from tests.support.client import Answer, Client, invoke
from tests.support.runs import ASSISTANT, WEATHER, Runs, waiting

ELSEWHERE = "run_01ARZ3NDEKTSV4RRFFQ69G5FAV"


def test_what_does_not_exist_is_named(runs: Runs) -> None:
    thread_id, other = runs.thread(), runs.thread()
    run = runs.run(thread_id, runs.assistant())
    no_assistant, no_thread = expected.no_assistant_to_run("asst_none"), expected.no_thread("thread_none")
    no_run = expected.error(f"No run found with id '{run['id']}'.")
    no_step = expected.error("No run step found with id 'step_none'.")
    errors: dict[tuple[str, ...], tuple[Any, dict[str, Any]]] = {
        ("create_run", thread_id): ({"assistant_id": "asst_none"}, no_assistant),
        ("create_run", "thread_none"): ({"assistant_id": "asst_none"}, no_thread),
        ("create_thread_and_run",): ({"assistant_id": "asst_none"}, no_assistant),
        ("retrieve_run", other, run["id"]): (None, no_run),
        ("modify_run", other, run["id"]): ({}, no_run),
        ("cancel_run", other, run["id"]): (None, no_run),
        ("submit_tool_outputs", other, run["id"]): ({"tool_outputs": []}, no_run),
        ("list_run_steps", other, run["id"]): (None, no_run),
        ("retrieve_run_step", other, run["id"], "step_1"): (None, no_run),
        ("retrieve_run_step", thread_id, run["id"], "step_none"): (None, no_step),
        ("list_runs", "thread_none"): (None, no_thread),
    }
    for call, (body, error) in errors.items():
        answer = runs.call(*call, body=body)
        assert (answer.status, answer.body) == (404, error), call


def test_a_thread_or_run_that_does_not_exist_is_named_before_a_cursor(runs: Runs) -> None:
    thread_id = runs.thread()
    errors: dict[tuple[str, ...], tuple[str, dict[str, Any]]] = {
        ("list_runs", "thread_none"): ("run_none", expected.no_thread("thread_none")),
        ("list_runs", thread_id): ("run_none", expected.error("No run found with id 'run_none'.")),
        ("list_run_steps", thread_id, ELSEWHERE): ("step_none", expected.error(f"No run found with id '{ELSEWHERE}'.")),
    }
    for call, (cursor, error) in errors.items():
        answer = runs.call(*call, query={"after": cursor})
        assert (answer.status, answer.body) == (404, error), call


def test_malformed_ids_are_named(runs: Runs) -> None:
    thread_id = runs.thread()
    found = {
        ("create_run", thread_id): ("assistant_id", "x", "asst", {"assistant_id": "x"}),
        ("create_thread_and_run",): ("assistant_id", "", "asst", {"assistant_id": ""}),
        ("create_run", "x"): ("thread_id", "x", "thread", {}),
        ("retrieve_run", thread_id, "x"): ("run_id", "x", "run", None),
        ("cancel_run", thread_id, "thread_1"): ("run_id", "thread_1", "run", None),
        ("retrieve_run_step", thread_id, "run_1", "run_1"): ("step_id", "run_1", "step", None),
    }
    for call, (param, value, prefix, body) in found.items():
        answer = runs.call(*call, body=body)
        assert (answer.status, answer.body) == (400, expected.malformed_id(param, value, prefix)), call


def test_a_thread_has_one_active_run_and_takes_no_messages_meanwhile(runs: Runs) -> None:
    thread_id, assistant_id = runs.thread(), runs.assistant()
    run = runs.run(thread_id, assistant_id)

    again = runs.call("create_run", thread_id, body={"assistant_id": assistant_id, "additional_messages": [USER]})
    message = runs.client.call("create_message", thread_id, body=USER)

    active = f"Thread {thread_id} already has an active run {run['id']}."
    assert (again.status, again.body) == (400, expected.error(active))
    locked = f"Can't add messages to {thread_id} while a run {run['id']} is active."
    assert (message.status, message.body) == (400, expected.error(locked))
    assert len(runs.client.page(thread_id)["data"]) == 1


USER = {"role": "user", "content": "hello"}
NOTHING = expected.error(
    "Run creation requires a Thread with a user message or an assistant with instructions.", code="invalid_thread"
)


def test_a_run_needs_instructions_or_a_thread_that_had_a_message(runs: Runs) -> None:
    silent = runs.assistant(instructions=None)
    empty, emptied = runs.client.thread(), runs.thread()
    runs.client.create("delete_message", emptied, runs.client.page(emptied)["data"][0]["id"])

    assert runs.call("create_run", empty, body={"assistant_id": silent}).body == NOTHING
    assert runs.call("create_thread_and_run", body={"assistant_id": silent}).body == NOTHING
    assert runs.call("create_thread_and_run", body={"assistant_id": silent, "thread": {}}).body == NOTHING
    accepted = [
        runs.call("create_run", emptied, body={"assistant_id": silent}),
        runs.call("create_run", runs.client.thread(), body={"assistant_id": silent, "additional_messages": [USER]}),
        runs.call("create_run", runs.client.thread(), body={"assistant_id": silent, "instructions": "Go."}),
        runs.call("create_run", runs.client.thread(), body={"assistant_id": silent, "additional_instructions": "Go."}),
        runs.call("create_thread_and_run", body={"assistant_id": silent, "thread": {"messages": [USER]}}),
    ]
    assert [answer.status for answer in accepted] == [200] * 5


def test_what_a_status_forbids_is_said_with_the_status(runs: Runs, chat: Chat) -> None:
    from shared.runs.store import lifecycle

    asking = waiting(runs, chat)
    queued, working, cancelled = (runs.run(runs.thread(), asking["assistant_id"]) for _ in range(3))
    assert lifecycle.claim(f"{runs.client.project}#{working['thread_id']}", working["id"], "attempt")
    runs.create("cancel_run", cancelled["thread_id"], cancelled["id"])

    def refusal(operation: str, run: dict[str, Any], body: Any = None) -> str:
        answer = runs.call(operation, run["thread_id"], run["id"], body=body)
        assert answer.error == (400, None, None)
        return str(answer.body["error"]["message"])

    assert refusal("modify_run", queued, {"metadata": {}}) == "Cannot update run with status 'queued'."
    assert refusal("modify_run", working, {"metadata": {}}) == "Cannot update run with status 'in_progress'."
    assert refusal("cancel_run", cancelled) == "Cannot cancel run with status 'cancelled'."
    outputs: dict[str, Any] = {"tool_outputs": []}
    assert refusal("submit_tool_outputs", queued, outputs) == 'Runs in status "queued" do not accept tool outputs.'
    assert (
        refusal("submit_tool_outputs", working, outputs) == 'Runs in status "in_progress" do not accept tool outputs.'
    )
    modified = runs.create("modify_run", asking["thread_id"], asking["id"], body={"metadata": {"a": "b"}})
    assert (modified["status"], modified["metadata"]) == ("requires_action", {"a": "b"})
    assert modified == runs.read(asking) == runs.create("modify_run", asking["thread_id"], asking["id"], body={})


@pytest.mark.parametrize("given", [[], ["call_1"], ["call_1", "call_2", "call_3"], ["call_1", "call_1"], ["a'b"]])
def test_tool_outputs_are_those_of_all_the_calls(runs: Runs, chat: Chat, given: list[str]) -> None:
    run = waiting(runs, chat, calls(("call_1", "get_weather", "{}"), ("call_2", "get_weather", "{}")))

    outputs = [{"tool_call_id": call_id} for call_id in given]
    answer = runs.call("submit_tool_outputs", run["thread_id"], run["id"], body={"tool_outputs": outputs})

    message = f"Expected tool outputs for call_ids ['call_1', 'call_2'], got {given}"
    assert (answer.status, answer.body) == (400, expected.error(message))
    assert runs.read(run)["status"] == "requires_action"


def test_tool_outputs_have_a_largest_size(runs: Runs, chat: Chat) -> None:
    run = waiting(runs, chat)

    refused = runs.submit(run, {"call_1": "é" * 262_145})
    taken = runs.submit(run, {"call_1": "é" * 262_144})

    assert (refused.status, refused.body) == (400, expected.too_long("tool_outputs", 524_288, 524_290))
    assert taken.status == 200
    assert runs.steps(run)[0]["step_details"]["tool_calls"][0]["function"]["output"] == "é" * 262_144


REFUSALS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "no assistant": ({"assistant_id": None}, expected.wrong_type("assistant_id", "a string", "null")),
    "prompt tokens": ({"max_prompt_tokens": 255}, expected.below("max_prompt_tokens", "integer", 256, 255)),
    "completion tokens": ({"max_completion_tokens": 15}, expected.below("max_completion_tokens", "integer", 16, 15)),
    "tokens of another type": (
        {"max_completion_tokens": 99.5},
        expected.wrong_type("max_completion_tokens", "an integer", "a decimal"),
    ),
    "truncation": (
        {"truncation_strategy": {"type": "last_messages"}},
        expected.missing("truncation_strategy.last_messages"),
    ),
    "truncated to none": (
        {"truncation_strategy": {"type": "last_messages", "last_messages": 0}},
        expected.below("truncation_strategy.last_messages", "integer", 1, 0),
    ),
    "truncation of another kind": (
        {"truncation_strategy": {"type": "first"}},
        expected.unsupported("truncation_strategy.type", "first", "'auto' and 'last_messages'"),
    ),
    "choice by name": (
        {"tool_choice": "any"},
        expected.unsupported("tool_choice", "any", "'none', 'auto' and 'required'"),
    ),
    "choice of a function": (
        {"tool_choice": {"type": "function", "function": {"name": "none"}}},
        expected.error("Invalid 'tool_choice': the run has no function 'none'.", "tool_choice", "invalid_value"),
    ),
    "choice without a name": (
        {"tool_choice": {"type": "function", "function": {}}},
        expected.missing("tool_choice.function.name"),
    ),
    "parallel": (
        {"parallel_tool_calls": "yes"},
        expected.wrong_type("parallel_tool_calls", "a boolean", "a string"),
    ),
    "metadata": ({"metadata": {"a": 1}}, expected.wrong_type("metadata.a", "a string", "an integer")),
    "stream": ({"stream": "yes"}, expected.wrong_type("stream", "a boolean", "a string")),
    "unknown": ({"seed": 1}, expected.unknown("seed")),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_breaks_a_rule_is_refused_by_both_ways_to_create_a_run(runs: Runs, case: str) -> None:
    change, error = REFUSALS[case]
    thread_id, assistant_id = runs.thread(), runs.assistant()
    body = {"assistant_id": assistant_id} | change

    answers = [runs.call("create_run", thread_id, body=body), runs.call("create_thread_and_run", body=body)]

    assert [(answer.status, answer.body) for answer in answers] == [(400, error)] * 2
    assert runs.create("list_runs", thread_id) == expected.page([])
    assert len(runs.client.create("list_threads")["data"]) == 1


def test_each_way_to_create_a_run_has_fields_of_its_own(runs: Runs) -> None:
    thread_id, assistant_id = runs.thread(), runs.assistant()
    foreign: dict[str, tuple[tuple[str, ...], Any]] = {
        "thread": (("create_run", thread_id), {}),
        "additional_messages": (("create_thread_and_run",), []),
        "additional_instructions": (("create_thread_and_run",), ""),
    }
    for name, (call, value) in foreign.items():
        answer = runs.call(*call, body={"assistant_id": assistant_id, name: value})
        assert (answer.status, answer.body) == (400, expected.unknown(name))


@pytest.mark.parametrize(
    ("messages", "error"),
    [
        ([USER] * 17, expected.too_many("additional_messages", 16, 17)),
        ([{"role": "user"}], expected.missing("additional_messages[0].content")),
        (
            [USER, {"role": "tool", "content": "x"}],
            expected.unsupported("additional_messages[1].role", "tool", "'user' and 'assistant'"),
        ),
        ([1], expected.wrong_type("additional_messages[0]", "an object", "an integer")),
    ],
)
def test_additional_messages_have_the_rules_of_messages(runs: Runs, messages: list[Any], error: dict[str, Any]) -> None:
    thread_id, assistant_id = runs.thread(), runs.assistant()

    answer = runs.call("create_run", thread_id, body={"assistant_id": assistant_id, "additional_messages": messages})

    assert (answer.status, answer.body) == (400, error)
    assert len(runs.client.page(thread_id)["data"]) == 1


def test_messages_that_no_transaction_holds_are_refused_with_the_run(runs: Runs) -> None:
    thread_id = runs.thread()
    # Characters of two bytes, with eleven random bits each. API Gateway takes the body; in the table it exceeds 4 MB.
    content = "".join(map(chr, random.Random(1).choices(range(0x80, 0x800), k=190_000)))
    body = {"assistant_id": runs.assistant(), "additional_messages": [USER | {"content": content}] * 16}

    answer = runs.call("create_run", thread_id, body=body)

    assert (answer.status, answer.body) == (413, expected.TOO_LARGE)
    assert len(runs.client.page(thread_id)["data"]) == 1


def test_a_thread_in_the_body_has_the_rules_of_threads(runs: Runs) -> None:
    body = {"assistant_id": runs.assistant(), "thread": {"messages": [{"role": "user"}]}}

    answer = runs.call("create_thread_and_run", body=body)
    other = runs.call("create_thread_and_run", body=body | {"thread": {"message": []}})

    assert answer.body == expected.missing("thread.messages[0].content")
    assert other.body == expected.unknown("thread.message")


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, expected.missing("tool_outputs")),
        ({"tool_outputs": [{"output": "x"}]}, expected.missing("tool_outputs[0].tool_call_id")),
        (
            {"tool_outputs": [{"tool_call_id": "a", "output": 1}]},
            expected.wrong_type("tool_outputs[0].output", "a string", "an integer"),
        ),
        ({"tool_outputs": [], "stream": 1}, expected.wrong_type("stream", "a boolean", "an integer")),
        ({"tool_outputs": [{"tool_call_id": "a", "output": "\ud800"}]}, expected.surrogate("tool_outputs[0].output")),
    ],
)
def test_a_malformed_submission_is_refused(runs: Runs, body: dict[str, Any], error: dict[str, Any]) -> None:
    run = runs.run(runs.thread(), runs.assistant())

    answer = runs.call("submit_tool_outputs", run["thread_id"], run["id"], body=body)

    assert (answer.status, answer.body) == (400, error)


def test_methods_and_paths_that_do_not_exist_are_refused(anybody: Client) -> None:
    def at(function: str, method: str, path: str) -> Answer:
        parameters = {"threadId": "thread_1"} if path.startswith("/threads/thread_1") else {}
        return invoke(function, anybody.event_at(method, path, parameters))

    allowed = {
        ("assistants", "/assistants"): "GET, POST",
        ("assistants", "/v1/assistants/asst_1"): "GET, POST, DELETE",
        ("runs", "/openai/threads/runs"): "POST",
        ("runs", "/threads/thread_1/runs"): "GET, POST",
        ("runs", "/threads/thread_1/runs/run_1"): "GET, POST",
        ("runs", "/threads/thread_1/runs/run_1/cancel"): "POST",
        ("runs", "/threads/thread_1/runs/run_1/steps/step_1"): "GET",
    }
    for (function, path), methods in allowed.items():
        answer = at(function, "PUT", path)
        assert (answer.status, answer.headers["allow"]) == (405, methods), path
    for path in ("/threads/thread_1/runs/run_1/steps/step_1/x", "/threads/thread_1/runs/run_1/stop"):
        assert at("runs", "POST", path).error == (404, None, "unknown_url")
    assert at("assistants", "GET", "/assistants/asst_1/files").error == (404, None, "unknown_url")


def test_a_preflight_passes_without_a_key(anybody: Client) -> None:
    from functions import runs

    event = anybody.event_at(
        "OPTIONS", "/threads/runs", {}, headers={"origin": "https://a.example", "access-control-request-method": "POST"}
    )
    del event["headers"]["authorization"]

    assert runs.handler(event, None) == {"statusCode": 204}
    event["headers"].pop("origin")
    assert json.loads(runs.handler(event, None)["body"])["error"]["message"].startswith("No API key was given.")


def test_an_unknown_assistant_runs_with_the_default_where_that_is_allowed(
    runs: Runs, chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNKNOWN_ASSISTANTS", "default")
    monkeypatch.setenv("DEFAULT_INSTRUCTIONS", "Help.")
    thread_id = runs.thread()

    run = runs.run(thread_id, "asst_of_old")

    assert (run["assistant_id"], run["model"], run["instructions"]) == ("asst_of_old", "default", "Help.")
    assert runs.execute(run)["status"] == "completed"
    monkeypatch.delenv("DEFAULT_INSTRUCTIONS")
    run = runs.run(thread_id, "asst_of_old")
    assert run["instructions"] == ""
    chat.replies = [chat_stub.fails(404, "no such model")]
    assert "Correct ModelMap (locally MODEL_MAP)" in runs.execute(run)["last_error"]["message"]
    assert runs.call("create_run", "thread_none", body={"assistant_id": "asst_of_old"}).status == 404


def test_a_run_overrides_what_its_assistant_has(runs: Runs) -> None:
    assistant_id = runs.assistant(tools=[WEATHER], temperature=0.5, top_p=0.25, metadata={"of": "the former"})
    given = {
        "model": "other",
        "instructions": "Say more.",
        "additional_instructions": "Now.",
        "tools": [],
        "temperature": 0,
        "reasoning_effort": "high",
        "response_format": {"type": "json_object"},
        "tool_resources": {"file_search": {"vector_store_ids": ["vs_1"]}},
        "max_prompt_tokens": 256,
        "max_completion_tokens": 16,
        "truncation_strategy": {"type": "last_messages", "last_messages": 3},
        "tool_choice": "none",
        "parallel_tool_calls": False,
        "metadata": {"of": "the latter"},
    }

    run = runs.run(runs.thread(), assistant_id, **given)
    plain = runs.run(runs.thread(), assistant_id, **dict.fromkeys(given))

    instructions = {"instructions": "Say more.\nNow.", "top_p": 0.25}
    given.pop("additional_instructions")
    assert {name: run[name] for name in (*given, "top_p")} == given | instructions
    assert (plain["tools"], plain["temperature"], plain["metadata"]) == ([WEATHER], 0.5, {})
    assert (plain["instructions"], plain["model"]) == (ASSISTANT["instructions"], ASSISTANT["model"])


def test_runs_and_steps_are_listed_in_pages(runs: Runs, chat: Chat) -> None:
    chat.replies = [calls(("call_1", "get_weather", "{}"), text="I look."), chat_stub.says("Sunny.")]
    thread_id, assistant_id = runs.thread(), runs.assistant(tools=[WEATHER])
    run = runs.run(thread_id, assistant_id)
    assert [runs.execute(run)] == runs.create("list_runs", thread_id)["data"]
    runs.submit(run, {"call_1": "x"})
    runs.execute(run)
    newer = [runs.execute(runs.run(thread_id, assistant_id)) for _ in range(2)]
    all_runs = [*newer[::-1], runs.read(run)]

    first = runs.create("list_runs", thread_id, query={"limit": 2})
    rest = runs.create("list_runs", thread_id, query={"limit": 2, "after": first["last_id"]})
    back = runs.create("list_runs", thread_id, query={"limit": 1, "before": all_runs[2]["id"]})
    ascending = runs.create("list_runs", thread_id, query={"order": "asc"})

    assert first == expected.page(all_runs[:2], has_more=True)
    assert rest == expected.page(all_runs[2:])
    assert back == expected.page(all_runs[1:2], has_more=True)
    assert ascending == expected.page(all_runs[::-1])
    steps = runs.steps(run)
    page = runs.create("list_run_steps", thread_id, run["id"], query={"limit": 1, "after": steps[0]["id"]})
    before = runs.create("list_run_steps", thread_id, run["id"], query={"order": "asc", "before": steps[0]["id"]})
    assert page == expected.page(steps[1:2], has_more=True)
    assert before == expected.page(steps[:0:-1])
    for operation, ids in (("list_runs", (thread_id,)), ("list_run_steps", (thread_id, run["id"]))):
        kind = "run" if operation == "list_runs" else "step"
        assert runs.call(operation, *ids, query={"after": f"{kind}_of_old"}).status == 404
        assert runs.create(
            operation, *ids, query={"after": steps[0]["id"].replace("step", kind), "before": f"{kind}_{'0' * 26}"}
        )


def test_a_key_is_apart_from_the_same_key_of_another_operation(runs: Runs, chat: Chat) -> None:
    key, body = {"idempotency-key": "k"}, {"assistant_id": runs.assistant()}
    thread = runs.client.call("create_thread", body={}, headers=key)
    thread_id = thread.body["id"]
    run = runs.call("create_run", thread_id, body=body, headers=key)
    runs.execute(run.body)

    message = runs.client.call("create_message", thread_id, body=USER, headers=key)
    both = runs.call("create_thread_and_run", body=body, headers=key)

    answers = [thread, run, message, both]
    assert [(answer.status, answer.headers.get("idempotent-replayed")) for answer in answers] == [(200, None)] * 4
