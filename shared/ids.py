"""Ids: ULIDs, whose order is the order of the messages, and the forms that an id may have.

A ULID is 26 characters of Crockford's base 32: 48 bits of milliseconds since 1970, then 80 random bits.
"""

import os
import re
import time

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VALUES = {character: value for value, character in enumerate(_ALPHABET)}
_ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")
_RANDOM_BITS = 80

_PLAIN = re.compile(r"[A-Za-z0-9_-]{1,128}")


def new_ulid(above: str = "") -> str:
    """Return a ULID of this moment. If it would not be greater than `above`, return one a little greater than `above`.

    The random bits are drawn at the call, because restored snapshots would repeat bits that were drawn at import.
    The step above `above` is random too (64 bits), so that two writers with the same `above` never take the same id.
    """
    value = time.time_ns() // 1_000_000 << _RANDOM_BITS | int.from_bytes(os.urandom(10))
    if above:
        floor = _decode(above)
        if value <= floor:
            value = floor + 1 + int.from_bytes(os.urandom(8))
    return _encode(value)


def milliseconds(ulid: str) -> int:
    """Return the milliseconds since 1970 that a ULID carries."""
    return _decode(ulid) >> _RANDOM_BITS


def lowest_ulid(since: int, lower: int = 0) -> str:
    """Return the ULID with these milliseconds since 1970 and these lower 80 bits: by default the lowest one."""
    return _encode(since << _RANDOM_BITS | lower)


def next_ulid(ulid: str) -> str:
    """Return the next ULID after this one."""
    return _encode(_decode(ulid) + 1)


def is_ulid(text: str) -> bool:
    """Return whether a text is a ULID in its canonical, upper-case form."""
    return _ULID.fullmatch(text) is not None


def is_plain(text: str) -> bool:
    """Return whether an id from elsewhere may become part of a key: 1 to 128 letters, digits, `_` and `-`."""
    return _PLAIN.fullmatch(text) is not None


def is_path_id(text: str, prefix: str) -> bool:
    """Return whether a text has the form of an id in a path.

    The form is `prefix_`, then letters, digits, `_` and `-`, at most 128 characters in all.
    """
    return is_plain(text) and text.startswith(f"{prefix}_") and len(text) > len(prefix) + 1


def _encode(value: int) -> str:
    return "".join([_ALPHABET[value >> shift & 31] for shift in range(125, -1, -5)])


def _decode(ulid: str) -> int:
    value = 0
    for character in ulid:
        value = value << 5 | _VALUES[character]
    return value
