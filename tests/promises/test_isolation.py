"""No reader misses a message, on an engine that isolates no more than AWS promises (tests/support/isolation.py).

DynamoDB Local cannot test this: it never shows a transaction half visible. PROMISES_RUNS is the number of seeded runs.
"""

import math
import os
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from tests.simulation.follower import RUN, Story, browse, follow, make_threads

RUNS = int(os.environ.get("PROMISES_RUNS") or 100)
Patch = pytest.MonkeyPatch


def lost_by_a_follower(
    seed: int, patch: Patch, query: dict[str, str] | None = None, idle: int = 0, **options: Any
) -> set[str]:
    """Run writers and a follower. Check the order of what the follower read, and return the messages that it missed."""
    story = Story(seed, **options)
    read: list[str] = []
    story.run(patch, 3, lambda story: read.extend(follow(story, idle, **(query or {}))))
    assert read == sorted(set(read)), f"seed {seed}: doubled or out of order"
    return (story.of_run if query else {*story.created}) - {*read} - story.deleted


def test_a_follower_loses_nothing(monkeypatch: Patch, seed: int) -> None:
    lost = {run: found for run in range(seed, seed + RUNS) if (found := lost_by_a_follower(run, monkeypatch))}
    assert lost == {}


def test_a_follower_of_a_run_loses_nothing(monkeypatch: Patch, seed: int) -> None:
    """In each story one create hangs half visible. Its run entry may be visible before its message, or after it."""
    for run in range(seed, seed + RUNS // 5):
        assert lost_by_a_follower(run, monkeypatch, {"run_id": RUN}, stalls=run % 9 + 2) == set(), f"seed {run}"


def test_no_page_of_any_kind_passes_over_a_message(monkeypatch: Patch, seed: int) -> None:
    """No message appears later between the ends of a page: descending, ascending, after, before, of a run."""
    for run in range(seed, seed + RUNS // 5):
        story = Story(run)
        story.run(monkeypatch, 3, browse)
        assert story.passed_over() == [], f"seed {run}"


def test_a_thread_is_seen_as_it_was_left_by_whoever_wrote_it(monkeypatch: Patch, seed: int) -> None:
    for run in range(seed, seed + RUNS // 20):
        Story(run).run(monkeypatch, 1, make_threads, make_threads)


# A read gets a response only when it is sent again. Until then, the thread may get more messages than a head remembers.
SLOW: dict[str, Any] = {"slow_reads": True, "hang": 8, "most": 24}


@pytest.mark.parametrize("query", [{}, {"run_id": RUN}])
def test_a_follower_loses_nothing_when_the_head_is_read_late(
    monkeypatch: Patch, seed: int, query: dict[str, str]
) -> None:
    for run in range(seed, seed + max(1, RUNS // 16)):
        assert lost_by_a_follower(run, monkeypatch, query, **SLOW) == set(), f"seed {run}"


def test_no_page_passes_over_a_message_when_the_head_is_read_late(monkeypatch: Patch, seed: int) -> None:
    for run in range(seed, seed + max(1, RUNS // 16)):
        story = Story(run, **SLOW)
        story.run(monkeypatch, 3, browse)
        assert story.passed_over() == [], f"seed {run}"


def without_the_repair(patch: Patch) -> dict[str, Any]:
    from shared.store import pages

    patch.setattr(pages, "_missed", lambda *_: {})
    return {}


def without_the_drop(patch: Patch) -> dict[str, Any]:
    """Let lists return messages above the head's last message."""
    from shared.store import head, pages

    highest = "7" + "Z" * 25
    without_end = vars(head) | {"recent": lambda found: [highest, *head.recent(found)]}
    patch.setattr(pages, "head", SimpleNamespace(**without_end))
    return {}


def without_asking_again(patch: Patch) -> dict[str, Any]:
    """Treat a head that was read late like one that was read together with the Query."""
    from shared.store import pages

    patch.setattr(pages, "_TOGETHER_SECONDS", math.inf)
    return {**SLOW, "query": {"run_id": RUN}}


@pytest.mark.parametrize("mechanism", [without_the_repair, without_the_drop, without_asking_again])
def test_a_follower_loses_messages_without(
    mechanism: Callable[[Patch], dict[str, Any]], monkeypatch: Patch, seed: int
) -> None:
    options = mechanism(monkeypatch)
    assert any(lost_by_a_follower(run, monkeypatch, **options) for run in range(seed, seed + 400))


def test_what_is_left_is_a_commit_that_hangs_while_more_creates_go_past_it_than_the_head_remembers(
    monkeypatch: Patch, seed: int
) -> None:
    """This is the only case in which a follower can miss a message. docs/decisions.md describes it."""
    left: dict[str, Any] = {"hang": 100, "stalls": 4, "most": 24, "idle": 700}
    assert any(lost_by_a_follower(run, monkeypatch, **left) for run in range(seed, seed + 400))
