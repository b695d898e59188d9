"""Throughput: 32 clients in four processes create messages, all in one thread, then spread over 1,000 threads."""

import random
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

from benchmarks import figures
from benchmarks.figures import TEXT, Report, Row
from tests.support.client import Client
from tools import environment
from tools.local import template
from tools.local.dynamodb import database, engine

PROCESSES = 4
CLIENTS = 32
SECONDS = 15.0

Outcome = list[tuple[int, float]]


def run() -> Report:
    """Create messages for some seconds, in one thread and in many."""
    rows: list[list[object]] = []
    summary: list[Row] = []
    with engine.running() as url, database.at_url(template.load(), url):
        client = Client()
        threads = [client.thread() for _ in range(1_000)]
        for what, written in (("one thread", threads[:1]), ("1,000 threads", threads)):
            figures.say(f"  {what}")
            outcomes = _load(url, client, written)
            created = sorted(seconds for status, seconds in outcomes if status == 200)
            a_second = len(created) / SECONDS
            middle, slow = (created[len(created) * part // 100] * 1000 for part in (50, 99))
            refused = len(outcomes) - len(created)
            rows.append([what, f"{a_second:.0f}", f"{middle:.0f}", f"{slow:.0f}", refused])
            summary.append(Row(f"Creates a second, {CLIENTS} clients, {what}, this machine", f"{a_second:.0f}", ""))
    head = ["written by 32 clients", "creates a second", "median, ms", "99th percentile, ms", "answered 503"]
    return Report(figures.table(head, rows), tuple(summary))


def _load(url: str, client: Client, threads: list[str]) -> Outcome:
    """Return status and seconds of each call."""
    with ProcessPoolExecutor(PROCESSES, get_context("spawn")) as pool:
        each = CLIENTS // PROCESSES
        work = [pool.submit(_process, url, client.project, client.secret, threads, each) for _ in range(PROCESSES)]
        return [outcome for done in work for outcome in done.result()]


def _process(url: str, project: str, secret: str, threads: list[str], clients: int) -> Outcome:
    environment.lead_to(template.load(), url)
    client = Client(project, secret=secret)
    client.message(threads[0], TEXT)
    with ThreadPoolExecutor(clients) as pool:
        until = time.monotonic() + SECONDS
        return [
            found
            for done in [pool.submit(_create, client, threads, until) for _ in range(clients)]
            for found in done.result()
        ]


def _create(client: Client, threads: list[str], until: float) -> Outcome:
    found: Outcome = []
    chosen = random.Random()
    body = {"role": "user", "content": TEXT}
    while time.monotonic() < until:
        started = time.perf_counter()
        status = client.call("create_message", chosen.choice(threads), body=body).status
        found.append((status, time.perf_counter() - started))
    return found
