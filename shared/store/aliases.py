"""Aliases: how the store finds a message by an id that was made elsewhere.

The sort key `msg_<ULID>` of such a message gives its place in the order. An alias, the item under the message's id,
names this place. The alias is deleted only with the thread, so the id of a deleted message stays a valid cursor. An id
that was made here is itself the sort key.
"""

from shared import ids
from shared.records import PageRequest
from shared.store import head, keys, table
from shared.store.errors import MessageNotFoundError


def is_foreign(message_id: str) -> bool:
    """Return whether an id was made elsewhere."""
    return not ids.is_ulid(message_id.removeprefix(keys.MESSAGE_PREFIX))


def sort_key_of(partition: str, message_id: str) -> str:
    """Return the sort key of a message of an open thread. The message may be deleted.

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
    # Aliases are written before their thread is open, so the batch shows them.
    for message_id, sort in wanted.items():
        if (partition, sort) not in found:
            raise MessageNotFoundError(message_id)
    return {message_id: str(found[partition, sort]["ulid"]["S"]) for message_id, sort in wanted.items()}
