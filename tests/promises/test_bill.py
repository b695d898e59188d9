"""What docs/cost.md says a month costs: the code's own reckoning, with units that this engine measures."""

from benchmarks import bill


def test_the_bill_in_the_documents_is_that_of_the_code() -> None:
    assert f"{bill.BEGIN}\n{bill.table()}\n\n{bill.END}" in bill.DOCUMENT.read_text(encoding="utf-8")
