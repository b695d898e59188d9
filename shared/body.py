"""Parses the text of a body to a JSON object, and hashes the object, to recognize an equal body."""

import base64
import hashlib
import json
import re
from typing import Any

from shared import errors

# No body of the contract is nested deeper than 8 levels. The other levels are for tool_resources and a margin.
_MAX_DEPTH = 64
# A JSON string, or a constant that Python's parser accepts although JSON lacks it. A string may contain these words.
_STRING_OR_CONSTANT = re.compile(r'"(?:[^"\\]|\\.)*"|(NaN|-?Infinity)')


def parse(text: str, *, in_base64: bool = False) -> dict[str, Any]:
    """Return the JSON object that a body in UTF-8 contains. Raises `WireError`.

    An empty body is `{}`, and so is `[]`, which PHP clients send for no parameters. A byte order mark is skipped.
    """
    text = (_decode(text) if in_base64 else text).removeprefix("\ufeff")
    value = _load(text) if text.strip() else {}
    if value == []:
        return {}
    if not isinstance(value, dict):
        raise errors.body_not_an_object(value)
    if _is_deep(value):
        raise errors.body_too_deep()
    return value


def hash_of(body: dict[str, Any]) -> str:
    """Return the SHA-256 of a body. Bodies that are equal as JSON have the same hash."""
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _decode(text: str) -> str:
    try:
        return base64.b64decode(text).decode()
    except ValueError:
        raise errors.body_not_utf8() from None


def _load(text: str) -> Any:
    def refuse_constant(name: str) -> None:
        # The text before the constant is JSON, so the parser means the first constant outside of strings.
        position = next(match.start() for match in _STRING_OR_CONSTANT.finditer(text) if match[1])
        raise json.JSONDecodeError(f"Invalid value {name}", text, position)

    try:
        return json.loads(text, parse_constant=refuse_constant)
    except json.JSONDecodeError as error:
        raise errors.body_not_json(error.msg, error.lineno, error.colno) from None
    except RecursionError:
        raise errors.body_too_deep() from None
    except ValueError:  # Python refuses to convert thousands of digits
        raise errors.body_number_too_long() from None


def _is_deep(value: Any) -> bool:
    """Return whether objects and arrays are nested deeper than in any body of the contract."""
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
