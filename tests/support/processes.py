"""Runs several processes at once on this process's table. Each has loaded the functions and has its own clock."""

import functools
import importlib
import multiprocessing
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar

from tests.support.client import Client

T = TypeVar("T")
_SECONDS_TO_START = 60
_ready: Any = None


class Created(NamedTuple):
    """A message, and the times at which its create began and ended, in seconds of one clock for all processes."""

    id: str
    created_at: int
    began: float
    ended: float


class Sent(NamedTuple):
    """The response to one of several equal requests."""

    status: int
    text: str
    replayed: bool


def together(skews_seconds: list[float], work: Callable[..., list[T]], *arguments: Any) -> list[T]:
    """Run `work` in one process for each clock, all at the same moment. Return their results in one list.

    Each process's clock is wrong by its number of seconds. The environment leads the processes to this process's table.
    """
    spawn = multiprocessing.get_context("spawn")
    ready = spawn.Barrier(len(skews_seconds))
    with ProcessPoolExecutor(len(skews_seconds), spawn, initializer=_begin, initargs=(ready,)) as pool:
        running = [pool.submit(_run, skew, work, *arguments) for skew in skews_seconds]
        return [result for future in running for result in future.result()]


def create_messages(secret: str, thread_id: str, threads: int, each: int) -> list[Created]:
    """Create `each` messages in each of several Python threads of this process."""
    client = Client(project="", secret=secret)

    def create(_: int) -> list[Created]:
        found = []
        for _ in range(each):
            began = time.monotonic()
            message = client.message(thread_id)
            found.append(Created(message["id"], message["created_at"], began, time.monotonic()))
        return found

    return _in_threads(threads, create)


def send(secret: str, function: str, ids: tuple[str, ...], options: dict[str, Any], times: int) -> list[Sent]:
    """Send the same request several times at once. `options` are those of `Client.call`."""
    client = Client(project="", secret=secret)

    def one(_: int) -> list[Sent]:
        answer = client.call(function, *ids, **options)
        return [Sent(answer.status, answer.text, answer.headers.get("idempotent-replayed") == "true")]

    return _in_threads(times, one)


def _in_threads(threads: int, work: Callable[[int], list[T]]) -> list[T]:
    with ThreadPoolExecutor(threads) as pool:
        return [result for results in pool.map(work, range(threads)) for result in results]


def _begin(ready: Any) -> None:
    global _ready  # noqa: PLW0603 - a barrier reaches a process of a pool only when it starts
    _ready = ready


def _run(skew_seconds: float, work: Callable[..., list[T]], *arguments: Any) -> list[T]:
    for function in ("create_message", "create_thread"):
        importlib.import_module(f"functions.{function}")  # import it now, not when all threads send
    skew_nanoseconds = int(skew_seconds * 1_000_000_000)
    time.time_ns = functools.partial(_shifted, time.time_ns, skew_nanoseconds)
    time.time = functools.partial(_shifted, time.time, skew_seconds)
    if _ready:
        _ready.wait(_SECONDS_TO_START)
    return work(*arguments)


def _shifted(clock: Callable[[], Any], skew: Any) -> Any:
    return clock() + skew
