"""Aliases: how a message is found by an id that was not made here.

Such a message stands at a place of its own in the order, `msg_<ULID>`; an item under its id names that place, and goes
only with the thread: the id of a deleted message goes on being a cursor. An id of ours is its own place.
"""

from shared import ids
from shared.records import PageRequest
from shared.store import head, keys, table
from shared.store.errors import MessageNotFoundError


def is_foreign(message_id: str) -> bool:
    """Tell whether an id was made elsewhere."""
    return not ids.is_ulid(message_id.removeprefix(keys.MESSAGE_PREFIX))


def sort_key_of(partition: str, message_id: str) -> str:
    """Return the sort key of a message of an open thread, which may be deleted.

    Raises `ThreadNotFoundError`, and for an id that was made elsewhere `MessageNotFoundError`.
    """
    if is_foreign(message_id):
        return keys.MESSAGE_PREFIX + _ulids(partition, [message_id])[message_id]
    head.require_open(table.get(keys.key(partition, keys.HEAD)))
    return message_id


def with_ulids(partition: str, asked: PageRequest) -> PageRequest:
    """Return a range whose cursors are ULIDs. Raises `ThreadNotFoundError`, `MessageNotFoundError`."""
    foreign = [cursor for cursor in (asked.after, asked.before) if cursor and not ids.is_ulid(cursor)]
    if not foreign:
        return asked
    ulids = _ulids(partition, foreign)
    return asked._replace(
        after=ulids.get(asked.after, asked.after),
        before=ulids.get(asked.before, asked.before),
    )


def _ulids(partition: str, message_ids: list[str]) -> dict[str, str]:
    """Return the ULID of the place of each of these messages. Raises `ThreadNotFoundError`, `MessageNotFoundError`."""
    wanted = {message_id: keys.alias(message_id) for message_id in message_ids}
    found = table.batch_get([keys.key(partition, sort) for sort in (keys.HEAD, *wanted.values())])
    head.require_open(found.get((partition, keys.HEAD)))
    # Aliases are there before their thread is open, so the batch shows them.
    for message_id, sort in wanted.items():
        if (partition, sort) not in found:
            raise MessageNotFoundError(message_id)
    return {message_id: str(found[partition, sort]["ulid"]["S"]) for message_id, sort in wanted.items()}
