"""The rules of one thread: what its partition must hold, and the writes that repair a transaction cut in two."""

from collections.abc import Callable, Iterator

from shared import ids
from shared.records import NO_METADATA, NO_TOOL_RESOURCES, Thread
from shared.store import head, items, keys
from shared.store.threads import entries_of, entry_of
from tools.repair import run_rules
from tools.repair.problem import Item, Problem, delete, put

# The items of one partition by sort key. The (partition, sort key) of the existing entries of lists.
Items = dict[str, Item]
Listed = set[tuple[str, str]]


def entries(stored: Items) -> list[str]:
    """Return the partitions of the lists that the thread belongs in."""
    holder = stored.get(keys.THREAD) or stored.get(keys.HEAD) or {}
    return [str(entry["S"]) for entry in holder.get("entries", {"L": []})["L"]]


def ulid_of(partition: str, stored: Items) -> str:
    """Return the ULID under which a thread is listed.

    If neither the thread's id nor its items have one, return that of its first message. Without messages, return that
    of its first run.
    """
    for item in (stored.get(keys.THREAD), stored.get(keys.HEAD), {}):
        if item is not None:
            ulid = keys.ulid_of(keys.thread_id(partition), item)
            if ids.is_ulid(ulid):
                return ulid
    return [*_messages(stored), *run_rules.run_ids(stored)][0].partition("_")[2]


def problems(partition: str, stored: Items, listed: Listed) -> Iterator[Problem]:
    """Yield the problems of a thread. A serious problem comes alone. After its repair, the next walk shows the rest."""
    if keys.HEAD not in stored:
        yield _headless(partition, stored)
    elif stored[keys.HEAD]["state"]["S"] != head.OPEN:
        # The eraser and the sweep finish this if they find the thread.
        if entries(stored):
            yield from _unlisted(partition, stored, listed)
        else:
            yield Problem(partition, "was deleted, and the names of its lists are lost", delete(partition, *stored))
    elif keys.THREAD not in stored:
        yield _without_thread(partition, stored, "has no thread item: its metadata is lost")
    else:
        for rule in _RULES:
            yield from rule(partition, stored)
        yield from _unlisted(partition, stored, listed)


def _headless(partition: str, stored: Items) -> Problem:
    if not _messages(stored) and not run_rules.run_ids(stored):
        return Problem(partition, f"is deleted, but {len(stored)} items of it are left", delete(partition, *stored))
    if keys.THREAD not in stored:
        return _without_thread(partition, stored, "has neither head nor thread item: its metadata is lost")
    return Problem(partition, "has no head", (put(_new_head(partition, stored)),))


