"""Places: where threads and messages whose ids were not made here stand in an order that is one of ULIDs.

The same file gives the same places, so that an import that was cut short writes the same items when it runs again.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator

from shared import ids
from shared.records import Message, Thread
from shared.store import keys


def of_thread(project: str, thread: Thread, line: int) -> str:
    """Return the ULID under which the lists hold a thread: that of its id, or one by its second and its line.

    The lower half of what follows the time keeps threads of two files apart that stand on the same line.
    """
    ulid = thread.id.removeprefix(keys.THREAD_PREFIX)
    if ids.is_ulid(ulid):
        return ulid
    digest = hashlib.sha256(f"{project}#{thread.id}".encode()).digest()
    return ids.lowest_ulid(thread.created_at * 1000, line << 48 | int.from_bytes(digest[:6]))


def of_messages(messages: Iterable[Message], is_taken: Callable[[str], bool]) -> Iterator[tuple[str, Message]]:
    """Yield the messages of a thread, which come in their order, each with the ULID of its place.

    A message with an id of ours has the place that this id is. Another follows the one before, at the earliest at the
    beginning of its second; `is_taken` tells whether a message of the thread has a ULID as its id.
    """
    last = ""
    for message in messages:
        ulid = message.id.removeprefix(keys.MESSAGE_PREFIX)
        if not ids.is_ulid(ulid):
            lowest = ids.lowest_ulid(message.created_at * 1000)
            ulid = max(lowest, ids.next_ulid(last)) if last else lowest
            while is_taken(ulid):
                ulid = ids.next_ulid(ulid)
        yield ulid, message
        last = max(last, ulid)
