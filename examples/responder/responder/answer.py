"""Replies to a message: reads its thread through the Message API, calls a chat endpoint, makes a command."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import openai

# A chat endpoint's finish_reason -> the reason in a message's incomplete_details.
_INCOMPLETE = {"length": "max_tokens", "content_filter": "content_filter"}


class Settings(NamedTuple):
    """The model, its instructions (may be empty), how many messages it reads at most, and the reply's assistant_id."""

    model: str
    instructions: str
    last_messages: int
    assistant_id: str


def answer(event: dict[str, Any], api: openai.OpenAI, chat: openai.OpenAI, settings: Settings) -> dict[str, Any] | None:
    """Return the command that replies to the message of an event. Return None if it has a reply or was deleted.

    `api` is a client of the Message API. `chat` is a client of the chat endpoint. Raises `openai.OpenAIError`.
    """
    thread_id, message_id = event["detail"]["thread_id"], event["detail"]["id"]
    # The same event makes the same run id and command id, so a message gets one reply.
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
    asked: list[Any] = [{"role": message.role, "content": _asked(message)} for message in reversed(conversation)]
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
    """Return a message's content for a chat endpoint: one text if possible, because not all endpoints accept parts."""
    parts = [*_parts(message)]
    return parts if any(part["type"] != "text" for part in parts) else "\n".join(part["text"] for part in parts)


def _parts(message: Any) -> Iterator[dict[str, Any]]:
    """Yield the parts of a message. A text stands in for an image that the model cannot get."""
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
    """Return the reply's content. Raises `openai.OpenAIError` if the reply is empty."""
    if message.refusal:
        return [{"type": "refusal", "refusal": message.refusal}]
    if not (message.content or "").strip():
        raise openai.OpenAIError("the model said nothing")
    return str(message.content)
