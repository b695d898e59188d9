"""Every fault at every call of an operation: what is stored is as before it or as after it, and it says so.

FAULTS_SHARE says which share of the trials is made, drawn by PROMISES_SEED; 1 makes all.
"""

import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

from tests.promises import calls
from tests.support import fault_injection
from tests.support.client import Answer
from tests.support.clock import Clock
from tests.support.fault_injection import Attempts, Effect, Fault

SHARE = float(os.environ.get("FAULTS_SHARE") or 0.05)
_RESENT = {"x-stainless-retry-count": "1"}


class Stage(Protocol):
    """What an operation is tried on: `view` is all that the project's key can see, without ids and times."""

    def view(self) -> list[Any]: ...

    def check(self, touched: set[str]) -> None:
        """Check what is stored of the project, and in the partitions that were touched."""


T = TypeVar("T", bound=Stage)


@contextmanager
def meeting(clock: Clock, *met: Fault) -> Iterator[Attempts]:
    """Let an operation meet faults, and its key be looked up once more."""
    clock.forward(61)
    with fault_injection.inject(*met) as attempts:
        yield attempts


def drawn(draw: random.Random, attempts: Attempts, share: float) -> Iterator[tuple[int, Effect, bool]]:
    """Yield a share of the trials: at which call, which fault, and whether it lasts or comes once."""
    for at, operation in enumerate(attempts.operations, 1):
        for effect in fault_injection.effects(operation):
            for lasts in (False, True):
                if draw.random() <= share:
                    yield at, effect, lasts


def try_operation(
    draw: random.Random,
    clock: Clock,
    set_up: Callable[[], T],
    call: Callable[[T, dict[str, str]], Answer],
    *,
    again: int,
    doubles: bool,
) -> None:
    """One fault is not seen; one that does not end is a 503, after which an SDK sends the same request once more.

    `again` is the status of that when the first one was done, though it said 503. With `doubles` it may be there twice.
    """
    first = set_up()
    before = first.view()
    with meeting(clock) as attempts:
        answer = call(first, {})
    assert answer.status == 200, answer.text
    after = first.view()
    for at, effect, lasts in drawn(draw, attempts, SHARE):
        trial = f"{effect.__name__} at call {at}, {'without end' if lasts else 'once'}"
        stage = set_up()
        with calls.partitions() as touched, meeting(clock, Fault("", effect, at, 0 if lasts else 1)):
            answer = call(stage, {})
        assert answer.status == 200 or (lasts and answer.error == (503, None, None)), f"{trial}: {answer.text}"
        seen = stage.view()
        assert seen == after or (answer.status == 503 and seen == before), trial
        stage.check(touched)
        if answer.status == 503:
            assert answer.headers["retry-after"] == "1"
            clock.forward(1)
            resent = call(stage, _RESENT)
            assert resent.status == (again if seen == after != before else 200), f"{trial}: {resent.text}"
            assert resent.status == 200 or resent.error == (again, None, None)
            assert stage.view() == after or (doubles and seen == after != before), trial
            stage.check(touched)
