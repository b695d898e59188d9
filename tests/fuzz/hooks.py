"""What schemathesis loads before it makes requests: JSON Schema takes 1.0 for an integer, and the API does not."""

from typing import Any

import schemathesis


@schemathesis.hook
def map_body(_context: schemathesis.HookContext, body: Any) -> Any:
    """Return a body in which whole numbers are written as such."""
    return _whole(body)


def _whole(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _whole(below) for name, below in value.items()}
    if isinstance(value, list):
        return [_whole(below) for below in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
