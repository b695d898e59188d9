"""The messages for the model: the instructions, the thread, and the calls of this run with their outputs."""

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice

from shared.records import MessageData
from shared.runs.records import Json, RunSettings, ToolCall

# An estimate without the model's tokenizer. English has four bytes per token, most other languages three or more.
_BYTES_PER_TOKEN = 3


def chat_messages(
    settings: RunSettings,
    newest_first: Iterable[MessageData],
    turns: Sequence[Sequence[ToolCall]],
    context_tokens: int | None,
) -> list[Json] | None:
    """Return the messages for the model, oldest first, or None if the newest message alone exceeds the budget.

    The result is also None if the user's newest message alone exceeds the budget. The budget is the run's
    max_prompt_tokens, or else `context_tokens`. `newest_first` is read only as far as needed. `turns` are the run's own
    calls, one sequence for each tool_calls step.
    """
    thread = _newest_messages(settings, newest_first, context_tokens)
    if thread is None:
        return None
    system = [{"role": "system", "content": settings.instructions}] if settings.instructions else []
    return [*system, *reversed(thread), *(message for calls in turns for message in _call_turn(calls))]


def _newest_messages(
    settings: RunSettings, newest_first: Iterable[MessageData], context_tokens: int | None
) -> list[Json] | None:
    strategy = settings.truncation_strategy or {}
    if strategy.get("type") == "last_messages":
        return list(_sent(islice(newest_first, min(strategy["last_messages"], sys.maxsize))))
    budget = settings.max_prompt_tokens or context_tokens
    return list(_sent(newest_first)) if budget is None else _fitting(_sent(newest_first), budget * _BYTES_PER_TOKEN)


def _fitting(newest_first: Iterator[Json], limit: int) -> list[Json] | None:
    """Return the newest messages that have at most `limit` bytes together, or None as `chat_messages` does."""
    taken: list[Json] = []
    remaining = limit
    for message in newest_first:
        size = _size(message["content"])
        if size > remaining:
            newest_of_user = message["role"] == "user" and all(other["role"] != "user" for other in taken)
            return None if not taken or (newest_of_user and size > limit) else taken
        taken.append(message)
        remaining -= size
    return taken


def _sent(messages: Iterable[MessageData]) -> Iterator[Json]:
    """Yield the messages in the form of the chat API, without empty ones."""
    for message in messages:
        if content := _content(json.loads(message.content)):
            yield {"role": message.role, "content": content}


def _content(stored: list[Json]) -> str | list[Json]:
    """Return one text if a message has no images, because some endpoints make a message of each text part."""
    parts: list[Json] = []
    for is_image, group in groupby(stored, lambda part: part["type"] == "image_url"):
        if is_image:
            parts.extend({"type": "image_url", "image_url": part["image_url"]} for part in group)
        elif text := "\n".join(filter(None, map(_text, group))):
            parts.append({"type": "text", "text": text})
    if any(part["type"] == "image_url" for part in parts):
        return parts
    return parts[0]["text"] if parts else ""


def _text(part: Json) -> str:
    match part["type"]:
        case "text":
            text = part["text"]["value"]
        case "refusal":
            text = part["refusal"]
        case _:
            text = f"[image file {part['image_file']['file_id']}, which is not available here]"
    return str(text)


def _size(content: str | list[Json]) -> int:
    """Return the bytes of a content in UTF-8; an image counts as its URL."""
    if isinstance(content, str):
        return len(content.encode())
    return sum(len((part["text"] if "text" in part else part["image_url"]["url"]).encode()) for part in content)


def _call_turn(calls: Sequence[ToolCall]) -> Iterator[Json]:
    asked = [
        {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
        for call in calls
    ]
    yield {"role": "assistant", "content": None, "tool_calls": asked}
    for call in calls:
        # The message omits the function's name, because some endpoints refuse it.
        yield {"role": "tool", "tool_call_id": call.id, "content": call.output or ""}
