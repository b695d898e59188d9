"""Every response to thousands of requests equals that of a plain model of the contract. The table is in memory."""

import os
import random

import pytest

from tests.model import runs_machine
from tests.model.machine import World
from tests.support import memory

EXAMPLES = int(os.environ.get("MODEL_EXAMPLES") or 8)


@pytest.fixture
def seed() -> int:
    """Return the seed of this run. The report of a failing test shows it. PROMISES_SEED=… repeats the run."""
    return int(os.environ.get("PROMISES_SEED") or random.randrange(1_000_000))


def test_the_answers_are_those_of_the_model(seed: int) -> None:
    steps = runs_machine.run(World(around=memory.as_it_was), seed, EXAMPLES)

    # The seed determines the number of requests: at most 50 for each example.
    assert steps["step"] > 10 * EXAMPLES
    assert steps["answer 200"] > steps["step"] / 3, steps
