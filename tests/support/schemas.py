"""The JSON Schemas of the repository, as validators."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

SCHEMAS = Path(__file__).parents[2] / "schemas"


@cache
def validator(name: str) -> Draft202012Validator:
    """Return a validator for the schema `event` or `command`, after a check that the schema itself is valid."""
    schema = json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def event(kind: str, detail: str) -> dict[str, Any]:
    """Return an event as a rule delivers it, after a check against the schema."""
    found: dict[str, Any] = {"source": "message-api", "detail-type": kind, "detail": json.loads(detail)}
    validator("event").validate(found)
    return found
