"""Measures runs: our own time around a model call, growth with the thread, and many runs at once.

The model is a stub.
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import Any

import openai

from benchmarks import figures, servers
from benchmarks.figures import SAMPLES, TEXT, Report, Row
from benchmarks.servers import MODEL_SECONDS, Server
from tests.support import runs as worker
from tests.support.capacity import recorded
from tests.support.chat_stub import Chat
from tests.support.client import Client
from tests.support.filled import fill
from tests.support.hooks import hooked

SIZES = (10, 1_000, 5_000)
LAST = 20
TRUNCATED = {"truncation_strategy": {"type": "last_messages", "last_messages": LAST}}
AT_ONCE = (10, 100, 1_000)
RUNS_AT_ONCE = 100
CLIENTS = 16


def run() -> Report:
    """Measure the handlers on DynamoDB Local, then the local API."""
    with servers.model() as chat:
        # The handlers have their own process, so that their processor time does not include the model's.
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            summary = pool.submit(_handlers, chat.base_url).result()
        # With its data in a folder, the local API runs the engine in a separate process.
        with (
            tempfile.TemporaryDirectory() as folder,
            servers.ours(chat, DATA=folder, RUNS_AT_ONCE=str(RUNS_AT_ONCE)) as api,
        ):
            assistant = api.create("/assistants", model="m")["id"]
            summary += [_first_request(api, assistant, chat), _at_once(api, assistant)]
    return Report(summary)


def _handlers(url: str) -> list[Row]:
    os.environ["MODEL_URL"] = url
    with figures.on_engine():
        return [*_around(), *_growth()]


def _around() -> list[Row]:
    """Return the time of a run without its model call. The model call is measured with the package openai alone."""
    ours, thread, assistant = _thread(SIZES[0])
    bare = openai.OpenAI(base_url=os.environ["MODEL_URL"], api_key="none")
    messages: Any = [{"role": "user", "content": TEXT}] * SIZES[0]

    def ask() -> None:
        list(bare.chat.completions.create(model="m", messages=messages, stream=True))

    def execute() -> None:
        worker.work(ours.client.project, ours.run(thread, assistant, **TRUNCATED))

    def measured(work: Callable[[], None]) -> tuple[float, float]:
        """Return the elapsed milliseconds, and those of the processor."""
        spent = time.process_time()
        return figures.milliseconds(work), (time.process_time() - spent) * 1000

    taken = figures.alternate({"ours": partial(measured, execute), "bare": partial(measured, ask)})
    beside = [ours - bare for (ours, _), (bare, _) in zip(taken["ours"], taken["bare"], strict=True)]
    processors = [f"{figures.spread([spent for _, spent in side])} ms" for side in taken.values()]
    return [
        Row("A run without its model call: create and execute, on DynamoDB Local", f"{figures.spread(beside)} ms"),
        Row("Processor time of a run, and of its model call by the package openai alone", "; ".join(processors)),
    ]


def _growth() -> list[Row]:
    """Return the messages, read units and time of a truncated run's execution, in threads of several lengths."""
    threads = {size: _thread(size) for size in SIZES}
    read: dict[int, tuple[int, float]] = {}

    def milliseconds(size: int) -> float:
        ours, thread, assistant = threads[size]
        created, pages = ours.run(thread, assistant, **TRUNCATED), list[int]()
        with recorded() as calls, hooked(after_call=lambda parsed, **_: pages.append(len(parsed.get("Items", ())))):
            took = figures.milliseconds(lambda: worker.work(ours.client.project, created))
        read.setdefault(size, (sum(pages), sum(call.read_units for call in calls)))
        return took - MODEL_SECONDS * 1000

    times = figures.alternate({size: partial(milliseconds, size) for size in SIZES})
    messages, units = (" / ".join(f"{found[place]:g}" for found in read.values()) for place in (0, 1))
    what = f"by a run with last_messages {LAST}, threads of {_joined(SIZES)} messages"
    longest = f"thread of {SIZES[-1]:,} messages to {SIZES[0]}"
    ratio = figures.ratio(times[SIZES[-1]], times[SIZES[0]])
    return [
        Row(f"Messages read {what}", messages, "one page of 100"),
        Row(f"Read units used {what}", units, "those of one page"),
        Row(f"Time of such a run without its model call, {longest}", str(ratio), "about 1"),
    ]


def _thread(size: int) -> tuple[worker.Runs, str, str]:
    ours = worker.Runs(Client(trusted=True))
    return ours, fill(ours.client, size, TEXT, age_seconds=3_600).id, ours.assistant()


def _first_request(api: Server, assistant: str, chat: Chat) -> Row:
    """Return the time from the request for create run to the first request that the model receives."""
    thread = _thread_of(api)
    took = []
    for _ in range(SAMPLES):
        asked, started = len(chat.asked), time.perf_counter()
        created = api.create(f"{thread}/runs", assistant_id=assistant)
        while len(chat.asked) == asked:
            time.sleep(0.001)
        took.append((time.perf_counter() - started) * 1000)
        api.finished(thread, created["id"])
    return Row("From create run to the model's first request, local API", f"{figures.spread(took, '.0f')} ms")


def _at_once(api: Server, assistant: str) -> Row:
    """Return the runs a second when many are created at once, each on its own thread."""

    def create(thread: str) -> str:
        return str(api.create(f"{thread}/runs", assistant_id=assistant)["id"])

    found = []
    for number in AT_ONCE:
        figures.say(f"  {number:,} runs at once")
        with ThreadPoolExecutor(CLIENTS) as pool:
            threads = list(pool.map(_thread_of, [api] * number))
            started = time.perf_counter()
            for thread, run_id in zip(threads, list(pool.map(create, threads)), strict=True):
                api.finished(thread, run_id)
            found.append(f"{number / (time.perf_counter() - started):.1f}")
    what = f"Runs a second, {_joined(AT_ONCE)} created at once, local API, {RUNS_AT_ONCE} workers, this machine"
    return Row(what, " / ".join(found))


def _thread_of(api: Server) -> str:
    """Create a thread and return its path."""
    return f"/threads/{api.create('/threads', messages=[{'role': 'user', 'content': TEXT}])['id']}"


def _joined(numbers: Iterable[int]) -> str:
    return " / ".join(f"{number:,}" for number in numbers)
