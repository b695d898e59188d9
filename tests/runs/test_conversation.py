"""The conversation that the worker sends to the model."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from shared.message_data import new_message_data
from shared.records import MessageData
from shared.runs.conversation import chat_messages
from shared.runs.records import RunSettings, ToolCall
from tests.support.expected_runs import call_object

SETTINGS = RunSettings("gpt-4o")
HELLO = {"role": "user", "content": "hello"}
URL = "https://example.com/a.png"
IMAGE = {"type": "image_url", "image_url": {"url": URL, "detail": "low"}}
FILE = {"type": "image_file", "image_file": {"file_id": "file-1"}}


def _user(content: Any) -> MessageData:
    return new_message_data({"role": "user", "content": content}, trusted=False)


def _assistant(content: Any) -> MessageData:
    return new_message_data({"role": "assistant", "content": content}, trusted=True)


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def _sent(*oldest_first: MessageData, context_tokens: int | None = None, **given: Any) -> Any:
    return chat_messages(SETTINGS._replace(**given), reversed(oldest_first), (), context_tokens)


def test_the_model_reads_instructions_then_the_thread_then_the_calls_of_the_run() -> None:
    rome = ToolCall("call_1", "get_weather", '{"city":"Rome"}', "sunny")
    here = ToolCall("call_2", "get_weather", "{}", None)
    oslo = ToolCall("call_3", "get_weather", '{"city":"Oslo"}', "")
    newest_first = [_assistant("Hi"), _user("hello")]

    messages = chat_messages(SETTINGS._replace(instructions="Be kind."), newest_first, [[rome, here], [oslo]], None)

    assert messages == [
        {"role": "system", "content": "Be kind."},
        HELLO,
        {"role": "assistant", "content": "Hi"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [call_object("call_1", '{"city":"Rome"}'), call_object("call_2", "{}")],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "sunny"},
        {"role": "tool", "tool_call_id": "call_2", "content": ""},
        {"role": "assistant", "content": None, "tool_calls": [call_object("call_3", '{"city":"Oslo"}')]},
        {"role": "tool", "tool_call_id": "call_3", "content": ""},
    ]


def test_without_instructions_there_is_no_system_message() -> None:
    assert _sent(_user("hello")) == [HELLO]


@pytest.mark.parametrize(
    ("content", "sent"),
    [
        ([_text("a"), _text("b")], "a\nb"),
        ([_text("a"), FILE], "a\n[image file file-1, which is not available here]"),
        ([IMAGE], [IMAGE]),
        ([_text("a"), _text("b"), IMAGE, _text("c")], [_text("a\nb"), IMAGE, _text("c")]),
        ([_text(""), IMAGE, IMAGE], [IMAGE, IMAGE]),
        ([_text(""), _text("b")], "b"),
    ],
    ids=["texts", "image file", "image", "texts beside an image", "empty text beside images", "empty text"],
)
def test_a_message_is_one_text_unless_it_has_images(content: list[Any], sent: Any) -> None:
    assert _sent(_user(content)) == [{"role": "user", "content": sent}]


def test_a_refusal_is_sent_as_text() -> None:
    refusal = MessageData("assistant", json.dumps([{"type": "refusal", "refusal": "No."}]))

    assert _sent(refusal) == [{"role": "assistant", "content": "No."}]


def test_an_empty_message_is_not_sent() -> None:
    empty = MessageData("assistant", json.dumps([{"type": "text", "text": {"value": "", "annotations": []}}]))

    assert _sent(_user("hello"), empty) == [HELLO]


def _read(messages: list[MessageData], read: list[MessageData]) -> Iterator[MessageData]:
    for message in messages:
        read.append(message)
        yield message


def test_last_messages_reads_no_more_than_it_sends() -> None:
    read: list[MessageData] = []
    newest_first = [_user("three"), _user("two"), _user("one")]
    settings = SETTINGS._replace(truncation_strategy={"type": "last_messages", "last_messages": 2})

    messages = chat_messages(settings, _read(newest_first, read), [], 1)

    assert messages == [{"role": "user", "content": "two"}, {"role": "user", "content": "three"}]
    assert read == newest_first[:2]


def test_last_messages_may_be_any_number() -> None:
    settings = SETTINGS._replace(truncation_strategy={"type": "last_messages", "last_messages": 10**26})

    assert chat_messages(settings, [_user("one")], [], 1) == [{"role": "user", "content": "one"}]


def test_the_oldest_messages_are_dropped_until_the_rest_fits() -> None:
    read: list[MessageData] = []
    newest_first = [_user("é" * 3), _assistant("b" * 6), _user("c"), _user("d")]
    settings = SETTINGS._replace(truncation_strategy={"type": "auto", "last_messages": None}, instructions="i" * 99)

    messages = chat_messages(settings, _read(newest_first, read), [[ToolCall("call_1", "f", "{}", "o" * 99)]], 4)

    assert messages is not None
    assert [message["content"] for message in messages[1:3]] == ["b" * 6, "é" * 3]
    assert read == newest_first[:3]


def test_the_runs_own_budget_precedes_the_context() -> None:
    thread = [_user("a" * 300), _user("b" * 468)]

    assert _sent(*thread, max_prompt_tokens=256, context_tokens=1) == [
        {"role": "user", "content": "a" * 300},
        {"role": "user", "content": "b" * 468},
    ]
    assert _sent(*thread, max_prompt_tokens=255, context_tokens=1000) == [{"role": "user", "content": "b" * 468}]


def test_an_image_counts_as_its_url() -> None:
    image = _user([_text("ab"), IMAGE])

    assert _sent(image, context_tokens=(len(URL) + 2) // 3) is not None
    assert _sent(image, context_tokens=(len(URL) + 1) // 3) is None


@pytest.mark.parametrize(
    "thread",
    [[_user("a" * 31)], [_user("a" * 31), _assistant("b")], [_user("a"), _assistant("b" * 31)]],
    ids=["it is the last", "an answer follows", "an answer is too long itself"],
)
def test_a_newest_user_message_that_alone_exceeds_the_budget_ends_the_run(thread: list[MessageData]) -> None:
    assert _sent(*thread, context_tokens=10) is None


@pytest.mark.parametrize(
    ("thread", "kept"),
    [
        ([_user("a" * 31), _user("b")], ["b"]),
        ([_user("a" * 30), _assistant("b")], ["b"]),
        ([_assistant("a" * 31), _assistant("b")], ["b"]),
    ],
    ids=["an older user message", "one that fits alone", "an older answer"],
)
def test_any_other_message_that_exceeds_the_budget_is_dropped(thread: list[MessageData], kept: list[str]) -> None:
    assert [message["content"] for message in _sent(*thread, context_tokens=10)] == kept
