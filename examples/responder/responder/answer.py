"""Answers a message: reads its thread through the Message API, asks a chat endpoint, makes a command of the reply."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import openai

# Why a chat endpoint stopped before the end, in the words of a message.
_INCOMPLETE = {"length": "max_tokens", "content_filter": "content_filter"}


class Settings(NamedTuple):
    """The model, what it is told first (may be empty), how many messages it reads at most, whose reply it is."""

    model: str
    instructions: str
    last_messages: int
    assistant_id: str


def answer(event: dict[str, Any], api: openai.OpenAI, chat: openai.OpenAI, settings: Settings) -> dict[str, Any] | None:
    """Return the command that answers the message of an event, or None when it is answered already, or gone.

    `api` is a client of the Message API, `chat` one of the chat endpoint. Raises `openai.OpenAIError`.
    """
    thread_id, message_id = event["detail"]["thread_id"], event["detail"]["id"]
    # The same event gives the same run and the same command, so that a message is answered once.
    run_id = f"run_{message_id.removeprefix('msg_')}"
    messages = api.beta.threads.messages
    try:
        if messages.list(thread_id, run_id=run_id, limit=1).data:
            return None
        conversation = [messages.retrieve(message_id, thread_id=thread_id)]
        if settings.last_messages > 1:
            earlier = messages.list(thread_id, order="desc", after=message_id, limit=settings.last_messages - 1)
            conversation += earlier.data
    except openai.NotFoundError:
        return None
    asked = [{"role": message.role, "content": _asked(message)} for message in reversed(conversation)]
    if settings.instructions:
        asked.insert(0, {"role": "system", "content": settings.instructions})
    choice = chat.chat.completions.create(model=settings.model, messages=asked).choices[0]
    command = {
        "command_id": f"answer-{message_id}",
        "project": event["detail"]["project"],
        "thread_id": thread_id,
        "role": "assistant",
        "content": _content(choice.message),
        "assistant_id": settings.assistant_id,
        "run_id": run_id,
    }
    if choice.finish_reason in _INCOMPLETE:
        command |= {"status": "incomplete", "incomplete_details": {"reason": _INCOMPLETE[choice.finish_reason]}}
    return command


def _asked(message: Any) -> str | list[dict[str, Any]]:
    """Return a message's content as a chat endpoint takes it: one text where it can be, for not all take parts."""
    parts = [*_parts(message)]
    return parts if any(part["type"] != "text" for part in parts) else "\n".join(part["text"] for part in parts)


def _parts(message: Any) -> Iterator[dict[str, Any]]:
    """Yield the parts of a message; of a file the model is told only that there was one."""
    for part in message.content:
        if part.type == "text":
            yield {"type": "text", "text": part.text.value}
        elif part.type == "image_url" and message.role == "user":
            yield {"type": "image_url", "image_url": {"url": part.image_url.url, "detail": part.image_url.detail}}
        elif part.type == "refusal":
            yield {"type": "text", "text": part.refusal}
        else:
            yield {"type": "text", "text": "(an image)"}


def _content(message: Any) -> str | list[dict[str, Any]]:
    """Return the reply's content. Raises `openai.OpenAIError` for one that says nothing."""
    if message.refusal:
        return [{"type": "refusal", "refusal": message.refusal}]
    if not (message.content or "").strip():
        raise openai.OpenAIError("the model said nothing")
    return str(message.content)
