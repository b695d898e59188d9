"""Positions: ULIDs that order threads, messages and assistants with ids that were not made here.

The same files give the same positions, so that an import that was interrupted writes the same items when it runs again.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator

from shared import ids
from shared.records import Message, Thread
from shared.runs.records import Assistant
from shared.store import keys


def in_list(project: str, record: Thread | Assistant, number: int) -> str:
    """Return the ULID under which the lists have a thread or assistant.

    It is the ULID in its id. A foreign id has none: its ULID is made of its second and of its number in the import. The
    lower half comes from a hash of the id, which keeps records with the same number from two imports apart.
    """
    ulid = record.id.partition("_")[2]
    if ids.is_ulid(ulid):
        return ulid
    digest = hashlib.sha256(f"{project}#{record.id}".encode()).digest()
    return ids.lowest_ulid(record.created_at * 1000, number << 48 | int.from_bytes(digest[:6]))


def of_messages(messages: Iterable[Message], is_taken: Callable[[str], bool]) -> Iterator[tuple[str, Message]]:
    """Yield the messages of a thread, which come in their order, each with the ULID of its position.

    For a message with an id of ours it is the ULID in that id. Another message follows the one before, but not before
    its second begins. `is_taken` tells whether a ULID is in the id of a message of the thread.
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