def _without_thread(partition: str, stored: Items, text: str) -> Problem:
    """Return the problem of a thread without its item. The repair writes an item without metadata."""
    ulid, thread_id = ulid_of(partition, stored), keys.thread_id(partition)
    lists = entries_of(partition.partition("#")[0], ulid, NO_METADATA)
    thread = Thread(thread_id, ids.milliseconds(ulid) // 1000, NO_METADATA, NO_TOOL_RESOURCES)
    writes = [put(items.thread_item(partition, thread, lists) | _own_ulid(partition, ulid))]
    writes += [entry_of(entry, ulid, thread_id) for entry in lists]
    if keys.HEAD not in stored:
        writes.append(put(_new_head(partition, stored)))
    return Problem(partition, text, tuple(writes))


def _behind(partition: str, stored: Items) -> Iterator[Problem]:
    newest, seen = _messages(stored)[-1:], stored[keys.HEAD]
    if newest and newest[0] > keys.MESSAGE_PREFIX + seen["lastUlid"]["S"]:
        condition = {
            "ConditionExpression": "lastUlid = :seen",
            "ExpressionAttributeValues": {":seen": seen["lastUlid"]},
        }
        moved = seen | _new_head(partition, stored)
        yield Problem(partition, f"has a head that is behind {newest[0]}", ({"Put": {"Item": moved, **condition}},))
    else:
        yield from run_rules.problems_of_head(partition, stored)


def _chunks(partition: str, stored: Items) -> Iterator[Problem]:
    owned = {key["messageId"]["S"] for item in stored.values() for key in items.chunk_keys(item)}
    for sort in _messages(stored):
        chunks = {key["messageId"]["S"] for key in items.chunk_keys(stored[sort])}
        if not chunks <= stored.keys():
            writes = delete(partition, sort, *(chunks & stored.keys()), *_run_entry(stored, sort))
            yield Problem(partition, f"has lost chunks of {sort}, which nobody can read", writes)
    orphans = [sort for sort in stored if sort.startswith("part#") and sort not in owned]
    if orphans:
        yield Problem(partition, f"has {len(orphans)} chunks of no message", delete(partition, *orphans))


def _runs(partition: str, stored: Items) -> Iterator[Problem]:
    wanted = {entry for sort in _messages(stored) for entry in _run_entry(stored, sort)}
    existing = {sort for sort in stored if sort.startswith("run#")}
    for sort in sorted(wanted - existing):
        item = {**keys.key(partition, sort), "v": {"N": str(head.SCHEMA)}}
        yield Problem(partition, f"lacks the entry {sort}", (put(item),))
    for sort in sorted(existing - wanted):
        yield Problem(partition, f"has the entry {sort} of no message", delete(partition, sort))


def _aliases(partition: str, stored: Items) -> Iterator[Problem]:
    for sort in _messages(stored):
        if "id" in stored[sort] and keys.alias(stored[sort]["id"]["S"]) not in stored:
            message_id = stored[sort]["id"]["S"]
            item = {**keys.key(partition, keys.alias(message_id)), "v": {"N": str(head.SCHEMA)}}
            item["ulid"] = {"S": sort.removeprefix(keys.MESSAGE_PREFIX)}
            yield Problem(partition, f"has no alias of {message_id}", (put(item),))


def _markers(partition: str, stored: Items) -> Iterator[Problem]:
    """Yield markers whose create is missing. If a ULID is not above the head's last, its message was deleted later."""
    last, last_run = stored[keys.HEAD]["lastUlid"]["S"], head.last_run(stored[keys.HEAD])
    made = {sort.partition("_")[2] for sort in (*_messages(stored), *run_rules.run_ids(stored))}
    for sort, item in stored.items():
        ulid = item.get("ulid", {"S": ""})["S"]
        if sort.startswith("once#") and (ulid > last or ulid == last_run) and ulid not in made:
            yield Problem(partition, "has the record of a missing create", delete(partition, sort))


def _unlisted(partition: str, stored: Items, listed: Listed) -> Iterator[Problem]:
    ulid, thread_id = ulid_of(partition, stored), keys.thread_id(partition)
    missing = [entry for entry in entries(stored) if (entry, ulid) not in listed]
    if missing:
        writes = tuple(entry_of(entry, ulid, thread_id) for entry in missing)
        yield Problem(partition, f"is missing from {len(missing)} lists", writes)


_RULES: tuple[Callable[[str, Items], Iterator[Problem]], ...] = (
    *(_behind, _chunks, _runs, _aliases, _markers),
    run_rules.problems,
)


def _new_head(partition: str, stored: Items) -> Item:
    ulids = [sort.removeprefix(keys.MESSAGE_PREFIX) for sort in _messages(stored)]
    own_ulid = _own_ulid(partition, ulid_of(partition, stored))
    return head.item(partition, head.OPEN, ulids) | own_ulid | run_rules.head_fields(stored)


def _own_ulid(partition: str, ulid: str) -> Item:
    return {} if keys.thread_id(partition) == keys.THREAD_PREFIX + ulid else {"ulid": {"S": ulid}}


def _run_entry(stored: Items, sort: str) -> list[str]:
    return [keys.run_prefix(stored[sort]["runId"]["S"]) + sort] if "runId" in stored[sort] else []


def _messages(stored: Items) -> list[str]:
    return sorted(sort for sort in stored if sort.startswith(keys.MESSAGE_PREFIX))
