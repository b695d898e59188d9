"""Tests of assistants and runs with the official Python SDK. pytest runs them in the same way as python_sdk.py.

Every test runs with the synchronous and with the asynchronous client, both with strict response validation. The model
is the endpoint of conftest.py: it repeats the last message, calls two functions when it has tools, and waits
when it is asked to.
"""

import os
import time
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

import openai
import pytest

from tests.e2e.python_client import Sdk, sdk

__all__ = ["sdk"]

ACTIVE = ("queued", "in_progress")
SAID = "You said: How does AI work?"
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
USAGE = {"completion_tokens": 3, "prompt_tokens": 7, "total_tokens": 10}


@pytest.fixture
def assistant_id(sdk: Sdk) -> str:
    return str(sdk.run(sdk.client.beta.assistants.create(model="gpt-4o", instructions="Be brief.")).id)


@pytest.fixture
def thread_id(sdk: Sdk) -> str:
    """Return the id of a thread with a question."""
    return asking(sdk, "How does AI work?")


def asking(sdk: Sdk, content: str) -> str:
    thread = sdk.run(sdk.threads.create())
    sdk.run(sdk.messages.create(thread.id, role="user", content=content))
    return str(thread.id)


def answer_of(sdk: Sdk, thread_id: str) -> str:
    """Return the newest message's text, in the way old programs read it."""
    return str(sdk.run(sdk.messages.list(thread_id)).data[0].content[0].text.value)


def polled(sdk: Sdk, thread_id: str, run: Any) -> Any:
    """Poll the run without a pause until it is not active, and return it."""
    while run.status in ACTIVE:
        run = sdk.run(sdk.threads.runs.retrieve(run.id, thread_id=thread_id))
    return run


def test_the_newest_message_is_the_answer(sdk: Sdk, assistant_id: str, thread_id: str) -> None:
    run = sdk.run(sdk.threads.runs.create_and_poll(thread_id=thread_id, assistant_id=assistant_id))
    assert (run.status, run.last_error, run.usage.model_dump()) == ("completed", None, USAGE)
    message, question = sdk.run(sdk.messages.list(thread_id)).data
    assert message.content[0].text.value == SAID
    assert (message.role, message.run_id, message.assistant_id) == ("assistant", run.id, assistant_id)
    assert (question.role, question.run_id) == ("user", None)
    assert sdk.walk(sdk.messages.list(thread_id, run_id=run.id)) == [message]
    assert sdk.run(sdk.threads.runs.retrieve(run.id, thread_id=thread_id)) == run
    assert sdk.walk(sdk.threads.runs.list(thread_id)) == [run]


def test_outputs_of_two_functions_are_submitted(sdk: Sdk, thread_id: str) -> None:
    assistant = sdk.run(sdk.client.beta.assistants.create(model="gpt-4o", tools=[WEATHER]))
    runs = sdk.threads.runs
    run = sdk.run(runs.create_and_poll(thread_id=thread_id, assistant_id=assistant.id, poll_interval_ms=50))
    assert run.status == "requires_action"
    calls = run.required_action.submit_tool_outputs.tool_calls
    assert [(call.function.name, call.function.arguments) for call in calls] == [
        ("get_weather", '{"city":"Rome"}'),
        ("get_weather", '{"city":"Oslo"}'),
    ]
    outputs = [{"tool_call_id": call.id, "output": f"sunny {number}"} for number, call in enumerate(calls)]
    submit = runs.submit_tool_outputs_and_poll
    run = sdk.run(submit(run_id=run.id, thread_id=thread_id, tool_outputs=outputs[::-1], poll_interval_ms=50))
    assert run.status == "completed"
    assert answer_of(sdk, thread_id) == "The functions returned: sunny 0, sunny 1"
    steps = sdk.walk(runs.steps.list(run.id, thread_id=thread_id, order="asc"))
    assert [(step.type, step.status) for step in steps] == [
        ("tool_calls", "completed"),
        ("message_creation", "completed"),
    ]
    assert [call.function.output for call in steps[0].step_details.tool_calls] == ["sunny 0", "sunny 1"]
    newest = sdk.run(sdk.messages.list(thread_id)).data[0]
    assert steps[1].step_details.message_creation.message_id == newest.id
    for step in steps:
        assert sdk.run(runs.steps.retrieve(step.id, thread_id=thread_id, run_id=run.id)) == step


def test_a_thread_is_created_and_run_at_once(sdk: Sdk, assistant_id: str) -> None:
    thread = {"messages": [{"role": "user", "content": "How does AI work?"}]}
    run = sdk.run(sdk.threads.create_and_run_poll(assistant_id=assistant_id, thread=thread, poll_interval_ms=50))
    assert run.status == "completed"
    assert answer_of(sdk, run.thread_id) == SAID


def test_a_cancelled_run_frees_its_thread_and_adds_nothing(sdk: Sdk, assistant_id: str) -> None:
    thread_id = asking(sdk, "Wait")
    runs = sdk.threads.runs
    run = sdk.run(runs.create(thread_id=thread_id, assistant_id=assistant_id))
    assert sdk.run(runs.cancel(run.id, thread_id=thread_id)).status == "cancelling"
    polled_run = sdk.run(runs.poll(run_id=run.id, thread_id=thread_id))
    assert (polled_run.status, polled_run.completed_at) == ("cancelled", None)
    sdk.run(sdk.messages.create(thread_id, role="user", content="Hello"))
    assert [message.role for message in sdk.walk(sdk.messages.list(thread_id))] == ["user", "user"]


