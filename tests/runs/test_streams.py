"""A stream as AWS sends it: all events of a run at once, when it has ended or waits."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.support import expected, fault_injection
from tests.support.chat_stub import Chat, calls, fails, refuses, says
from tests.support.clock import Clock
from tests.support.event_stream import DONE, Event, events_of, streamed
from tests.support.expected import text
from tests.support.expected_runs import call_object, of_calls, run_object, step_object
from tests.support.fault_injection import Fault
from tests.support.runs import WEATHER, Runs, calls_of

GOES_ON = "The run {} goes on. Retrieve it to see its end."


def active(runs: Runs, thread_id: str) -> dict[str, Any]:
    """Return the newest run of a thread."""
    newest: dict[str, Any] = runs.create("list_runs", thread_id)["data"][0]
    return newest


def worker(runs: Runs, thread_id: str) -> Callable[[], object]:
    """Return what executes the active run of a thread."""
    return lambda: runs.execute(active(runs, thread_id))


def of_run(runs: Runs, thread_id: str, assistant_id: str, meanwhile: Callable[[], object] | None = None) -> list[Event]:
    """Return the events of a new run, which is executed before they are read, unless something else happens."""
    happens = meanwhile or worker(runs, thread_id)
    return streamed(runs, "create_run", thread_id, body={"assistant_id": assistant_id}, meanwhile=happens)


def begins(run: dict[str, Any], **fields: Any) -> list[Event]:
    """Return the events before the model answers."""
    queued, working = run_object(run, **fields), run_object(run, started_at=run["created_at"], **fields)
    return [
        ("thread.run.created", queued),
        ("thread.run.queued", queued),
        ("thread.run.in_progress", working | {"status": "in_progress"}),
    ]


def of_answer(runs: Runs, run: dict[str, Any], step: dict[str, Any], *deltas: dict[str, Any]) -> list[Event]:
    """Return the events of a step and its message, which is as it is stored now."""
    (message_id,) = step["step_details"]["message_creation"].values()
    message = runs.client.create("retrieve_message", run["thread_id"], message_id)
    begun = message | {"content": [], "status": "in_progress", "completed_at": None}
    begun |= {"incomplete_details": None, "incomplete_at": None}
    return [
        *step_begins(step),
        ("thread.message.created", begun),
        ("thread.message.in_progress", begun),
        *(message_delta(message_id, delta) for delta in deltas),
        (f"thread.message.{message['status']}", message),
        ("thread.run.step.completed", step),
    ]


def step_begins(step: dict[str, Any]) -> list[Event]:
    begun = step | {"status": "in_progress", "completed_at": None, "cancelled_at": None, "expired_at": None}
    begun |= {"usage": None}
    if step["type"] == "tool_calls":
        begun["step_details"] = of_calls()
    return [("thread.run.step.created", begun), ("thread.run.step.in_progress", begun)]


def message_delta(message_id: str, part: dict[str, Any]) -> Event:
    delta = {"id": message_id, "object": "thread.message.delta", "delta": {"content": [part]}}
    return "thread.message.delta", delta


def step_delta(step: dict[str, Any], call: dict[str, Any]) -> Event:
    details = {"type": "tool_calls", "tool_calls": [call]}
    delta = {"id": step["id"], "object": "thread.run.step.delta", "delta": {"step_details": details}}
    return "thread.run.step.delta", delta


def call_deltas(step: dict[str, Any]) -> list[Event]:
    """Return the deltas of a step's calls: each first without its arguments, then these."""
    found: list[Event] = []
    for index, call in enumerate(step["step_details"]["tool_calls"]):
        function = call["function"] | {"arguments": "", "output": None}
        found.append(step_delta(step, {"index": index, **call, "function": function}))
        arguments = {"arguments": call["function"]["arguments"]}
        found.append(step_delta(step, {"index": index, "type": "function", "function": arguments}))
    return found


