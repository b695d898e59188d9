"""Threads that were imported: objects with ids that were not made here, and the import of them."""

import io
from typing import Any

from tests.support import expected
from tests.support.client import Client
from tests.support.expected import compact

THREAD = "thread_abc123"
# What the public documentation of the old API has as the time of its thread.
CREATED = 1_699_012_949


def thread(thread_id: str = THREAD, created_at: int = CREATED, **fields: Any) -> dict[str, Any]:
    """Return a thread object."""
    return expected.thread(thread_id, created_at, **fields)


def message(message_id: str, text: str = "hello", created_at: int = CREATED, **fields: Any) -> dict[str, Any]:
    """Return a message object; its thread is THREAD unless `thread_id` says another."""
    own = expected.message(THREAD, message_id, created_at, [expected.text(text)])
    return own | fields


def jsonl(*objects: dict[str, Any] | str) -> bytes:
    """Return a file of these objects, one a line; a text is a line as it is."""
    return "".join(f"{found if isinstance(found, str) else compact(found)}\n" for found in objects).encode()


class Refused(list[tuple[int, str]]):
    """The lines that an import of standard input refused, with the reasons."""

    def add(self, place: str, reason: str) -> None:
        self.append((int(place.removeprefix("-:").partition(":")[0]), reason))


def bring(client: Client, *objects: dict[str, Any] | str | bytes, **options: Any) -> tuple[Any, list[tuple[int, str]]]:
    """Import objects, or a file, into a client's project; return the counts, and the lines that were refused."""
    from tools.transfer import imports

    file = b"".join(found if isinstance(found, bytes) else jsonl(found) for found in objects)
    refused = Refused()
    counts = imports.import_file(io.BytesIO(file), client.project, imports.Report(refused.add, refused.add), **options)
    return counts, refused


def brought(client: Client, *objects: dict[str, Any]) -> None:
    """Import objects. None may be refused."""
    _, refused = bring(client, *objects)
    assert refused == []
