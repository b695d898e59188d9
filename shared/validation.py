"""From what pydantic finds wrong with a body to the wire's error for it."""

import re
from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from shared import errors
from shared.errors import WireError
from shared.models import MAX_CONTENT

ModelT = TypeVar("ModelT", bound=BaseModel)
Details = dict[str, Any]


def validate(model: type[ModelT], body: dict[str, Any], path: str = "") -> ModelT:
    """Return the body as a model. Raises the wire's error for the first thing that is wrong with it.

    `path` is where the body stands in the request, such as `messages[1]`; it begins each `param`.
    """
    try:
        return model.model_validate(body)
    except ValidationError as error:
        # Values of the body are left out of the chain: it may be logged.
        details: Details = error.errors(include_url=False)[0]  # type: ignore[assignment]
    raise _wire_error(details, path, body)


def _param(path: str, location: tuple[int | str, ...], body: object) -> str:
    """Return a path such as `content[0].text`; the tags of unions, which are no keys of the body, are left out."""
    value: Any = body
    for place, step in enumerate(location):
        if isinstance(step, int):
            path += f"[{step}]"
            value = value[step]
        elif place and isinstance(location[place - 1], int) and value.get("type") == step:
            continue
        elif isinstance(value, dict) and (step in value or place == len(location) - 1):
            path += f".{step}" if path else step
            value = value.get(step)
    return path


def _wire_error(details: Details, path: str, body: object) -> WireError:
    kind, got, location = details["type"], details["input"], details["loc"]
    # So pydantic names the place of a key, below the key; a value whose key is called so stands right below metadata.
    if kind in _OF_A_KEY and location[-1:] == ("[key]",) and location[-2:-1] != ("metadata",):
        return _of_a_metadata_key(kind, got, _param(path, location[:-2], body))
    param = _param(path, location, body)
    if kind in _EXPECTED:
        return errors.invalid_type(param, _EXPECTED[kind], got)
    return _BY_KIND.get(kind, _invalid)(param, got, details.get("ctx", {}))


def _of_a_metadata_key(kind: str, name: str, param: str) -> WireError:
    if kind == "string_unicode":
        return errors.lone_surrogate(param)
    return errors.property_name_length(param, 64, name)


def _unsupported(param: str, got: object, context: Details) -> WireError:
    supported = re.findall("'([^']*)'", context["expected"])
    if isinstance(got, str):
        return errors.unsupported_value(param, got, supported)
    return errors.invalid_type(param, "a string", got)


def _of_a_tag(param: str, got: Any, context: Details) -> WireError:
    """Return what is wrong with the `type` of a part, tool or annotation, or with a value that may have two types."""
    if context["discriminator"] in _EITHER:
        return errors.invalid_type(param, _EITHER[context["discriminator"]], got)
    if "type" not in got:
        return errors.missing(f"{param}.type")
    return _unsupported(f"{param}.type", got["type"], {"expected": context.get("expected_tags", "")})


def _too_long(param: str, got: Any, context: Details) -> WireError:
    if context["field_type"] == "Dictionary":
        return errors.too_many_properties(param, context["max_length"], len(got))
    return errors.array_too_long(param, context["max_length"], len(got))


def _below(path: str, name: str) -> str:
    """Return the path of a field of what stands at `path`, which is empty for the whole body."""
    return f"{path}.{name}" if path else name


def _invalid(param: str, _got: object, context: Details) -> WireError:
    why = f": {context['error']}" if "error" in context else ""
    return errors.invalid_value(param, f"Invalid '{param}'{why or ': the value is not allowed'}.")


_OF_A_KEY = {"string_too_long", "string_too_short", "string_unicode"}
_EXPECTED = {
    "dict_type": "an object",
    "int_type": "an integer",
    "list_type": "an array",
    "model_attributes_type": "an object",
    "model_type": "an object",
    "string_type": "a string",
}
_EITHER = {"content_kind()": "a string or an array", "_text_kind()": "a string or an object"}
_BY_KIND: dict[str, Callable[[str, Any, Details], WireError]] = {
    "content_empty": lambda param, _, __: errors.empty_content(_below(param, "content")),
    "content_too_long": lambda param, _, context: errors.string_too_long(
        _below(param, "content"), MAX_CONTENT, context["length"]
    ),
    "details": lambda param, _, __: _invalid(_below(param, "incomplete_details"), None, {}),
    "extra_forbidden": lambda param, _, __: errors.unknown_parameter(param),
    "literal_error": _unsupported,
    "missing": lambda param, _, __: errors.missing(param),
    "string_too_long": lambda param, got, context: errors.string_too_long(param, context["max_length"], len(got)),
    "string_unicode": lambda param, _, __: errors.lone_surrogate(param),
    "too_long": _too_long,
    "union_tag_invalid": _of_a_tag,
    "union_tag_not_found": _of_a_tag,
}
