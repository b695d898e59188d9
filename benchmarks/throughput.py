"""Throughput: 32 clients in four processes create messages, all in one thread, then spread over 1,000 threads."""

import random
import time
from concurrent.futures import ThreadPoolExecutor

from benchmarks import figures
from benchmarks.figures import TEXT, Report, Row
from tests.support import processes
from tests.support.client import Client
from tools.local import template
from tools.local.dynamodb import database, engine

PROCESSES, CLIENTS, SECONDS = 4, 32, 15.0

# When a create began and ended, in seconds of one clock, and its status.
Created = tuple[float, float, int]


def run() -> Report:
    """Create messages for some seconds, in one thread and in many."""
    rows = []
    with engine.running() as url, database.at_url(template.load(), url):
        client = Client()
        threads = [client.thread() for _ in range(1_000)]
        for what, written in (("one thread", threads[:1]), ("1,000 threads", threads)):
            created = processes.together([0.0] * PROCESSES, _process, client.secret, written)
            took = sorted(ended - began for began, ended, status in created if status == 200)
            seconds = max(ended for _, ended, _ in created) - min(began for began, _, _ in created)
            middle, slow = (took[len(took) * part // 100] * 1000 for part in (50, 99))
            refused = len(created) - len(took)
            rows.append([what, f"{len(took) / seconds:.0f}", f"{middle:.0f}", f"{slow:.0f}", refused])
    head = [f"written by {CLIENTS} clients", "creates a second", "median, ms", "99th percentile, ms", "503"]
    summary = (Row(f"Creates a second, {CLIENTS} clients, {row[0]}, this machine", str(row[1]), "") for row in rows)
    return Report(figures.table(head, rows), tuple(summary))


def _process(secret: str, threads: list[str]) -> list[Created]:
    client = Client("", secret=secret)
    until = time.monotonic() + SECONDS

    def create(_: int) -> list[Created]:
        found = []
        while (began := time.monotonic()) < until:
            thread = random.choice(threads)
            status = client.call("create_message", thread, body={"role": "user", "content": TEXT}).status
            found.append((began, time.monotonic(), status))
        return found

    with ThreadPoolExecutor(CLIENTS // PROCESSES) as pool:
        return [one for found in pool.map(create, range(CLIENTS // PROCESSES)) for one in found]
