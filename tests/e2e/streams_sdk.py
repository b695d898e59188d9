"""Tests of streams of runs with the official Python SDK. pytest runs them in the same way as runs_sdk.py.

The model is the endpoint of conftest.py: it answers in two pieces, calls two functions when it has tools, refuses
the message "Fail", breaks off after "Half", and takes its time over "Slowly".
"""

import os
from collections.abc import Iterable
from itertools import groupby
from typing import Any

import openai
import pytest

from tests.e2e.python_client import Sdk, sdk
from tests.e2e.runs_sdk import WEATHER, asking, assistant_id, thread_id

__all__ = ["assistant_id", "sdk", "thread_id"]

BEGINS = ["thread.run.created", "thread.run.queued", "thread.run.in_progress"]
MESSAGE = [
    *(f"thread.run.step.{name}" for name in ("created", "in_progress")),
    *(f"thread.message.{name}" for name in ("created", "in_progress", "delta")),
]
ANSWER = [*MESSAGE, "thread.message.completed", "thread.run.step.completed"]
CALLS = [f"thread.run.step.{name}" for name in ("created", "in_progress", "delta")]
CALLBACKS = [f"{what}_{when}" for what in ("text", "tool_call") for when in ("created", "delta", "done")]
CALLBACKS += ["message_done", "run_step_done", "end"]


def events_of(sdk: Sdk, call: Any) -> list[Any]:
    """Return the events of a stream that `create(stream=True)` returned."""
    return sdk.walk(sdk.run(call))


def names(events: list[Any]) -> list[str]:
    """Return the names of events. Several deltas of one message count as one."""
    return merged(event.event for event in events)


def merged(found: Iterable[str]) -> list[str]:
    return [name for name, same in groupby(found) for name in ([name] if "delta" in name else same)]


def followed(sdk: Sdk, stream: Any, **arguments: Any) -> tuple[Any, list[str]]:
    """Follow a stream with an event handler to its end. Return the handler and the names of its callbacks."""
    log: list[str] = []

    def note(name: str) -> Any:
        def on(*_: Any) -> None:
            log.append(name)

        async def on_async(*_: Any) -> None:
            log.append(name)

        return on_async if sdk.runner else on

    base: Any = openai.AsyncAssistantEventHandler if sdk.runner else openai.AssistantEventHandler
    handler = type("Handler", (base,), {f"on_{name}": note(name) for name in CALLBACKS})()
    manager = stream(event_handler=handler, **arguments)

    async def follow() -> None:
        async with manager as opened:
            await opened.until_done()

    if sdk.runner:
        sdk.runner.run(follow())
    else:
        with manager as opened:
            opened.until_done()
    return handler, log


def test_an_answer_comes_event_by_event(sdk: Sdk, assistant_id: str, thread_id: str) -> None:
    runs = sdk.threads.runs
    events = events_of(sdk, runs.create(thread_id, assistant_id=assistant_id, stream=True))
    assert names(events) == [*BEGINS, *ANSWER, "thread.run.completed"]
    texts = [event.data.delta.content[0].text for event in events if event.event == "thread.message.delta"]
    assert "".join(text.value for text in texts) == "You said: How does AI work?"
    assert [text.annotations for text in texts] == [[], None][: len(texts)]
    run, step, message = events[-1].data, events[-2].data, events[-3].data
    assert run == sdk.run(runs.retrieve(run.id, thread_id=thread_id))
    assert sdk.walk(runs.steps.list(run.id, thread_id=thread_id)) == [step]
    assert sdk.run(sdk.messages.list(thread_id)).data[0] == message


def test_an_event_handler_hears_of_the_text(sdk: Sdk, assistant_id: str, thread_id: str) -> None:
    handler, log = followed(sdk, sdk.threads.runs.stream, thread_id=thread_id, assistant_id=assistant_id)
    texts = ["text_created", "text_delta", "text_done", "message_done", "run_step_done", "end"]
    assert merged(log) == texts
    (message,) = sdk.run(handler.get_final_messages())
    assert message.content[0].text.value == "You said: How does AI work?"
    assert sdk.run(handler.get_final_run()).status == "completed"


def test_function_calls_and_their_outputs_are_streamed(sdk: Sdk, thread_id: str) -> None:
    assistant = sdk.run(sdk.client.beta.assistants.create(model="gpt-4o", tools=[WEATHER]))
    runs = sdk.threads.runs
    events = events_of(sdk, runs.create(thread_id, assistant_id=assistant.id, stream=True))
    assert names(events) == [*BEGINS, *CALLS, "thread.run.requires_action"]
    run = events[-1].data
    calls = run.required_action.submit_tool_outputs.tool_calls
    outputs = [{"tool_call_id": call.id, "output": f"sunny {number}"} for number, call in enumerate(calls)]
    submit = runs.submit_tool_outputs(run.id, thread_id=thread_id, tool_outputs=outputs, stream=True)
    events = events_of(sdk, submit)
    assert names(events) == ["thread.run.step.completed", *BEGINS[1:], *ANSWER, "thread.run.completed"]
    assert [call.function.output for call in events[0].data.step_details.tool_calls] == ["sunny 0", "sunny 1"]


