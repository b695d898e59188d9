"""From the text of a body to a JSON object, and to the hash by which a repeated one is known."""

import base64
import hashlib
import json
from typing import Any

from shared import errors

# No body of the contract is nested deeper than 8; tool_resources and a margin are in this.
_MAX_DEPTH = 64


def parse(text: str, *, in_base64: bool = False) -> dict[str, Any]:
    """Return the JSON object that a body in UTF-8 holds; an empty body is `{}`. Raises `WireError`."""
    try:
        text = base64.b64decode(text).decode() if in_base64 else text
        value = json.loads(text, parse_constant=_refuse_constant) if text.strip() else {}
    except (ValueError, RecursionError):
        raise errors.body_not_parsed("it is not valid JSON in UTF-8") from None
    if not isinstance(value, dict):
        raise errors.body_not_parsed("it is valid JSON, but not an object")
    if _is_deep(value):
        raise errors.body_not_parsed("it is nested too deeply")
    return value


def hash_of(body: dict[str, Any]) -> str:
    """Return the SHA-256 of a body; bodies that are equal as JSON have the same."""
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def _is_deep(value: Any) -> bool:
    """Tell whether objects and arrays are nested deeper than any body of the contract."""
    level = [value]
    for _ in range(_MAX_DEPTH):
        level = [
            child
            for parent in level
            for child in (parent.values() if isinstance(parent, dict) else parent)
            if isinstance(child, dict | list)
        ]
        if not level:
            return False
    return True
