"""What docs/cost.md says a month costs: the code's own reckoning, with units that this engine measures."""

from benchmarks import cost
from benchmarks.__main__ import COST


def test_the_bill_in_the_documents_is_that_of_the_code() -> None:
    text = f"<!-- bill -->\n\n{cost.bill_table()}\n\n<!-- end of bill -->\n"
    assert text in COST.read_text(encoding="utf-8")
