"""The responses of assistants and runs match openapi.json, and the functions accept the bodies that it describes."""

from typing import Any

import pytest

from tests.support import fault_injection, openapi
from tests.support.chat_stub import Chat, calls, fails, says
from tests.support.client import Answer, Client
from tests.support.clock import Clock
from tests.support.runs import ASSISTANT, WEATHER, Runs
from tools.openapi.routes import ROUTES

_IDS = {
    "threadId": "thread_00000000000000000000000000",
    "runId": "run_00000000000000000000000000",
    "stepId": "step_00000000000000000000000000",
    "assistantId": "asst_00000000000000000000000000",
}
_USER = {"role": "user", "content": "hello"}
_NEW_RUN = {"assistant_id": _IDS["assistantId"]}
_BODIES: dict[str, dict[str, Any]] = {
    "create_assistant": ASSISTANT,
    "modify_assistant": {"name": "Tutor"},
    "create_run": _NEW_RUN,
    "create_thread_and_run": _NEW_RUN,
    "modify_run": {"metadata": {"a": "b"}},
    "submit_tool_outputs": {"tool_outputs": [{"tool_call_id": "call_1", "output": "x"}]},
}
_CALLS = ("BatchGetItem", "DeleteItem", "GetItem", "Query", "TransactWriteItems", "UpdateItem")


def call(runs: Runs, operation: str, *ids: str, **options: Any) -> Answer:
    return openapi.check(operation, runs.call(operation, *ids, **options))


def ids_of(operation: str) -> list[str]:
    return [_IDS[name] for name in _IDS if f"{{{name}}}" in ROUTES[operation][2]]


_SETTINGS: list[dict[str, Any]] = [
    {},
    {"name": "Tutor", "description": "Explains.", "instructions": None, "metadata": {"a": "b"}},
    {"temperature": 2, "top_p": 0.0, "reasoning_effort": "xhigh", "tool_resources": {"file_search": {}}},
    {"tools": [WEATHER, {"type": "code_interpreter"}, {"type": "file_search", "file_search": None}]},
    {"tools": [{"type": "function", "function": {"name": "f", "description": None, "strict": True}}]},
    {"response_format": "auto"},
    {"response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": {}}}},
]


@pytest.mark.parametrize("settings", _SETTINGS)
def test_every_success_of_assistants_is_as_the_document_says(runs: Runs, settings: dict[str, Any]) -> None:
    body = ASSISTANT | settings
    assert openapi.body_errors("create_assistant", body) == []
    assert openapi.body_errors("modify_assistant", settings) == []

    assistant_id = call(runs, "create_assistant", body=body).body["id"]
    answers = [
        call(runs, "modify_assistant", assistant_id, body=settings),
        call(runs, "retrieve_assistant", assistant_id),
        call(runs, "list_assistants"),
        call(runs, "delete_assistant", assistant_id),
        call(runs, "list_assistants", query={"after": assistant_id}),
    ]

    assert [answer.status for answer in answers] == [200] * len(answers)


_RUNS: list[dict[str, Any]] = [
    {},
    {"model": "other", "max_prompt_tokens": 256, "max_completion_tokens": 16, "parallel_tool_calls": False},
    {"truncation_strategy": {"type": "last_messages", "last_messages": 1}, "tool_choice": "none", "stream": False},
    {"truncation_strategy": {"type": "auto"}, "tool_choice": {"type": "function", "function": {"name": "get_weather"}}},
    {"response_format": {"type": "text"}, "tool_choice": {"type": "file_search"}, "metadata": {"a": "b"}},
]


@pytest.mark.parametrize("own", _RUNS)
def test_every_success_of_runs_is_as_the_document_says(runs: Runs, chat: Chat, own: dict[str, Any]) -> None:
    chat.replies = [calls(("call_1", "get_weather", "{}")), says("It rains.")]
    body = {"assistant_id": runs.assistant(tools=[WEATHER])} | own
    added = body | {"additional_messages": [_USER], "additional_instructions": "Briefly."}
    with_thread = body | {"thread": {"messages": [_USER]}, "tool_resources": {"a": []}}
    assert openapi.body_errors("create_run", added) == []
    assert openapi.body_errors("create_thread_and_run", with_thread) == []

    run = call(runs, "create_run", runs.thread(), body=added).body
    path = (run["thread_id"], run["id"])
    call(runs, "list_run_steps", *path)
    runs.execute(run)
    waiting = [call(runs, "retrieve_run", *path), call(runs, "list_run_steps", *path)]
    modified = call(runs, "modify_run", *path, body={"metadata": {"a": "b"}})
    submitted = call(runs, "submit_tool_outputs", *path, body=_BODIES["submit_tool_outputs"])
    runs.execute(run)
    steps = call(runs, "list_run_steps", *path)
    answers = [
        *waiting,
        modified,
        submitted,
        steps,
        *(call(runs, "retrieve_run_step", *path, step["id"]) for step in steps.body["data"]),
        call(runs, "retrieve_run", *path),
        call(runs, "list_runs", run["thread_id"]),
        openapi.check("list_messages", runs.client.call("list_messages", run["thread_id"])),
    ]
    other = call(runs, "create_thread_and_run", body=with_thread).body
    cancelled = call(runs, "cancel_run", other["thread_id"], other["id"])

    assert [answer.status for answer in answers] == [200] * len(answers)
    assert [run["status"], waiting[0].body["status"], answers[-3].body["status"], cancelled.body["status"]] == [
        "queued",
        "requires_action",
        "completed",
        "cancelling",
    ]


