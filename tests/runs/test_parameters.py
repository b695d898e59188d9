"""Which of a run's settings are sent to the model's endpoint."""

from typing import Any

import pytest

from shared.runs.endpoint import Endpoint
from shared.runs.parameters import chat_request
from shared.runs.records import RunSettings, Usage

SETTINGS = RunSettings("gpt-4o")
ENDPOINT = Endpoint("http://model")
HELLO = {"role": "user", "content": "hello"}
FUNCTION = {"type": "function", "function": {"name": "weather"}}


def _requested(endpoint: Endpoint = ENDPOINT, used: int = 0, **given: Any) -> Any:
    """Return a request's parameters other than those of model, messages and stream."""
    request = chat_request(endpoint, SETTINGS._replace(**given), [HELLO], Usage(500, used))
    always = {"model": "gpt-4o", "messages": [HELLO], "stream": True, "stream_options": {"include_usage": True}}
    assert request is not None
    assert request.items() >= always.items()
    return {name: value for name, value in request.items() if name not in always}


def test_only_what_was_given_is_sent() -> None:
    assert _requested() == {}
    assert _requested(tools=(), tool_choice="auto", parallel_tool_calls=True) == {}
    assert _requested(temperature=0.0, top_p=0.5, reasoning_effort="low") == {
        "temperature": 0.0,
        "top_p": 0.5,
        "reasoning_effort": "low",
    }


def test_a_function_without_parameters_is_sent_with_empty_ones() -> None:
    function = {"name": "weather", "parameters": {"type": "object", "properties": {}}}

    assert _requested(tools=(FUNCTION,)) == {"tools": [{"type": "function", "function": function}]}


def test_a_function_is_sent_as_given_and_strict_only_when_true() -> None:
    function = {"name": "weather", "description": "Now", "parameters": {"type": "object", "required": ["city"]}}
    tools = [{"type": "function", "function": function | {"strict": strict}} for strict in (True, False, None)]

    sent = [function | {"strict": True}, function, function]

    assert _requested(tools=tools)["tools"] == [{"type": "function", "function": one} for one in sent]


@pytest.mark.parametrize("kind", ["code_interpreter", "file_search"])
def test_tools_that_are_no_functions_are_not_sent(kind: str) -> None:
    other = {"type": kind}

    assert _requested(tools=(other,), tool_choice=other, parallel_tool_calls=False) == {}
    assert _requested(tools=(other, FUNCTION), tool_choice=other) == _requested(tools=(FUNCTION,), tool_choice="auto")


@pytest.mark.parametrize("choice", ["none", "auto", "required", {"type": "function", "function": {"name": "weather"}}])
def test_a_choice_of_tools_is_sent_as_it_is(choice: Any) -> None:
    sent = _requested(tools=(FUNCTION,), tool_choice=choice, parallel_tool_calls=False)

    assert (sent["tool_choice"], sent["parallel_tool_calls"]) == (choice, False)


@pytest.mark.parametrize(
    "given", [{"type": "text"}, {"type": "json_object"}, {"type": "json_schema", "json_schema": {"name": "a"}}]
)
def test_a_response_format_is_sent_as_it_is(given: Any) -> None:
    assert _requested(response_format=given) == {"response_format": given}


@pytest.mark.parametrize("parameter", ["max_tokens", "max_completion_tokens"])
def test_the_run_shares_its_completion_tokens_among_its_calls(parameter: str) -> None:
    endpoint = Endpoint("http://model", max_tokens_parameter=parameter)

    assert _requested(endpoint, 30, max_completion_tokens=100) == {parameter: 70}


def test_a_run_that_has_used_its_completion_tokens_makes_no_call() -> None:
    settings = SETTINGS._replace(max_completion_tokens=100)

    assert chat_request(ENDPOINT, settings, [HELLO], Usage(0, 100)) is None


@pytest.mark.parametrize(
    ("pairs", "used"),
    [({}, "gpt-4o"), ({"gpt-4o": "a", "*": "b"}, "a"), ({"gpt-3.5": "a", "*": "b"}, "b"), ({"x": "a"}, "gpt-4o")],
)
def test_the_endpoint_is_sent_its_own_name_of_the_model(pairs: dict[str, str], used: str) -> None:
    request = chat_request(Endpoint("http://model", model_map=pairs), SETTINGS, [HELLO], Usage())

    assert request is not None
    assert request["model"] == used
