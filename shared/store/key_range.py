"""The part of a partition that a page is read from, and the keys that bound it."""

from typing import NamedTuple

from shared.records import PageRequest


class KeyRange(NamedTuple):
    """Which ULIDs are looked for: above `low`, below `high` (empty: no bound), upwards or downwards, how many."""

    low: str
    high: str
    forward: bool
    size: int

    def bounds(self, prefix: str) -> tuple[str, str]:
        """Return the first and the last sort key of the span, both included, for keys of `prefix` and a ULID.

        DynamoDB's BETWEEN has no exclusive form. `…A0` is above `…A` and below all that follows it; `…A~` is below
        `…B` and above all that comes before it.
        """
        low = f"{prefix}{self.low}0"
        high = f"{prefix}{self.high[:-1]}{chr(ord(self.high[-1]) - 1)}~" if self.high else f"{prefix}~"
        return low, high

    def holds(self, ulid: str) -> bool:
        """Tell whether a ULID lies in the span."""
        return self.low < ulid and (not self.high or ulid < self.high)

    def behind(self, ulid: str) -> "KeyRange":
        """Return what is left of the span once this ULID has been passed."""
        return self._replace(low=ulid) if self.forward else self._replace(high=ulid)


def is_backward(asked: PageRequest) -> bool:
    """Tell whether a page is read backwards: `before` alone asks for the page that ends just before the cursor."""
    return bool(asked.before and not asked.after)


def key_range_of(asked: PageRequest) -> KeyRange:
    """Return the range of keys of a page. It reads one key more than the limit, to learn whether more follows."""
    low, high = (asked.after, asked.before) if asked.ascending else (asked.before, asked.after)
    return KeyRange(low, high, forward=asked.ascending != is_backward(asked), size=asked.limit + 1)