def test_an_answer_is_streamed_from_the_creation_of_its_run_to_its_end(runs: Runs, chat: Chat, clock: Clock) -> None:
    thread_id, assistant_id = runs.thread(), runs.assistant()

    events = of_run(runs, thread_id, assistant_id)

    run = active(runs, thread_id)
    (step,) = runs.steps(run)
    delta = {"index": 0, "type": "text", "text": {"value": "Hello", "annotations": []}}
    assert events == [*begins(run), *of_answer(runs, run, step, delta), ("thread.run.completed", run), DONE]
    assert run["status"] == "completed"


def test_calls_are_streamed_to_the_point_where_the_run_waits_and_from_their_outputs_on(
    runs: Runs, chat: Chat, clock: Clock
) -> None:
    thread_id, assistant_id = runs.thread(), runs.assistant(tools=[WEATHER])
    two = calls(("call_1", "get_weather", '{"city":"Rome"}'), ("call_2", "get_weather", ""), text="I look it up.")
    chat.replies = [two, says("Sunny.")]

    events = of_run(runs, thread_id, assistant_id)

    waiting = active(runs, thread_id)
    calls_step, message_step = runs.steps(waiting)
    delta = {"index": 0, "type": "text", "text": {"value": "I look it up.", "annotations": []}}
    turn = [
        *of_answer(runs, waiting, message_step, delta),
        *step_begins(calls_step),
        *call_deltas(calls_step),
    ]
    assert events == [
        *begins(waiting, tools=[WEATHER]),
        *turn,
        ("thread.run.requires_action", waiting),
        DONE,
    ]
    assert len(calls_of(waiting)) == 2

    outputs = [{"tool_call_id": call["id"], "output": "sunny"} for call in calls_of(waiting)]
    ids = (thread_id, waiting["id"])
    body, execute = {"tool_outputs": outputs}, worker(runs, thread_id)
    events = streamed(runs, "submit_tool_outputs", *ids, body=body, meanwhile=execute)

    run = active(runs, thread_id)
    answer_step, calls_step, _ = runs.steps(run)
    asked = [call_object("call_1", '{"city":"Rome"}', output="sunny"), call_object("call_2", "{}", output="sunny")]
    queued = run_object(run, started_at=run["created_at"], tools=[WEATHER])
    delta = {"index": 0, "type": "text", "text": {"value": "Sunny.", "annotations": []}}
    goes_on = [
        ("thread.run.step.completed", step_object(run, calls_step, of_calls(*asked))),
        ("thread.run.queued", queued),
        ("thread.run.in_progress", queued | {"status": "in_progress"}),
        *of_answer(runs, run, answer_step, delta),
        ("thread.run.completed", run),
        DONE,
    ]
    assert events == goes_on

    again = streamed(
        runs,
        "submit_tool_outputs",
        *ids,
        body={"tool_outputs": outputs},
        headers={"x-stainless-retry-count": "1"},
    )
    assert again == goes_on
    whole = streamed(
        runs,
        "create_run",
        thread_id,
        body={"assistant_id": assistant_id},
        headers={"x-stainless-retry-count": "1"},
    )
    assert whole == [*begins(run, tools=[WEATHER]), *turn, *goes_on]


@pytest.mark.parametrize(
    ("reply", "parts"),
    [
        (says("Half", finish="length"), [text("Half")]),
        (says("Half", finish="content_filter"), [text("Half")]),
        (refuses("No."), [{"type": "refusal", "refusal": "No."}]),
        (says(""), [text("")]),
    ],
    ids=["cut", "filtered", "refused", "empty"],
)
def test_each_content_part_has_a_delta_however_the_answer_ends(
    runs: Runs, chat: Chat, clock: Clock, reply: Any, parts: list[dict[str, Any]]
) -> None:
    chat.replies = [reply]
    thread_id, assistant_id = runs.thread(), runs.assistant()

    events = of_run(runs, thread_id, assistant_id)

    run = active(runs, thread_id)
    (step,) = runs.steps(run)
    deltas = [{"index": index, **part} for index, part in enumerate(parts)]
    assert events == [*begins(run), *of_answer(runs, run, step, *deltas), (f"thread.run.{run['status']}", run), DONE]