def test_an_event_handler_hears_of_function_calls(sdk: Sdk, thread_id: str) -> None:
    assistant = sdk.run(sdk.client.beta.assistants.create(model="gpt-4o", tools=[WEATHER]))
    runs = sdk.threads.runs
    handler, log = followed(sdk, runs.stream, thread_id=thread_id, assistant_id=assistant.id)
    call = ["tool_call_created", "tool_call_delta", "tool_call_done"]
    assert log == [*call, *call, "end"]
    run = handler.current_run
    calls = run.required_action.submit_tool_outputs.tool_calls
    assert [call.function.arguments for call in calls] == ['{"city":"Rome"}', '{"city":"Oslo"}']
    outputs = [{"tool_call_id": call.id, "output": "sunny"} for call in calls]
    submit = runs.submit_tool_outputs_stream
    handler, log = followed(sdk, submit, run_id=run.id, thread_id=thread_id, tool_outputs=outputs)
    assert log[-5:] == ["text_delta", "text_done", "message_done", "run_step_done", "end"]
    assert handler.current_run.status == "completed"


def test_a_thread_is_created_and_run_in_one_stream(sdk: Sdk, assistant_id: str) -> None:
    thread = {"messages": [{"role": "user", "content": "How does AI work?"}]}
    events = events_of(sdk, sdk.threads.create_and_run(assistant_id=assistant_id, thread=thread, stream=True))
    assert names(events) == ["thread.created", *BEGINS, *ANSWER, "thread.run.completed"]
    assert sdk.run(sdk.threads.retrieve(events[0].data.id)) == events[0].data
    _, log = followed(sdk, sdk.threads.create_and_run_stream, assistant_id=assistant_id, thread=thread)
    assert log[-1] == "end"


@pytest.mark.parametrize(
    ("content", "ends"),
    [
        ("Fail", ["thread.run.failed"]),
        ("Half", [*MESSAGE, "thread.message.incomplete", "thread.run.step.failed", "thread.run.failed"]),
    ],
)
def test_a_failed_run_ends_its_stream(sdk: Sdk, assistant_id: str, content: str, ends: list[str]) -> None:
    thread_id = asking(sdk, content)
    events = events_of(sdk, sdk.threads.runs.create(thread_id, assistant_id=assistant_id, stream=True))
    assert names(events) == [*BEGINS, *ends]
    assert events[-1].data.last_error.code in ("server_error", "invalid_prompt")


def test_a_run_is_cancelled_while_it_streams(sdk: Sdk, assistant_id: str) -> None:
    thread_id = asking(sdk, "Slowly")
    other = sdk.new_client() if not sdk.runner else openai.OpenAI()
    seen = []

    def note(event: Any) -> None:
        seen.append(event.event)
        if seen.count("thread.message.delta") == 1 and event.event == "thread.message.delta":
            (run,) = other.beta.threads.runs.list(thread_id)
            other.beta.threads.runs.cancel(run.id, thread_id=thread_id)

    stream = sdk.run(sdk.threads.runs.create(thread_id, assistant_id=assistant_id, stream=True))

    async def follow() -> None:
        async for event in stream:
            note(event)

    if sdk.runner:
        sdk.runner.run(follow())
    else:
        for event in stream:
            note(event)
    ends = ["thread.run.cancelling", "thread.message.incomplete", "thread.run.step.cancelled", "thread.run.cancelled"]
    assert seen[:8] == [*BEGINS, *MESSAGE]
    assert [name for name in seen[8:] if name != "thread.message.delta"] == ends
    assert len(sdk.run(sdk.messages.list(thread_id)).data) == 1


@pytest.mark.skipif(openai.__version__.startswith("1.35."), reason="1.35 does not say that it sends a request again")
def test_a_stream_whose_beginning_is_lost_is_streamed_again(sdk: Sdk, assistant_id: str, thread_id: str) -> None:
    lossy = sdk.new_client(base_url=os.environ["LOSSY_BASE_URL"]).beta.threads.runs
    headers = {"x-lose": f"stream {thread_id}"}
    create = lossy.create(thread_id, assistant_id=assistant_id, stream=True, extra_headers=headers)
    events = events_of(sdk, create)
    assert names(events)[:3] == BEGINS
    assert names(events)[-1] == "thread.run.completed"
    assert len(sdk.walk(sdk.threads.runs.list(thread_id))) == 1
