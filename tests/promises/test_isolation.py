"""The promises on an engine that isolates no more than AWS promises: no reader passes over a message, none is torn away.

Not on DynamoDB Local, which never shows a transaction half visible: on the engine of tests/isolation.py.
"""

import os
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from tests.follower import RUN, Story, follower, writer

RUNS = int(os.environ.get("PROMISES_RUNS") or 1_000)


def follow(seed: int, patch: pytest.MonkeyPatch, writers: int = 4, **options: Any) -> list[str]:
    """Run writers and a follower; return what the follower lost, and fail if it saw anything twice or out of order."""
    story = Story(seed, patch, **options)
    read: list[str] = []
    story.run(*[writer] * writers, lambda story: read.extend(follower(story)))
    assert sorted(set(read)) == read, f"seed {seed}: doubled or out of order"
    return sorted({*story.acknowledged} - {*read})


def test_a_follower_loses_nothing(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    lost = {run: found for run in range(seed, seed + RUNS) if (found := follow(run, monkeypatch))}
    assert lost == {}, f"lost, by seed: {lost}"


def switch_off_the_repair(patch: pytest.MonkeyPatch) -> None:
    from shared.store import pages

    patch.setattr(pages, "_missed", lambda *_: {})


def switch_off_the_drop(patch: pytest.MonkeyPatch) -> None:
    from shared.store import head, pages

    highest = "7" + "Z" * 25
    without_end = SimpleNamespace(**vars(head) | {"recent": lambda found: [highest, *head.recent(found)]})
    patch.setattr(pages, "head", without_end)


@pytest.mark.parametrize("switch_off", [switch_off_the_repair, switch_off_the_drop])
def test_without_its_corrections_a_list_loses_messages(
    switch_off: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    switch_off(monkeypatch)
    assert any(follow(run, monkeypatch) for run in range(seed, seed + 300))
