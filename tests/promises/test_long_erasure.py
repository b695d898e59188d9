"""A long thread is erased in several invocations that each end in time, while the table does other work.

MESSAGES is the length of the thread, by default 4,000. 100,000 take about two minutes.
"""

import os
import threading
import time
from collections.abc import Callable

from tests.promises.threads import listed, remains
from tests.support import event_sources
from tests.support.capacity import Call, recorded
from tests.support.client import Client
from tests.support.filled import fill

SIZE = int(os.environ.get("MESSAGES", "4000"))
SECONDS = 0.5


def test_a_long_thread_is_erased_in_bounded_chunks_beside_other_traffic(
    client: Client, record_property: Callable[[str, object], None]
) -> None:
    thread_id, beside = fill(client, SIZE).id, client.thread()
    ended = threading.Event()
    pauses: list[float] = []

    def traffic() -> None:
        while not ended.is_set():
            started = time.perf_counter()
            client.message(beside)
            client.page(beside)
            pauses.append(time.perf_counter() - started)

    with event_sources.erasures() as erasures:
        with recorded() as made:
            client.create("delete_thread", thread_id)
        assert made == [Call("UpdateItem", 0, 1)]
        other = threading.Thread(target=traffic)
        other.start()
        chunks: list[float] = []
        try:
            event_sources.queue_records(erasures.records())
            while erasures.queue:
                started = time.perf_counter()
                erasures.erase_once(SECONDS)
                chunks.append(time.perf_counter() - started)
        finally:
            ended.set()
            other.join()
    assert remains(client, thread_id) == []
    assert listed(client) == [beside]
    assert max(chunks) < SECONDS + 10, "a chunk ends soon after its time is up; the function has 30 seconds more"
    assert len(chunks) > 1
    assert len(client.page(beside, limit=100)["data"]) == min(len(pauses), 100)
    record_property("messages", SIZE)
    record_property("chunks", len(chunks))
    record_property("slowest create and list beside, in seconds", max(pauses))
