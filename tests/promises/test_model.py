"""Every answer to thousands of requests is the one that a plain model of the contract gives: on DynamoDB Local."""

import os

from tests.model import runs_machine
from tests.model.machine import World

EXAMPLES = int(os.environ.get("MODEL_EXAMPLES") or 12)


def test_the_answers_are_those_of_the_model(seed: int) -> None:
    steps = runs_machine.run(World(), seed, EXAMPLES)

    # The seed decides how many there are: 50 for each example at most.
    assert steps["step"] > 10 * EXAMPLES
    assert steps["answer 200"] > steps["step"] / 3, steps