def test_a_run_that_failed_was_cut_or_expired_is_as_the_document_says(runs: Runs, chat: Chat, clock: Clock) -> None:
    chat.replies = [
        fails(401),
        says("It is", finish="length"),
        says("It is", finish="content_filter"),
        calls(("call_1", "get_weather", "{}")),
    ]
    assistant_id = runs.assistant(tools=[WEATHER])
    statuses = []
    for _ in chat.replies[:]:
        run = runs.run(runs.thread(), assistant_id)
        runs.execute(run)
        if runs.read(run)["status"] == "requires_action":
            clock.forward(601)
        statuses.append(call(runs, "retrieve_run", run["thread_id"], run["id"]).body["status"])
        call(runs, "list_run_steps", run["thread_id"], run["id"])
        openapi.check("list_messages", runs.client.call("list_messages", run["thread_id"]))

    assert statuses == ["failed", "incomplete", "incomplete", "expired"]


def test_a_repeated_create_of_a_run_is_as_the_document_says(runs: Runs) -> None:
    assistant_id, thread_id = runs.assistant(), runs.thread()
    answers = [
        call(runs, operation, *ids, body={"assistant_id": assistant_id, **more}, headers={"idempotency-key": "k"})
        for operation, ids in (("create_run", [thread_id]), ("create_thread_and_run", []))
        for more in ({}, {}, {"metadata": {"a": "b"}})
    ]

    assert [answer.status for answer in answers] == [200, 200, 409] * 2
    assert [answer.headers.get("idempotent-replayed") for answer in answers] == [None, "true", None] * 2


@pytest.mark.parametrize("operation", ROUTES)
def test_every_refusal_of_a_request_is_as_the_document_says(runs: Runs, operation: str) -> None:
    ids, body = ids_of(operation), _BODIES.get(operation)
    paths = [[*ids[:index], "x", *ids[index + 1 :]] for index in range(len(ids))]
    queries = ("limit=0", "limit=101", "limit=x", "order=up", "after=x", "before=x", "limit=1&limit=2", "a=b")
    stranger = Runs(Client(project="", secret="sk-wrong"))
    answers = [
        call(stranger, operation, *ids),
        call(runs, operation, *ids, headers={"authorization": ""}),
        *(call(runs, operation, *path, body=body) for path in [ids, *paths]),
        *(call(runs, operation, *ids, body=text) for text in ("{", "[]", "[" * 1000, '{"a": 1}', b"\xff")),
        *(call(runs, operation, *ids, body=body, query=query) for query in queries),
        call(runs, operation, *ids, body=body, headers={"idempotency-key": "é"}),
        *(call(runs, operation, *ids, body=body, query=f"after={prefix}_x") for prefix in ("asst", "run", "step")),
    ]

    assert {401} <= {answer.status for answer in answers} <= {200, 400, 401, 404}


def test_what_the_state_of_a_run_forbids_is_as_the_document_says(runs: Runs, chat: Chat) -> None:
    chat.replies = [calls(("call_1", "get_weather", "{}"))]
    assistant_id = runs.assistant(tools=[WEATHER])
    silent = runs.assistant(instructions=None)
    run = runs.run(runs.thread(), assistant_id)
    path = (run["thread_id"], run["id"])
    refusals = [
        call(runs, "create_run", runs.client.thread(), body={"assistant_id": silent}),
        call(runs, "create_thread_and_run", body={"assistant_id": silent}),
        call(runs, "create_run", run["thread_id"], body={"assistant_id": assistant_id}),
        openapi.check("create_message", runs.client.call("create_message", run["thread_id"], body=_USER)),
        call(runs, "modify_run", *path, body={}),
        call(runs, "submit_tool_outputs", *path, body=_BODIES["submit_tool_outputs"]),
        call(runs, "retrieve_run_step", *path, _IDS["stepId"]),
    ]
    runs.execute(run)
    wrong: list[Any] = [
        {"tool_outputs": outputs} for outputs in ([], [{"tool_call_id": "call_1", "output": "x" * 524_289}])
    ]
    refusals += [call(runs, "submit_tool_outputs", *path, body=body) for body in wrong]
    call(runs, "cancel_run", *path)
    refusals += [call(runs, "cancel_run", *path)]

    assert [answer.status for answer in refusals] == [400] * 6 + [404] + [400] * 3


