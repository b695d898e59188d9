"""Every answer to thousands of requests is the one that a plain model of the contract gives: on the table in memory."""

import os
import random

import pytest

from tests.model import runs_machine
from tests.model.machine import World
from tests.support import memory

EXAMPLES = int(os.environ.get("MODEL_EXAMPLES") or 8)


@pytest.fixture
def seed() -> int:
    """Return the seed of this run, which a failing test's report shows; PROMISES_SEED=… repeats it."""
    return int(os.environ.get("PROMISES_SEED") or random.randrange(1_000_000))


def test_the_answers_are_those_of_the_model(seed: int) -> None:
    steps = runs_machine.run(World(around=memory.as_it_was), seed, EXAMPLES)

    # The seed decides how many there are: 50 for each example at most.
    assert steps["step"] > 10 * EXAMPLES
    assert steps["answer 200"] > steps["step"] / 3, steps
