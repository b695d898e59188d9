"""Throughput: 32 clients in four processes create messages, first in one thread, then spread over 1,000 threads."""

import random
import time
from concurrent.futures import ThreadPoolExecutor

from benchmarks.figures import TEXT, Report, Row
from tests.support import processes
from tests.support.client import Client

PROCESSES, CLIENTS, SECONDS = 4, 32, 15.0


def run() -> Report:
    """Create messages for some seconds, in one thread and in many. Creates that get a 503 do not count."""
    client = Client()
    threads = [client.thread() for _ in range(1_000)]
    summary = []
    for what, written in (("one thread", threads[:1]), ("1,000 threads", threads)):
        created = processes.together([0.0] * PROCESSES, _process, client.secret, written)
        rate = f"{sum(created) / SECONDS:.0f}"
        summary.append(Row(f"Creates a second, {CLIENTS} clients, {what}, this machine", rate))
    return Report(summary)


def _process(secret: str, threads: list[str]) -> list[int]:
    """Create messages with this process's share of the clients. Return how many each client created in time."""
    client = Client("", secret=secret)
    until = time.monotonic() + SECONDS

    def create(_: int) -> int:
        created = 0
        while True:
            body = {"role": "user", "content": TEXT}
            status = client.call("create_message", random.choice(threads), body=body).status
            if time.monotonic() > until:
                return created
            created += status == 200

    with ThreadPoolExecutor(CLIENTS // PROCESSES) as pool:
        return list(pool.map(create, range(CLIENTS // PROCESSES)))
