"""Lambda's filter criteria, as far as the template uses them: they select the records of a stream for a function."""

from collections.abc import Iterable
from typing import Any


def passes(patterns: Iterable[dict[str, Any]], record: dict[str, Any]) -> bool:
    """Return whether one of the patterns matches a record. Raises ValueError for an unknown rule."""
    return any(_matches(pattern, record) for pattern in patterns)


def _matches(pattern: dict[str, Any], record: Any) -> bool:
    for name, wanted in pattern.items():
        value = record.get(name) if isinstance(record, dict) else None
        if isinstance(wanted, dict):
            if not _matches(wanted, value):
                return False
        # `exists` applies to leaves only, and an object is not one.
        elif not any(_holds(rule, None if isinstance(value, dict) else value) for rule in wanted):
            return False
    return True


def _holds(rule: Any, value: Any) -> bool:
    if isinstance(rule, str):
        return bool(value == rule)
    match rule:
        case {"exists": bool(wanted), **rest} if not rest:
            return (value is not None) == wanted
        case {"prefix": str(prefix), **rest} if not rest:
            return isinstance(value, str) and value.startswith(prefix)
    raise ValueError(f"a filter has an unknown rule: {rule}")
