"""A stream as on AWS: all events of a run come at once, when the run has ended or waits for outputs."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.support import expected, fault_injection
from tests.support.chat_stub import Chat, Reply, calls, fails, refuses, says
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


def of_run(
    runs: Runs, meanwhile: Callable[[dict[str, Any]], object] | None = None, **assistant: Any
) -> tuple[list[Event], dict[str, Any]]:
    """Return the events of a new run, and the run's final state.

    The run is executed before the events are read, unless the test does something else with it.
    """
    thread_id, body = runs.thread(), {"assistant_id": runs.assistant(**assistant)}
    happens = meanwhile or runs.execute
    events = streamed(runs, "create_run", thread_id, body=body, meanwhile=lambda: happens(active(runs, thread_id)))
    return events, active(runs, thread_id)


def cancel(runs: Runs, run: dict[str, Any]) -> None:
    runs.create("cancel_run", run["thread_id"], run["id"])


def begins(run: dict[str, Any], **fields: Any) -> list[Event]:
    """Return the events that come before the model's answer."""
    queued, working = run_object(run, **fields), run_object(run, started_at=run["created_at"], **fields)
    return [
        ("thread.run.created", queued),
        ("thread.run.queued", queued),
        ("thread.run.in_progress", working | {"status": "in_progress"}),
    ]


def of_answer(runs: Runs, run: dict[str, Any], step: dict[str, Any], *deltas: dict[str, Any]) -> list[Event]:
    """Return the events of a step and its message. The message is the stored one."""
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
    """Return the deltas of a step's calls: for each call one without its arguments, then its arguments."""
    found: list[Event] = []
    for index, call in enumerate(step["step_details"]["tool_calls"]):
        function = call["function"] | {"arguments": "", "output": None}
        found.append(step_delta(step, {"index": index, **call, "function": function}))
        arguments = {"arguments": call["function"]["arguments"]}
        found.append(step_delta(step, {"index": index, "type": "function", "function": arguments}))
    return found


