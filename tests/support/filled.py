"""Writes threads of any length as creates would leave them, in a fraction of the creates' time."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from tests.support.client import Client

USER = "user-7"
RUN = "run_1"


class Long(NamedTuple):
    """A thread, and the ids of its messages, oldest first. The last messages and every tenth message are of a run."""

    id: str
    messages: list[str]
    of_run: list[str]


def fill(client: Client, size: int, text: str = "hello", age_seconds: int = 0) -> Long:
    """Write a thread whose first message has this age. The other messages follow a millisecond apart."""
    from shared import ids
    from shared.records import MessageData
    from shared.store import head, items, keys, messages, table

    thread_id = client.thread(metadata={"user_id": USER})
    partition = keys.thread_partition(client.project, thread_id)
    data = MessageData("assistant", f'[{{"type":"text","text":{{"value":"{text}","annotations":[]}}}}]')
    of_run = data._replace(run_id=RUN)
    packed = items.pack(data.content)
    first = (time.time_ns() // 1_000_000 - age_seconds * 1_000 - (0 if age_seconds else size)) << 80
    ulids = [ids._encode(first + (number << 80)) for number in range(size)]
    in_run = set(ulids[::10] + ulids[-20:])
    written = [
        write["Put"]["Item"]
        for ulid in ulids
        for write in messages.writes_of(partition, ulid, of_run if ulid in in_run else data, packed)
    ]
    table.set_deadline(600)
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(table.batch_put, [written[start : start + 1_000] for start in range(0, len(written), 1_000)]))
    table.put(head.item(partition, head.OPEN, ulids))
    names = [keys.MESSAGE_PREFIX + ulid for ulid in ulids]
    return Long(thread_id, names, [name for name, ulid in zip(names, ulids, strict=True) if ulid in in_run])
