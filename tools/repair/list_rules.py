"""The rules of lists: each entry names a thread or a key that exists and belongs in this list."""

from collections.abc import Iterator

from shared.store import head, keys
from shared.store.table import batch_get
from tools.repair import thread_rules
from tools.repair.problem import Item, Problem, delete, is_later, put

_KEY = "key"


def problems_of_threads(partition: str, listing: list[Item]) -> Iterator[Problem]:
    """Yield the entries of a list whose threads do not exist, or belong in another list."""
    project = partition.partition("#")[0]
    partitions = [keys.thread_partition(project, entry["thread"]["S"]) for entry in listing]
    existing = batch_get([keys.key(name, sort) for name in {*partitions} for sort in (keys.HEAD, keys.THREAD)])
    for name, entry in zip(partitions, listing, strict=True):
        stored = {sort: existing[name, sort] for sort in (keys.HEAD, keys.THREAD) if (name, sort) in existing}
        thread_id, sort = keys.thread_id(name), entry["messageId"]["S"]
        if not stored:
            yield Problem(partition, f"lists {thread_id}, which does not exist", delete(partition, sort))
        # An open head without its thread item names no lists. A head of a later version may name them in another way.
        # Both are problems of the thread, not of the list.
        elif (
            not is_later(stored.values())
            and (lists := thread_rules.entries(stored))
            and (partition not in lists or sort != thread_rules.ulid_of(name, stored))
        ):
            yield Problem(partition, f"lists {thread_id}, which is in other lists", delete(partition, sort))


def problems_of_keys(listing: list[Item]) -> Iterator[Problem]:
    """Yield the entries of the list of all API keys whose keys do not exist."""
    digests = [entry["messageId"]["S"].partition("#")[2] for entry in listing]
    existing = batch_get([keys.key(keys.api_key_partition(digest), _KEY) for digest in digests])
    for digest, entry in zip(digests, listing, strict=True):
        if (keys.api_key_partition(digest), _KEY) not in existing:
            writes = delete(keys.API_KEYS, entry["messageId"]["S"])
            yield Problem(keys.API_KEYS, f"lists the API key {digest[:16]}, which does not exist", writes)


def problems_of_key(partition: str, item: Item) -> Iterator[Problem]:
    """Yield the problem of an API key that is in no list. Nobody could see and revoke such a key."""
    digest = partition.partition("#")[2]
    entry = keys.key(keys.API_KEYS, f"{item['project']['S']}#{digest}")
    if not batch_get([entry]):
        text = f"the API key {digest[:16]} is in no list"
        yield Problem(partition, text, (put({**entry, "v": {"N": str(head.SCHEMA)}}),))