def test_calls_are_streamed_to_the_point_where_the_run_waits_and_from_their_outputs_on(
    runs: Runs, chat: Chat, clock: Clock
) -> None:
    two = calls(("call_1", "get_weather", '{"city":"Rome"}'), ("call_2", "get_weather", ""), text="I look it up.")
    chat.replies = [two, says("Sunny.")]

    events, waiting = of_run(runs, tools=[WEATHER])

    calls_step, message_step = runs.steps(waiting)
    turn = [
        *of_answer(runs, waiting, message_step, {"index": 0, **text("I look it up.")}),
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
    submit = ("submit_tool_outputs", waiting["thread_id"], waiting["id"])
    body = {"tool_outputs": outputs}
    events = streamed(runs, *submit, body=body, meanwhile=lambda: runs.execute(waiting))

    run = runs.read(waiting)
    answer_step, calls_step, _ = runs.steps(run)
    asked = [call_object("call_1", '{"city":"Rome"}', output="sunny"), call_object("call_2", "{}", output="sunny")]
    queued = run_object(run, started_at=run["created_at"], tools=[WEATHER])
    goes_on = [
        ("thread.run.step.completed", step_object(run, calls_step, of_calls(*asked))),
        ("thread.run.queued", queued),
        ("thread.run.in_progress", queued | {"status": "in_progress"}),
        *of_answer(runs, run, answer_step, {"index": 0, **text("Sunny.")}),
        ("thread.run.completed", run),
        DONE,
    ]
    assert events == goes_on

    resent = {"x-stainless-retry-count": "1"}
    assert streamed(runs, *submit, body=body, headers=resent) == goes_on
    create = {"assistant_id": run["assistant_id"]}
    whole = streamed(runs, "create_run", run["thread_id"], body=create, headers=resent)
    assert whole == [*begins(run, tools=[WEATHER]), *turn, *goes_on]


@pytest.mark.parametrize(
    ("reply", "status", "part"),
    [
        (says("Hello"), "completed", text("Hello")),
        (says("Half", finish="length"), "incomplete", text("Half")),
        (says("Half", finish="content_filter"), "incomplete", text("Half")),
        (refuses("No."), "completed", {"type": "refusal", "refusal": "No."}),
        (says(""), "completed", text("")),
    ],
    ids=["whole", "cut", "filtered", "refused", "empty"],
)
def test_an_answer_is_streamed_from_the_creation_of_its_run_to_its_end(
    *, runs: Runs, chat: Chat, clock: Clock, reply: Reply, status: str, part: dict[str, Any]
) -> None:
    chat.replies = [reply]

    events, run = of_run(runs)

    (step,) = runs.steps(run)
    answer = of_answer(runs, run, step, {"index": 0, **part})
    assert events == [*begins(run), *answer, (f"thread.run.{status}", run), DONE]


def test_a_new_thread_comes_before_its_run(runs: Runs, chat: Chat, clock: Clock) -> None:
    body = {"assistant_id": runs.assistant(), "thread": {"metadata": {"a": "b"}}}
    made: list[str] = []

    def execute() -> None:
        made.extend(thread["id"] for thread in runs.client.create("list_threads")["data"])
        runs.execute(active(runs, made[0]))

    events = streamed(runs, "create_thread_and_run", body=body, meanwhile=execute)

    run = active(runs, made[0])
    (step,) = runs.steps(run)
    thread = runs.client.create("retrieve_thread", made[0])
    answer = of_answer(runs, run, step, {"index": 0, **text("Hello")})
    assert events == [("thread.created", thread), *begins(run), *answer, ("thread.run.completed", run), DONE]


def test_a_failed_run_ends_its_stream_with_the_reason(runs: Runs, chat: Chat, clock: Clock) -> None:
    chat.replies = [fails(400)]

    events, run = of_run(runs)

    assert run["last_error"]["code"] == "invalid_prompt"
    assert events == [*begins(run), ("thread.run.failed", run), DONE]


def test_a_run_that_was_cancelled_or_expired_before_its_turn_ends_its_stream(
    runs: Runs, chat: Chat, clock: Clock
) -> None:
    events, cancelled = of_run(runs, lambda run: cancel(runs, run))
    queued = run_object(cancelled)
    ends = [("thread.run.cancelling", queued | {"status": "cancelling"}), ("thread.run.cancelled", cancelled), DONE]
    assert events == [("thread.run.created", queued), ("thread.run.queued", queued), *ends]

    events, expired = of_run(runs, lambda _: clock.forward(600))
    queued = run_object(expired)
    begin = [("thread.run.created", queued), ("thread.run.queued", queued)]
    assert events == [*begin, ("thread.run.expired", expired), DONE]


@pytest.mark.parametrize("status", ["cancelled", "expired"])
def test_a_run_that_ended_while_it_waited_shows_its_open_step_so(
    runs: Runs, chat: Chat, clock: Clock, status: str
) -> None:
    chat.replies = [calls(("call_1", "get_weather", "{}"))]

    def end(run: dict[str, Any]) -> None:
        runs.execute(run)
        if status == "cancelled":
            cancel(runs, run)
        else:
            clock.forward(600)

    events, run = of_run(runs, end, tools=[WEATHER])

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
    def execute(run: dict[str, Any]) -> None:
        runs.execute(run)
        newest = runs.client.page(run["thread_id"])["data"][0]
        runs.client.create("delete_message", run["thread_id"], newest["id"])

    events, run = of_run(runs, execute)

    (step,) = runs.steps(run)
    ends: list[Event] = [("thread.run.step.completed", step), ("thread.run.completed", run), DONE]
    assert events == [*begins(run), *step_begins(step), *ends]


def test_a_stream_ends_in_time_with_an_error_and_its_run_goes_on(
    runs: Runs, chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shared import responses

    monkeypatch.setattr(responses, "_SECONDS_OF_A_STREAM", 0.1)

    events, run = of_run(runs, lambda _: None)

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

    events, run = of_run(runs)

    message = f"The stream has reached its largest size. {GOES_ON.format(run['id'])}"
    (step,) = runs.steps(run)
    assert events == [
        *begins(run),
        step_begins(step)[0],
        ("error", expected.error(message, None, "stream_ended", "server_error")),
    ]


def test_a_thread_that_is_deleted_meanwhile_ends_the_stream_with_an_error(runs: Runs, chat: Chat, clock: Clock) -> None:
    thread_id, body = runs.thread(), {"assistant_id": runs.assistant()}

    def delete() -> None:
        runs.client.create("delete_thread", thread_id)

    events = streamed(runs, "create_run", thread_id, body=body, meanwhile=delete)

    assert events[2:] == [("error", expected.no_thread(thread_id))]


@pytest.mark.parametrize(
    ("effect", "error"),
    [
        (fault_injection.timeout, expected.BUSY),
        (fault_injection.error("AccessDeniedException"), expected.OUR_FAULT),
    ],
)
def test_a_fault_of_the_table_ends_the_stream_with_an_error(
    *, runs: Runs, clock: Clock, effect: fault_injection.Effect, error: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    thread_id, body = runs.thread(), {"assistant_id": runs.assistant(), "stream": True}

    with fault_injection.inject(Fault("BatchGetItem", effect, times=0)):
        events = events_of(runs.call("create_run", thread_id, body=body))

    assert events[2:] == [("error", error)]
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == ["stream"]


def test_a_refused_request_for_a_stream_is_an_error_in_json(runs: Runs) -> None:
    answer = runs.call("create_run", runs.thread(), body={"assistant_id": "asst_unknown", "stream": True})

    assert (answer.status, answer.headers["content-type"]) == (404, "application/json")


def test_a_repeated_key_streams_the_run_that_the_first_request_made(runs: Runs, chat: Chat, clock: Clock) -> None:
    thread_id, body, key = runs.thread(), {"assistant_id": runs.assistant()}, {"idempotency-key": "k-1"}

    def execute() -> None:
        runs.execute(active(runs, thread_id))

    first = streamed(runs, "create_run", thread_id, body=body, headers=key, meanwhile=execute)

    again = runs.call("create_run", thread_id, body=body | {"stream": True}, headers=key)

    assert again.headers["idempotent-replayed"] == "true"
    assert events_of(again) == first
    assert first[-1] == DONE


def test_a_fault_after_the_creation_is_an_event_so_that_no_sdk_creates_again(runs: Runs, clock: Clock) -> None:
    body = {"assistant_id": runs.assistant(), "thread": {"messages": [{"role": "user", "content": "Hello"}]}}
    denied = fault_injection.error("AccessDeniedException")

    with fault_injection.inject(Fault("BatchGetItem", denied)) as attempts:
        answer = runs.call("create_thread_and_run", body=body | {"stream": True})

    assert events_of(answer) == [("error", expected.OUR_FAULT)]
    assert attempts.operations[-2:] == ["TransactWriteItems", "BatchGetItem"]
