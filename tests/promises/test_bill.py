"""What docs/cost.md and docs/runs.md say of costs: the code's own reckoning, with units that this engine measures."""

from collections.abc import Callable

import pytest

from benchmarks import cost, cost_of_runs
from benchmarks.__main__ import PLACES

TABLES = {"bill": cost.bill_table, "bill_of_runs": cost_of_runs.bill_table, "cost_of_runs": cost_of_runs.price_tables}


@pytest.mark.parametrize(("name", "table"), TABLES.items())
def test_the_bill_in_the_documents_is_that_of_the_code(name: str, table: Callable[[], str]) -> None:
    text = f"<!-- {name} -->\n\n{table()}\n\n<!-- end of {name} -->\n"
    assert text in PLACES[name].read_text(encoding="utf-8")
