"""Positions: ULIDs that give an order to threads, messages and assistants whose ids were made elsewhere.

The same files give the same positions. If an interrupted import runs again, it therefore writes the same items.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator

from shared import ids
from shared.records import Message, Thread
from shared.runs.records import Assistant
from shared.store import keys


def in_list(project: str, record: Thread | Assistant, number: int) -> str:
    """Return the ULID under which the lists have a thread or assistant.

    It is the ULID in the id. A foreign id contains no ULID. Its ULID is made of `created_at`, the number in the import
    and a hash of the id. The hash separates records that have the same number in two imports.
    """
    ulid = record.id.partition("_")[2]
    if ids.is_ulid(ulid):
        return ulid
    digest = hashlib.sha256(f"{project}#{record.id}".encode()).digest()
    return ids.lowest_ulid(record.created_at * 1000, number << 48 | int.from_bytes(digest[:6]))


def of_messages(messages: Iterable[Message], is_taken: Callable[[str], bool]) -> Iterator[tuple[str, Message]]:
    """Yield the messages of a thread, each with the ULID of its position. `messages` must be in their order.

    An id that was made here contains the ULID. Any other message gets the next ULID after the message before, or the
    first ULID of its second if that is later. `is_taken` returns whether the id of a message contains a ULID.
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