_WRONG: list[dict[str, Any]] = [
    {"model": ""},
    {"model": "x" * 257},
    {"instructions": "x" * 256_001},
    {"temperature": 2.1},
    {"temperature": "1"},
    {"top_p": -0.1},
    {"reasoning_effort": "most"},
    {"tools": [WEATHER] * 129},
    {"tools": [{"type": "retrieval"}]},
    {"tools": [{"type": "function", "function": {}}]},
    {"tools": [{"type": "function", "function": {"name": "a b"}}]},
    {"tools": [{"type": "function", "function": {"name": "f", "description": "x" * 1_025}}]},
    {"response_format": "text"},
    {"response_format": {"type": "json_schema"}},
    {"metadata": {"a": 1}},
    {"unknown": 1},
]
_WRONG_IN_RUNS: list[dict[str, Any]] = [
    {"assistant_id": "x"},
    {"stream": "yes"},
    {"max_prompt_tokens": 255},
    {"max_completion_tokens": 15},
    {"truncation_strategy": {"type": "last_messages"}},
    {"truncation_strategy": {"type": "last_messages", "last_messages": 0}},
    {"tool_choice": "any"},
    {"tool_choice": {"type": "function"}},
    {"parallel_tool_calls": 1},
]
WRONG = [
    *(
        ("create_assistant", ASSISTANT | change)
        for change in [*_WRONG, {"name": "x" * 257}, {"description": "x" * 513}]
    ),
    ("create_assistant", {}),
    *(("modify_assistant", change) for change in [*_WRONG, {"model": None}]),
    *(("create_run", _NEW_RUN | change) for change in [*_WRONG, *_WRONG_IN_RUNS]),
    *(("create_thread_and_run", _NEW_RUN | change) for change in [*_WRONG, *_WRONG_IN_RUNS]),
    *(("create_run", _NEW_RUN | {"additional_messages": found}) for found in ([{"role": "x"}], [_USER] * 17)),
    ("create_thread_and_run", _NEW_RUN | {"thread": {"messages": [{}]}}),
    ("create_thread_and_run", _NEW_RUN | {"additional_messages": []}),
    ("modify_run", {"metadata": {"a": 1}}),
    ("submit_tool_outputs", {}),
    ("submit_tool_outputs", {"tool_outputs": [{"output": "x"}]}),
    ("submit_tool_outputs", {"tool_outputs": [], "stream": 1}),
]


@pytest.mark.parametrize(("operation", "wrong"), WRONG, ids=range(len(WRONG)))
def test_what_the_document_refuses_in_a_body_is_refused(runs: Runs, operation: str, wrong: dict[str, Any]) -> None:
    path = ids_of(operation)
    if operation == "modify_assistant":
        path = [runs.assistant()]

    answer = call(runs, operation, *path, body=wrong)

    assert (answer.status, openapi.body_errors(operation, wrong) != []) == (400, True)


def test_tools_that_are_too_large_are_as_the_document_says(runs: Runs) -> None:
    tools = [WEATHER | {"function": {"name": "f", "parameters": {"a": "x" * 262_144}}}]
    assistant_id = runs.assistant()
    answers = [
        call(runs, "create_assistant", body=ASSISTANT | {"tools": tools}),
        call(runs, "modify_assistant", assistant_id, body={"tools": tools}),
        call(runs, "create_run", runs.thread(), body={"assistant_id": assistant_id, "tools": tools}),
        call(runs, "create_thread_and_run", body={"assistant_id": assistant_id, "tools": tools}),
    ]

    assert [answer.status for answer in answers] == [413] * 4


@pytest.mark.parametrize("operation", ROUTES)
def test_a_fault_and_a_busy_table_are_as_the_document_says(clock: Clock, runs: Runs, operation: str) -> None:
    runs.call("list_assistants")  # looks the key up
    for effect, status in ((fault_injection.error("AccessDeniedException"), 500), (fault_injection.throttle, 503)):
        with fault_injection.inject(*(fault_injection.Fault(name, effect, times=0) for name in _CALLS)):
            assert call(runs, operation, *ids_of(operation), body=_BODIES.get(operation)).status == status
