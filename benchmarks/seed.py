"""Threads of any length: their messages go into the table as creates would have left them, but 25 a call."""

import time
from concurrent.futures import ThreadPoolExecutor

from benchmarks.figures import TEXT
from shared import ids
from shared.records import MessageData
from shared.store import head, items, keys, table
from tests.support.client import Client

_AGE_MILLISECONDS = 3_600_000


def thread(client: Client, size: int, run_id: str = "") -> tuple[str, list[str]]:
    """Make a thread of `size` messages of 900 characters; return its id and theirs.

    They are an hour old; with a run id, the four in the middle belong to that run.
    """
    thread_id = client.thread(metadata={"user_id": "u"})
    partition = keys.thread_partition(client.project, thread_id)
    first = (time.time_ns() // 1_000_000 - _AGE_MILLISECONDS) << 80
    ulids = [ids._encode(first + (number << 80)) for number in range(size)]  # noqa: SLF001 - new ids are of now
    data = MessageData(role="user", content=f'[{{"type":"text","text":{{"value":"{TEXT}","annotations":[]}}}}]')
    packed = items.pack(data.content)
    of_run = set(ulids[size // 2 : size // 2 + 4]) if run_id else set()
    stored = []
    for ulid in ulids:
        message_id = keys.MESSAGE_PREFIX + ulid
        run = run_id if ulid in of_run else None
        stored += items.message_items(partition, message_id, data._replace(run_id=run), packed)
        if run:
            stored.append({**keys.key(partition, keys.run_prefix(run) + message_id), "v": {"N": str(head.SCHEMA)}})
    table.set_deadline(600)
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(table.batch_put, stored[start : start + 500]) for start in range(0, len(stored), 500)]:
            done.result()
    table.put(head.item(partition, head.OPEN, ulids))
    return thread_id, [keys.MESSAGE_PREFIX + ulid for ulid in ulids]
