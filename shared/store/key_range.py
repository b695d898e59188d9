"""The range of keys of a partition from which a page is read."""

from typing import NamedTuple

from shared.records import PageRequest


class KeyRange(NamedTuple):
    """A range of ULIDs: above `low` and below `high` (empty means no bound).

    `forward` means upwards, otherwise the range is read downwards. `size` is the number of ULIDs to read.
    """

    low: str
    high: str
    forward: bool
    size: int

    def bounds(self, prefix: str) -> tuple[str, str]:
        """Return the first and the last sort key of the range, both included. Sort keys are `prefix` and a ULID.

        DynamoDB's BETWEEN has no exclusive form. `…A0` is above `…A` and below every later ULID. `…A~` is below `…B`
        and above every earlier ULID.
        """
        low = f"{prefix}{self.low}0"
        high = f"{prefix}{self.high[:-1]}{chr(ord(self.high[-1]) - 1)}~" if self.high else f"{prefix}~"
        return low, high

    def holds(self, ulid: str) -> bool:
        """Return whether a ULID lies in the range."""
        return self.low < ulid and (not self.high or ulid < self.high)

    def behind(self, ulid: str) -> "KeyRange":
        """Return the rest of the range after this ULID, in the order of reading."""
        return self._replace(low=ulid) if self.forward else self._replace(high=ulid)


def is_backward(asked: PageRequest) -> bool:
    """Return whether a page is read backwards: `before` alone asks for the page that ends just before the cursor."""
    return bool(asked.before and not asked.after)


def key_range_of(asked: PageRequest) -> KeyRange:
    """Return the range of keys of a page. Its size is the limit and one more key, which shows whether more follows."""
    low, high = (asked.after, asked.before) if asked.ascending else (asked.before, asked.after)
    return KeyRange(low, high, forward=asked.ascending != is_backward(asked), size=asked.limit + 1)