def test_a_run_takes_its_own_settings_and_new_metadata(sdk: Sdk, assistant_id: str, thread_id: str) -> None:
    runs = sdk.threads.runs
    create = partial(runs.create_and_poll, thread_id=thread_id, assistant_id=assistant_id, poll_interval_ms=50)
    settings = {"model": "another", "additional_instructions": "Rhyme.", "metadata": {"a": "1"}, "temperature": 0.5}
    more = [{"role": "user", "content": "And why?"}]
    run = sdk.run(create(additional_messages=more, **settings))
    assert (run.model, run.instructions, run.metadata, run.temperature) == (
        "another",
        "Be brief.\nRhyme.",
        {"a": "1"},
        0.5,
    )
    assert answer_of(sdk, thread_id) == "You said: And why?"
    updated = sdk.run(runs.update(run.id, thread_id=thread_id, metadata={"b": "2"}))
    assert updated == run.model_copy(update={"metadata": {"b": "2"}})


def test_assistants_are_listed_updated_and_deleted(sdk: Sdk) -> None:
    assistants = sdk.client.beta.assistants
    created = sdk.run(assistants.create(model="gpt-4o", name=str(uuid.uuid4()), tools=[WEATHER], metadata={"a": "1"}))
    assert sdk.run(assistants.retrieve(created.id)) == created
    assert created.tools[0].function.model_dump(exclude_none=True) == WEATHER["function"]
    updated = sdk.run(assistants.update(created.id, instructions="Rhyme.", metadata={"b": "2"}))
    assert updated == created.model_copy(update={"instructions": "Rhyme.", "metadata": {"b": "2"}})
    assert sdk.walk(assistants.list(limit=1))[0] == updated
    assert len({assistant.id for assistant in sdk.walk(assistants.list(limit=2))}) > 2
    deleted = sdk.run(assistants.delete(created.id))
    assert (deleted.id, deleted.object, deleted.deleted) == (created.id, "assistant.deleted", True)
    with pytest.raises(openai.NotFoundError, match="No assistant found with id"):
        sdk.run(assistants.retrieve(created.id))


def test_errors_are_the_sdks_own_exceptions(sdk: Sdk, assistant_id: str) -> None:
    thread_id = asking(sdk, "Wait")
    runs = sdk.threads.runs
    run = sdk.run(runs.create(thread_id=thread_id, assistant_id=assistant_id))
    refused: list[tuple[Callable[[], Any], type[openai.APIStatusError], str]] = [
        (
            lambda: runs.create(thread_id=thread_id, assistant_id=assistant_id),
            openai.BadRequestError,
            f"Thread {thread_id} already has an active run {run.id}.",
        ),
        (
            lambda: sdk.messages.create(thread_id, role="user", content="Hello"),
            openai.BadRequestError,
            f"Can't add messages to {thread_id} while a run {run.id} is active.",
        ),
        (
            lambda: runs.submit_tool_outputs(run.id, thread_id=thread_id, tool_outputs=[]),
            openai.BadRequestError,
            "do not accept tool outputs.",
        ),
        (
            lambda: runs.create(thread_id=thread_id, assistant_id="asst_none"),
            openai.NotFoundError,
            "No assistant found with id 'asst_none'.",
        ),
        (
            lambda: runs.retrieve("run_none", thread_id=thread_id),
            openai.NotFoundError,
            "No run found with id 'run_none'.",
        ),
        (
            lambda: sdk.new_client(api_key=os.environ["OTHER_API_KEY"]).beta.assistants.retrieve(assistant_id),
            openai.NotFoundError,
            f"No assistant found with id '{assistant_id}'.",
        ),
    ]
    for call, kind, text in refused:
        with pytest.raises(kind) as raised:
            sdk.run(call())
        assert text in raised.value.message
        assert raised.value.type == "invalid_request_error"
    sdk.run(runs.cancel(run.id, thread_id=thread_id))
    with pytest.raises(openai.BadRequestError, match="Cannot cancel run with status 'cancelled'"):
        sdk.run(runs.cancel(run.id, thread_id=thread_id))


@pytest.mark.skipif(openai.__version__.startswith("1.35."), reason="1.35 does not say that it sends a request again")
def test_a_create_and_a_submit_whose_answers_are_lost_do_no_harm(sdk: Sdk, thread_id: str) -> None:
    assistant = sdk.run(sdk.client.beta.assistants.create(model="gpt-4o", tools=[WEATHER]))
    lossy = sdk.new_client(base_url=os.environ["LOSSY_BASE_URL"]).beta.threads.runs

    def lost() -> dict[str, str]:
        return {"x-lose": str(uuid.uuid4())}

    run = sdk.run(lossy.create(thread_id=thread_id, assistant_id=assistant.id, extra_headers=lost()))
    waiting = polled(sdk, thread_id, run)
    calls = waiting.required_action.submit_tool_outputs.tool_calls
    outputs = [{"tool_call_id": call.id, "output": "sunny"} for call in calls]
    submit = lossy.submit_tool_outputs
    sent = sdk.run(submit(run.id, thread_id=thread_id, tool_outputs=outputs, extra_headers=lost()))
    assert sent.id == run.id
    assert polled(sdk, thread_id, sent).status == "completed"
    assert len(sdk.walk(sdk.messages.list(thread_id))) == 2
    assert len(sdk.walk(sdk.threads.runs.list(thread_id))) == 1


def test_a_run_is_polled_as_often_as_the_server_says(sdk: Sdk, assistant_id: str, thread_id: str) -> None:
    started = time.monotonic()
    sdk.run(sdk.threads.runs.create_and_poll(thread_id=thread_id, assistant_id=assistant_id))
    assert time.monotonic() - started < 3