def test_a_new_thread_comes_before_its_run(runs: Runs, chat: Chat, clock: Clock) -> None:
    body = {"assistant_id": runs.assistant(), "thread": {"metadata": {"a": "b"}}}
    made: list[str] = []

    def execute() -> None:
        made.extend(thread["id"] for thread in runs.client.create("list_threads")["data"])
        runs.execute(active(runs, made[0]))

    events = streamed(runs, "create_thread_and_run", body=body, meanwhile=execute)

    run = active(runs, made[0])
    (step,) = runs.steps(run)
    delta = {"index": 0, "type": "text", "text": {"value": "Hello", "annotations": []}}
    thread = runs.client.create("retrieve_thread", made[0])
    whole = [("thread.created", thread), *begins(run), *of_answer(runs, run, step, delta)]
    assert events == [*whole, ("thread.run.completed", run), DONE]


def test_a_failed_run_ends_its_stream_with_the_reason(runs: Runs, chat: Chat, clock: Clock) -> None:
    chat.replies = [fails(400)]
    thread_id, assistant_id = runs.thread(), runs.assistant()

    events = of_run(runs, thread_id, assistant_id)

    run = active(runs, thread_id)
    assert run["last_error"]["code"] == "invalid_prompt"
    assert events == [*begins(run), ("thread.run.failed", run), DONE]


def test_a_run_that_was_cancelled_or_expired_before_its_turn_ends_its_stream(
    runs: Runs, chat: Chat, clock: Clock
) -> None:
    thread_id, assistant_id = runs.thread(), runs.assistant()

    def cancel() -> None:
        runs.create("cancel_run", thread_id, active(runs, thread_id)["id"])

    body = {"assistant_id": assistant_id}
    events = streamed(runs, "create_run", thread_id, body=body, meanwhile=cancel)
    cancelled = active(runs, thread_id)
    queued = run_object(cancelled)
    ends = [("thread.run.cancelling", queued | {"status": "cancelling"}), ("thread.run.cancelled", cancelled), DONE]
    assert events == [("thread.run.created", queued), ("thread.run.queued", queued), *ends]

    clock.forward(1)  # so that the ULID of the second run is higher at the first try
    events = streamed(runs, "create_run", thread_id, body=body, meanwhile=lambda: clock.forward(600))
    expired = active(runs, thread_id)
    queued = run_object(expired)
    begin = [("thread.run.created", queued), ("thread.run.queued", queued)]
    assert events == [*begin, ("thread.run.expired", expired), DONE]


@pytest.mark.parametrize("status", ["cancelled", "expired"])
def test_a_run_that_ended_while_it_waited_shows_its_open_step_so(
    runs: Runs, chat: Chat, clock: Clock, status: str
) -> None:
    chat.replies = [calls(("call_1", "get_weather", "{}"))]
    thread_id, assistant_id = runs.thread(), runs.assistant(tools=[WEATHER])

    def end() -> None:
        run = active(runs, thread_id)
        runs.execute(run)
        if status == "cancelled":
            runs.create("cancel_run", thread_id, run["id"])
        else:
            clock.forward(600)

    events = of_run(runs, thread_id, assistant_id, end)

    run = active(runs, thread_id)
    (step,) = runs.steps(run)
    cancelling = run_object(run, status="cancelling", started_at=run["created_at"], tools=[WEATHER])
    assert step["status"] == status
    assert events == [
        *begins(run, tools=[WEATHER]),
        *step_begins(step),
        *call_deltas(step),
        *([("thread.run.cancelling", cancelling)] if status == "cancelled" else []),
        (f"thread.run.step.{status}", step),
        (f"thread.run.{status}", run),
        DONE,
    ]


def test_a_message_that_was_deleted_meanwhile_is_left_out(runs: Runs, chat: Chat, clock: Clock) -> None:
    thread_id, assistant_id = runs.thread(), runs.assistant()

    def execute() -> None:
        runs.execute(active(runs, thread_id))
        newest = runs.client.page(thread_id)["data"][0]
        runs.client.create("delete_message", thread_id, newest["id"])

    events = of_run(runs, thread_id, assistant_id, execute)

    run = active(runs, thread_id)
    (step,) = runs.steps(run)
    ends: list[Event] = [("thread.run.step.completed", step), ("thread.run.completed", run), DONE]
    assert events == [*begins(run), *step_begins(step), *ends]


