"""Calls to AWS as steps of a process: what happens during one of them, and what if it is the last."""

import itertools
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.support.client import Client
from tests.support.hooks import hooked


class KilledError(BaseException):
    """The process ended here; a BaseException, so that no code of ours can go on after it."""


def none_by_chance(client: Client, patch: pytest.MonkeyPatch) -> None:
    """Keep out what only time brings about: a look-up of the key each minute, a second Query after a late head."""
    from shared import auth
    from shared.store import pages

    patch.setattr(pages, "_TOGETHER_SECONDS", 60.0)
    auth._remembered.clear()
    client.create("list_threads")


@contextmanager
def partitions() -> Iterator[set[str]]:
    """Yield the set of the partitions that calls name; it grows as they are made."""
    found: set[str] = set()

    def note(params: dict[str, Any], **_: Any) -> None:
        found.update(re.findall(r'"(?:threadId|:partition)": ?{"S": ?"([^"]*)"}', params["body"].decode()))

    with hooked(before_call=note):
        yield found


@contextmanager
def at(step: int, action: Callable[[], object], *, done: bool = False) -> Iterator[list[int]]:
    """Let something happen just before the call number `step` (from 0) to DynamoDB or SQS, or just after it is done.

    Yields the list of the steps at which it happened: empty, or with this one.
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
    """Run a process that ends at its call number `step`; tell whether it did, or came to its own end before.

    `done` says whether AWS still carries that call out.
    """
    with at(step, _die, done=done):
        try:
            process()
        except KilledError:
            return True
    return False


def _die() -> None:
    raise KilledError
