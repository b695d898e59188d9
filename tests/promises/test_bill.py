"""The costs in docs/cost.md and docs/runs.md equal those that the code computes from units measured on this engine."""

from collections.abc import Callable

import pytest

from benchmarks import cost, cost_of_runs
from benchmarks.__main__ import COST, PLACES
from benchmarks.figures import Report

BILLS = {
    "cost": cost.run,
    "dollars": cost.dollars,
    "bill": cost.bill,
    "bill_of_runs": cost_of_runs.bill_of_runs,
    "cost_of_runs": cost_of_runs.run,
}


@pytest.mark.parametrize(("name", "bill"), BILLS.items())
def test_the_bill_in_the_documents_is_that_of_the_code(name: str, bill: Callable[[], Report]) -> None:
    text = f"<!-- {name} -->\n\n{bill().text}\n\n<!-- end of {name} -->\n"
    assert text in PLACES[name].read_text(encoding="utf-8")


def test_the_cost_of_an_idle_stack_is_that_of_the_code() -> None:
    assert f"costs about {cost.idle():.0f} USD a month" in COST.read_text(encoding="utf-8").replace("\n", " ")
