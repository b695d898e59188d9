"""The copy: reads the objects of a live endpoint with the official SDK, and writes them as lines of JSON."""

import json
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import dropwhile
from typing import Any

import openai
from openai.pagination import SyncCursorPage
from openai.types.beta import Thread

from tools.transfer.errors import SourceError
from tools.transfer.exports import Advance
from tools.transfer.files import Refuse
from tools.transfer.objects import with_attachments
from tools.transfer.parts import PartFile

_THREAD = ("id", "object", "created_at", "metadata", "tool_resources")
_MESSAGE = (
    *("id", "object", "created_at", "assistant_id", "thread_id", "run_id", "role", "content", "attachments"),
    *("metadata", "status", "incomplete_details", "completed_at", "incomplete_at"),
)
_ASSISTANT = (
    *("id", "object", "created_at", "name", "description", "model", "instructions", "tools", "top_p", "temperature"),
    *("reasoning_effort", "tool_resources", "metadata", "response_format", "file_ids"),
)
_AT_ONCE = 100


def client(*, azure: bool) -> Any:
    """Return the SDK's client, which reads its settings from the environment. Raises `SourceError`."""
    # The SDK warns at every call that the API is deprecated.
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    try:
        return openai.AzureOpenAI(max_retries=5) if azure else openai.OpenAI(max_retries=5)
    except openai.OpenAIError as error:
        raise SourceError(" ".join(str(error).split())) from error


def listed(source: Any) -> Iterator[str]:
    """Yield the ids of all threads, oldest first, from an endpoint that can list them. Raises `SourceError`."""
    page, options = SyncCursorPage[Thread], {"params": {"order": "asc", "limit": _AT_ONCE}}
    try:
        for thread in source.get_api_list("/threads", model=Thread, page=page, options=options):
            yield thread.id
    except (openai.NotFoundError, openai.BadRequestError) as error:
        raise SourceError(
            "this endpoint does not list threads: give their ids, as arguments or with --threads"
        ) from error


def copy(
    source: Any, thread_ids: Iterable[str], into: PartFile, refuse: Refuse, advance: Advance
) -> tuple[int, Counter[str]]:
    """Write the assistants and the threads with these ids. An earlier copy continues at the file's last thread.

    Return the number of assistants and the fields that were omitted. `refuse` gets the threads that do not exist.
    Raises `SourceError`, `OSError`.
    """
    unknown: Counter[str] = Counter()
    assistants = done = 0
    try:
        last = into.last_thread()
        if into.is_empty():
            assistants = _copy_assistants(source, into, unknown)
        for thread_id in _from(last, thread_ids):
            try:
                advance(1, _copy_thread(source, thread_id, into, unknown))
                done += 1
            except openai.NotFoundError:
                into.drop()
                refuse(thread_id, "the endpoint has no such thread")
    except (openai.AuthenticationError, openai.PermissionDeniedError) as error:
        raise SourceError(
            f"the key was refused ({error.status_code}) after {done} threads; with another key the command continues"
        ) from error
    except openai.OpenAIError as error:
        raise SourceError(
            f"{type(error).__name__} after {done} threads; the same command continues from there"
        ) from error
    return assistants, unknown


def _from(last: str | None, thread_ids: Iterable[str]) -> Iterator[str]:
    """Yield the ids, beginning with the id of the file's last thread. Raises `SourceError` if this id is missing."""
    rest = iter(thread_ids) if last is None else dropwhile(lambda thread_id: thread_id != last, thread_ids)
    first = next(rest, None)
    if first is not None:
        yield first
        yield from rest
    elif last is not None:
        raise SourceError(f"the part file ends with {last}, which does not exist any more: delete the part file")


def _copy_assistants(source: Any, into: PartFile, unknown: Counter[str]) -> int:
    """Write the assistants, if the endpoint has them; return their number."""
    count = 0
    with suppress(openai.NotFoundError):
        for assistant in source.beta.assistants.list(order="asc", limit=_AT_ONCE):
            into.add(_line(assistant, _ASSISTANT, unknown))
            count += 1
    return count


def _copy_thread(source: Any, thread_id: str, into: PartFile, unknown: Counter[str]) -> int:
    """Write a thread; return the number of its messages."""
    into.mark()
    into.add(_line(source.beta.threads.retrieve(thread_id), _THREAD, unknown))
    count = 0
    for message in source.beta.threads.messages.list(thread_id, order="asc", limit=_AT_ONCE):
        into.add(_line(message, _MESSAGE, unknown))
        count += 1
    return count


def _line(item: Any, known: tuple[str, ...], unknown: Counter[str]) -> str:
    """Return an object as a line, without the fields that the import does not know."""
    # The SDK's models keep unexpected values, but would warn of them.
    fields = item.to_dict(mode="json", exclude_unset=True, warnings=False)
    if fields["object"] == "thread.message":
        fields = with_attachments(fields)
    unknown.update(f"{fields['object']}.{name}" for name in fields.keys() - {*known})
    kept = {name: fields[name] for name in known if name in fields}
    text = json.dumps(kept, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:  # a lone surrogate: the import will refuse the object and give the reason
        return json.dumps(kept, separators=(",", ":"))
    return text
