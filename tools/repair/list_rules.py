"""The rules of lists: each entry names something that is there and that wants to be in this list."""

from collections.abc import Iterator

from shared.store import head, keys
from shared.store.table import batch_get
from tools.repair import thread_rules
from tools.repair.faults import Fault, Item, delete, put

_KEY = "key"


def faults_of_threads(partition: str, listing: list[Item]) -> Iterator[Fault]:
    """Yield the entries of a list whose threads are not there, or are listed elsewhere by now."""
    project = partition.partition("#")[0]
    partitions = [keys.thread_partition(project, entry["thread"]["S"]) for entry in listing]
    found = batch_get([keys.key(name, sort) for name in {*partitions} for sort in (keys.HEAD, keys.THREAD)])
    for name, entry in zip(partitions, listing, strict=True):
        stored = {sort: found[name, sort] for sort in (keys.HEAD, keys.THREAD) if (name, sort) in found}
        thread_id, key = keys.thread_id(name), keys.key(partition, entry["messageId"]["S"])
        if not stored:
            yield Fault(partition, f"lists {thread_id}, which is not there", delete(key))
        # An open head without its thread says nothing of lists; that is a fault of its own.
        elif (lists := thread_rules.entries(stored)) and (
            partition not in lists or entry["messageId"]["S"] != thread_rules.ulid_of(name, stored)
        ):
            yield Fault(partition, f"lists {thread_id}, which is listed elsewhere", delete(key))


def faults_of_keys(listing: list[Item]) -> Iterator[Fault]:
    """Yield the entries of the list of all API keys that name none."""
    digests = [entry["messageId"]["S"].partition("#")[2] for entry in listing]
    found = batch_get([keys.key(keys.api_key_partition(digest), _KEY) for digest in digests])
    for digest, entry in zip(digests, listing, strict=True):
        if (keys.api_key_partition(digest), _KEY) not in found:
            key = keys.key(keys.API_KEYS, entry["messageId"]["S"])
            yield Fault(keys.API_KEYS, f"lists the API key {digest[:16]}, which is not there", delete(key))


def faults_of_key(partition: str, item: Item) -> Iterator[Fault]:
    """Yield the fault of an API key that is in no list, so that nobody could see and revoke it."""
    digest = partition.partition("#")[2]
    entry = keys.key(keys.API_KEYS, f"{item['project']['S']}#{digest}")
    if not batch_get([entry]):
        text = f"the API key {digest[:16]} is in no list"
        yield Fault(partition, text, (put({**entry, "v": {"N": str(head.SCHEMA)}}),))
