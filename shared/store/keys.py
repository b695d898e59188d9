"""The keys of the table, each format in one function with an example.

The table's partition key is `threadId`, its sort key `messageId`. A thread is one partition. The partition key contains
the project, so a request cannot read another project's data even if a check is missing in the code.
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
    """`alpha#thread_01J8…`: head, thread, messages, runs and all items that belong to them."""
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
    """`output#run_01J8…#step_01J8…`: the outputs that were submitted for the calls of a step."""
    return f"output#{run_id}#{step_id}"


def run_prefix(run_id: str) -> str:
    """`run#run_9#`: the prefix of the entries of a run's messages. The id of a message follows."""
    return f"run#{run_id}#"


def alias(message_id: str) -> str:
    """`alias#msg_abc123`: names the place of an imported message whose id was made elsewhere."""
    return f"alias#{message_id}"


def once(idempotency_key: str) -> str:
    """`once#<sha256>`: the marker of one Idempotency-Key. Only the key's hash is stored."""
    return "once#" + hashlib.sha256(idempotency_key.encode()).hexdigest()


def ulid_of(thread_id: str, item: dict[str, dict[str, str]]) -> str:
    """The ULID under which lists hold a thread: the ULID in its id, or `ulid` in its items if the id is foreign."""
    return item["ulid"]["S"] if "ulid" in item else thread_id.removeprefix(THREAD_PREFIX)


def once_partition(project: str) -> str:
    """`alpha#once`: the Idempotency-Keys of thread creation."""
    return f"{project}#once"


def threads_partitions(project: str, shards: int) -> list[str]:
    """`alpha#threads`, `alpha#threads#1`, …: the entries of a project's threads, over `shards` partitions."""
    return [f"{project}#threads", *(f"{project}#threads#{shard}" for shard in range(1, shards))]


def threads_partition(project: str, ulid: str, shards: int) -> str:
    """The partition among `threads_partitions` that holds the entry of the thread with this ULID."""
    return threads_partitions(project, shards)[zlib.crc32(ulid.encode()) % shards]


def indexed_partition(project: str, name: str, value: str) -> str:
    """`alpha#threads#user_id=<sha256>`: the threads with this metadata value.

    The value is hashed, because it may have 2,048 bytes, which is the limit for a whole partition key.
    """
    return f"{project}#threads#{name}={hashlib.sha256(value.encode()).hexdigest()}"


def assistants_partition(project: str) -> str:
    """`alpha#assistants`: the project's assistants, each under its id, and the entries that define their order."""
    return f"{project}#assistants"


def assistant_entry(ulid: str) -> str:
    """`list#01J8…`: the entry of an assistant in its project's list."""
    return f"list#{ulid}"


def api_key_partition(secret_hash: str) -> str:
    """`key#<sha256>`: an API key, found by the hash of its secret."""
    return f"key#{secret_hash}"
