"""Every response to thousands of requests equals that of a plain model of the contract. This is on DynamoDB Local."""

import os

from tests.model import runs_machine
from tests.model.machine import World

EXAMPLES = int(os.environ.get("MODEL_EXAMPLES") or 12)


def test_the_answers_are_those_of_the_model(seed: int) -> None:
    steps = runs_machine.run(World(), seed, EXAMPLES)

    # The seed determines the number of requests: at most 50 for each example.
    assert steps["step"] > 10 * EXAMPLES
    assert steps["answer 200"] > steps["step"] / 3, steps
