"""The keys of the table, each format in one function with an example.

The table's partition key is `threadId`, its sort key `messageId`. A thread is one partition; the partition's value
carries the project, so that no request can reach another project's data by leaving out a check.
"""

import hashlib
import zlib

Key = dict[str, dict[str, str]]

HEAD = "head"
THREAD = "thread"
MESSAGE_PREFIX = "msg_"
THREAD_PREFIX = "thread_"
RUN_PREFIX = "run_"
STEP_PREFIX = "step_"
ASSISTANT_PREFIX = "asst_"
# The partition that lists all API keys, one entry `alpha#<sha256>` each.
API_KEYS = "keys"


def key(partition: str, sort: str) -> Key:
    """Return a primary key as DynamoDB takes it: `{"threadId": {"S": …}, "messageId": {"S": …}}`."""
    return {"threadId": {"S": partition}, "messageId": {"S": sort}}


def thread_partition(project: str, thread_id: str) -> str:
    """`alpha#thread_01J8…`: head, thread, messages and all that belongs to them."""
    return f"{project}#{thread_id}"


def thread_id(partition: str) -> str:
    """`thread_01J8…`: the id of the thread that a partition holds."""
    return partition.partition("#")[2]


def chunk(sort: str, generation: int, number: int) -> str:
    """`part#msg_01J8…#00000001#02`: one chunk of the content of the item with this sort key."""
    return f"{chunk_prefix(sort, generation)}{number:02}"


def chunk_prefix(sort: str, generation: int) -> str:
    """`part#msg_01J8…#00000001#`: all chunks of one content."""
    return f"part#{sort}#{generation:08}#"


def step(run_id: str, step_id: str) -> str:
    """`step#run_01J8…#step_01J8…`: a step of a run."""
    return f"step#{run_id}#{step_id}"


def outputs(run_id: str, step_id: str) -> str:
    """`output#run_01J8…#step_01J8…`: what was submitted for the calls of a step."""
    return f"output#{run_id}#{step_id}"


def run_prefix(run_id: str) -> str:
    """`run#run_9#`: followed by a message id, one entry for each message of a run."""
    return f"run#{run_id}#"


def alias(message_id: str) -> str:
    """`alias#msg_abc123`: the place of an imported message whose id was not made here."""
    return f"alias#{message_id}"


def once(idempotency_key: str) -> str:
    """`once#<sha256>`: the memory of one Idempotency-Key; only the hash is stored."""
    return "once#" + hashlib.sha256(idempotency_key.encode()).hexdigest()


def ulid_of(thread_id: str, item: dict[str, dict[str, str]]) -> str:
    """The ULID under which lists hold a thread: that of its id, or `ulid` in its items when its id is not ours."""
    return item["ulid"]["S"] if "ulid" in item else thread_id.removeprefix(THREAD_PREFIX)


def once_partition(project: str) -> str:
    """`alpha#once`: the Idempotency-Keys of thread creation."""
    return f"{project}#once"


def threads_partitions(project: str, shards: int) -> list[str]:
    """`alpha#threads`, `alpha#threads#1`, …: the entries of a project's threads, over `shards` partitions."""
    return [f"{project}#threads", *(f"{project}#threads#{shard}" for shard in range(1, shards))]


def threads_partition(project: str, ulid: str, shards: int) -> str:
    """The one of `threads_partitions` that holds the entry of the thread with this ULID."""
    return threads_partitions(project, shards)[zlib.crc32(ulid.encode()) % shards]


def indexed_partition(project: str, name: str, value: str) -> str:
    """`alpha#threads#user_id=<sha256>`: the threads with this metadata value.

    Hashed, because a value may be 2,048 bytes long, as much as a whole partition key.
    """
    return f"{project}#threads#{name}={hashlib.sha256(value.encode()).hexdigest()}"


def assistants_partition(project: str) -> str:
    """`alpha#assistants`: the project's assistants, each under its id, and the entries that give their order."""
    return f"{project}#assistants"


def assistant_entry(ulid: str) -> str:
    """`list#01J8…`: the entry of an assistant in its project's list."""
    return f"list#{ulid}"


def api_key_partition(secret_hash: str) -> str:
    """`key#<sha256>`: an API key, found by the hash of its secret."""
    return f"key#{secret_hash}"
