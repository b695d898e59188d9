"""Imports threads. Their objects have ids that this API did not create."""

import io
from typing import Any

from tests.support import expected
from tests.support.client import Client
from tests.support.expected import compact

THREAD = "thread_abc123"
# The time of the thread in the public documentation of the old API.
CREATED = 1_699_012_949


def thread(thread_id: str = THREAD, created_at: int = CREATED, **fields: Any) -> dict[str, Any]:
    """Return a thread object."""
    return expected.thread(thread_id, created_at, **fields)


def message(message_id: str, text: str = "hello", created_at: int = CREATED, **fields: Any) -> dict[str, Any]:
    """Return a message object. Its thread is THREAD unless `thread_id` is given."""
    own = expected.message(THREAD, message_id, created_at, [expected.text(text)])
    return own | fields


def jsonl(*objects: dict[str, Any] | str) -> bytes:
    """Return a file of these objects, one on each line. A string is written unchanged as its line."""
    return "".join(f"{found if isinstance(found, str) else compact(found)}\n" for found in objects).encode()


class Refused(list[tuple[int, str]]):
    """The lines of standard input that an import refused, with the reasons."""

    def add(self, place: str, reason: str) -> None:
        self.append((int(place.removeprefix("-:").partition(":")[0]), reason))


def bring(client: Client, *objects: dict[str, Any] | str | bytes, **options: Any) -> tuple[Any, list[tuple[int, str]]]:
    """Import objects, or a file, into a client's project. Return the counts and the refused lines."""
    from tools.transfer import imports

    file = b"".join(found if isinstance(found, bytes) else jsonl(found) for found in objects)
    refused = Refused()
    counts = imports.import_file(io.BytesIO(file), client.project, imports.Report(refused.add, refused.add), **options)
    return counts, refused


def brought(client: Client, *objects: dict[str, Any]) -> None:
    """Import objects. The import must not refuse any."""
    _, refused = bring(client, *objects)
    assert refused == []
