"""The stand-in for a model that `MODEL_URL=demo` starts. It gets requests like those of a run."""

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from shared.runs import model
from shared.runs.endpoint import Endpoint
from shared.runs.records import Outcome, ToolCall, Usage
from tools.local import demo_model

WEATHER = {
    "name": "get_weather",
    "parameters": {
        "type": "object",
        "properties": {
            "city": {"type": "string"},
            "unit": {"enum": ["C", "F"]},
            "days": {"type": ["integer", "null"]},
            "place": {"properties": {"height": {"type": "number"}, "name": {"type": "string"}}, "required": ["height"]},
            "exact": {"const": False},
            "language": {"type": "string", "default": "en"},
            "comment": {"type": "string"},
        },
        "required": ["city", "unit", "days", "place", "exact", "language", "undescribed"],
    },
}
TOOLS = [{"type": "function", "function": function} for function in (WEATHER, {"name": "get_time"})]
WEATHER_CALL = ToolCall(
    "call_demo_0",
    "get_weather",
    json.dumps(
        {
            "city": "demo",
            "unit": "C",
            "days": 1,
            "place": {"height": 1.5},
            "exact": False,
            "language": "en",
            "undescribed": "demo",
        }
    ),
)
TIME_CALL = ToolCall("call_demo_0", "get_time", "{}")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with demo_model.running() as url:
        yield url


def _ask(url: str, *messages: dict[str, Any], **asked: Any) -> Outcome:
    request = {"model": "gpt-4o", "messages": list(messages), "stream": True} | asked
    return model.ask(Endpoint(url), request, time.time() + 30, lambda _: None)


def _user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def test_the_demo_repeats_the_last_user_message_and_says_what_it_is(url: str) -> None:
    asked = [_user("Hello"), {"role": "assistant", "content": "Hi"}, _user("How are\nyou?")]

    text = "This is a demo without a model. You said: How are\nyou?"
    assert _ask(url, *asked) == Outcome("completed", text, usage=Usage(5, 12))
    image = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
    assert _ask(url, _user([{"type": "text", "text": "See"}, image])).text == (
        "This is a demo without a model. You said: See (an image)"
    )
    assert _ask(url, {"role": "system", "content": "Be kind."}).text == "This is a demo without a model. You said:"


@pytest.mark.parametrize("limit", ["max_tokens", "max_completion_tokens"])
def test_the_demo_keeps_the_limit_of_tokens(url: str, limit: str) -> None:
    outcome = _ask(url, _user("Hello"), **{limit: 4})

    assert (outcome.status, outcome.text, outcome.usage) == ("incomplete", "This is a demo", Usage(1, 4))


@pytest.mark.parametrize(
    ("text", "choice", "calls"),
    [
        ("Please get_weather now", "auto", [WEATHER_CALL]),
        ("Please get_weather now", None, [WEATHER_CALL]),
        ("get_time and get_weather", "auto", [WEATHER_CALL, TIME_CALL._replace(id="call_demo_1")]),
        ("Hello", "required", [WEATHER_CALL]),
        ("get_time", "required", [TIME_CALL]),
        ("Hello", {"type": "function", "function": {"name": "get_time"}}, [TIME_CALL]),
        ("What's the weather today?", "auto", [WEATHER_CALL]),
        ("WEATHER", "auto", [WEATHER_CALL]),
        ("Whether I get there at times?", "auto", []),
        ("Hello", "auto", []),
        ("get_weather", "none", []),
    ],
)
def test_the_demo_calls_the_functions_that_a_message_asks_for(
    url: str, text: str, choice: Any, calls: list[ToolCall]
) -> None:
    outcome = _ask(url, _user(text), tools=TOOLS, tool_choice=choice)

    assert list(outcome.calls) == calls
    assert outcome.status == ("requires_action" if calls else "completed")


def test_the_demo_knows_the_words_of_names_in_any_case(url: str) -> None:
    tools = [{"type": "function", "function": {"name": name}} for name in ("getRainToday", "send-mail", "add", "LIST")]
    called = [
        [call.name for call in _ask(url, _user(text), tools=tools).calls]
        for text in ("Rain?", "The MAIL", "today, list them", "an address", "add 1")
    ]
    assert called == [["getRainToday"], ["send-mail"], ["getRainToday", "LIST"], ["add"], ["add"]]


def test_the_demo_calls_one_function_when_calls_may_not_be_parallel(url: str) -> None:
    request = {"messages": [_user("get_time and get_weather")], "tools": TOOLS, "parallel_tool_calls": False}

    chunk = next(demo_model.chunks(request | {"model": "gpt-4o"}))

    assert len(chunk["choices"][0]["delta"]["tool_calls"]) == 1


def test_the_demo_answers_with_the_outputs_of_its_calls(url: str) -> None:
    turn: list[dict[str, Any]] = [
        {"role": "assistant", "content": None, "tool_calls": []},
        {"role": "tool", "tool_call_id": "call_demo_0", "content": "sunny"},
        {"role": "tool", "tool_call_id": "call_demo_1", "content": "noon"},
    ]

    outcome = _ask(url, _user("get_time and get_weather"), *turn, tools=TOOLS, tool_choice="required")

    assert outcome.text == "This is a demo without a model. The functions returned: sunny, noon"


def test_a_message_as_long_as_may_be_is_answered(url: str) -> None:
    outcome = _ask(url, _user("word " * 51_200))

    assert (outcome.status, len(outcome.text or "")) == ("incomplete", 256_000)


def test_another_path_is_not_found(url: str) -> None:
    assert httpx.post(f"{url}/v1/models", json={}).status_code == 404
