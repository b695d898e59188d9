"""Treats AWS calls as the steps of a process. A test can act during one of them, or let it be the process's last."""

import itertools
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.support.client import Client
from tests.support.hooks import hooked


class KilledError(BaseException):
    """The process ended here. This is a BaseException, so that none of our code continues after it."""


def none_by_chance(client: Client, patch: pytest.MonkeyPatch) -> None:
    """Keep out what only time brings about: a look-up of the key each minute, a second Query after a late head."""
    from shared import auth
    from shared.store import pages

    patch.setattr(pages, "_TOGETHER_SECONDS", 60.0)
    auth._remembered.clear()
    client.create("list_threads")


@contextmanager
def partitions() -> Iterator[set[str]]:
    """Yield a set to which each call adds the partitions that it names."""
    found: set[str] = set()

    def note(params: dict[str, Any], **_: Any) -> None:
        found.update(re.findall(r'"(?:threadId|:partition)": ?{"S": ?"([^"]*)"}', params["body"].decode()))

    with hooked(before_call=note):
        yield found


@contextmanager
def at(step: int, action: Callable[[], object], *, done: bool = False) -> Iterator[list[int]]:
    """Call a function just before or just after call number `step` (from 0) to DynamoDB or SQS.

    Yields the list of the steps at which this happened: empty, or with this step.
    """
    from shared import clients

    counter = itertools.count()
    happened: list[int] = []

    def act(**_: Any) -> None:
        if next(counter) == step:
            happened.append(step)
            action()

    moment = {"after_call" if done else "before_call": act}
    with hooked(**moment), hooked(clients.sqs(), **moment):
        yield happened


def killed(step: int, process: Callable[[], object], *, done: bool) -> bool:
    """Run a process that is killed at its call number `step`. Return False if it ended by itself before.

    `done` says whether AWS still processes that call.
    """
    with at(step, _die, done=done):
        try:
            process()
        except KilledError:
            return True
    return False


def _die() -> None:
    raise KilledError