def test_a_stream_ends_in_time_with_an_error_and_its_run_goes_on(
    runs: Runs, chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shared import responses

    monkeypatch.setattr(responses, "_SECONDS_OF_A_STREAM", 0.1)
    thread_id = runs.thread()

    events = streamed(runs, "create_run", thread_id, body={"assistant_id": runs.assistant()})

    run = active(runs, thread_id)
    message = f"The stream has reached its longest time. {GOES_ON.format(run['id'])}"
    assert events == [
        ("thread.run.created", run),
        ("thread.run.queued", run),
        ("error", expected.error(message, None, "stream_ended", "server_error")),
    ]
    assert runs.execute(run)["status"] == "completed"


def test_a_stream_too_large_for_a_response_ends_with_an_error(
    runs: Runs, chat: Chat, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shared.runs import stream

    monkeypatch.setattr(stream, "_BYTES_OF_A_WHOLE_STREAM", 1_500)
    thread_id, assistant_id = runs.thread(), runs.assistant()

    events = of_run(runs, thread_id, assistant_id)

    run = active(runs, thread_id)
    message = f"The stream has reached its largest size. {GOES_ON.format(run['id'])}"
    (step,) = runs.steps(run)
    assert events == [
        *begins(run),
        step_begins(step)[0],
        ("error", expected.error(message, None, "stream_ended", "server_error")),
    ]


def test_a_thread_that_is_deleted_meanwhile_ends_the_stream_with_an_error(runs: Runs, chat: Chat, clock: Clock) -> None:
    thread_id = runs.thread()

    def delete() -> None:
        runs.client.create("delete_thread", thread_id)

    events = streamed(runs, "create_run", thread_id, body={"assistant_id": runs.assistant()}, meanwhile=delete)

    assert events[2:] == [("error", expected.no_thread(thread_id))]


@pytest.mark.parametrize(
    ("effect", "message"),
    [
        (fault_injection.timeout, "The service is busy. Send the request again."),
        (fault_injection.error("AccessDeniedException"), "The server had an error while processing the request."),
    ],
)
def test_a_fault_of_the_table_ends_the_stream_with_an_error(
    *, runs: Runs, clock: Clock, effect: fault_injection.Effect, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    thread_id, body = runs.thread(), {"assistant_id": runs.assistant(), "stream": True}

    with fault_injection.inject(Fault("BatchGetItem", effect, times=0)):
        events = events_of(runs.call("create_run", thread_id, body=body))

    assert events[2:] == [("error", expected.error(message, kind="server_error"))]
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == ["stream"]


def test_a_refused_request_for_a_stream_is_an_error_in_json(runs: Runs) -> None:
    answer = runs.call("create_run", runs.thread(), body={"assistant_id": "asst_unknown", "stream": True})

    assert (answer.status, answer.headers["content-type"]) == (404, "application/json")


def test_a_repeated_key_streams_the_run_that_the_first_request_made(runs: Runs, chat: Chat, clock: Clock) -> None:
    thread_id, assistant_id = runs.thread(), runs.assistant()

    body, key = {"assistant_id": assistant_id}, {"idempotency-key": "k-1"}
    first = streamed(runs, "create_run", thread_id, body=body, headers=key, meanwhile=worker(runs, thread_id))

    again = runs.call("create_run", thread_id, body=body | {"stream": True}, headers=key)

    assert again.headers["idempotent-replayed"] == "true"
    assert events_of(again) == first
    assert first[-1] == DONE


def test_a_fault_after_the_creation_is_an_event_so_that_no_sdk_creates_again(runs: Runs, clock: Clock) -> None:
    body = {"assistant_id": runs.assistant(), "thread": {"messages": [{"role": "user", "content": "Hello"}]}}
    denied = fault_injection.error("AccessDeniedException")

    with fault_injection.inject(Fault("BatchGetItem", denied)) as attempts:
        answer = runs.call("create_thread_and_run", body=body | {"stream": True})

    message = "The server had an error while processing the request."
    assert events_of(answer) == [("error", expected.error(message, kind="server_error"))]
    assert attempts.operations[-2:] == ["TransactWriteItems", "BatchGetItem"]
