"""Maps what pydantic finds wrong with a body to the wire's error for it."""

import re
from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from shared import errors
from shared.errors import WireError
from shared.models import MAX_CONTENT, MAX_TOOL_RESOURCES

ModelT = TypeVar("ModelT", bound=BaseModel)
Location = tuple[int | str, ...]
Details = dict[str, Any]


def validate(model: type[ModelT], body: dict[str, Any], path: str = "") -> ModelT:
    """Return the body as a model. Raises the wire's error for the first thing that is wrong with it.

    `path` is the body's place in the request, such as `messages[1]`; each `param` begins with it.
    """
    try:
        return model.model_validate(body)
    except ValidationError as error:
        # Values of the body are left out of the chain: it may be logged.
        details: Details = error.errors(include_url=False)[0]  # type: ignore[assignment]
    raise _wire_error(details, path)


def _param(path: str, location: Location) -> str:
    """Return the path of an error, such as `content[0].text`."""
    for index, step in enumerate(location):
        if isinstance(step, int):
            path += f"[{step}]"
        elif not _is_variant(location, index):
            path = _below(path, step)
    return path


def _is_variant(location: Location, index: int) -> bool:
    """Tell whether a step of an error's location is no field of the body, but the variant of a union that applied.

    All unions are in `content`: itself, its parts, the text of a text part, and the annotations of a text.
    An example is `content, parts, 0, text, text, stored, annotations, 0, file_path, text`.
    """
    return location[0] == "content" and (index in (1, 3, 8) or (index == 5 and location[4] == "text"))


def _below(path: str, name: str) -> str:
    """Return the path of a field of the object with this path, which is empty for the whole body."""
    return f"{path}.{name}" if path else name


def _wire_error(details: Details, path: str) -> WireError:
    kind, value, location = details["type"], details["input"], details["loc"]
    # Of a key that is wrong, pydantic gives the location below the key. A value with the key `[key]` of its own is
    # right below metadata.
    if kind in _OF_A_KEY and location[-1:] == ("[key]",) and location[-2:-1] != ("metadata",):
        return _of_a_metadata_key(kind, value, _param(path, location[:-2]))
    param = _param(path, location)
    if kind in _EXPECTED:
        return errors.invalid_type(param, _EXPECTED[kind], value)
    return _BY_KIND[kind](param, value, details.get("ctx", {}))


def _of_a_metadata_key(kind: str, name: str, param: str) -> WireError:
    if kind == "string_unicode":
        return errors.lone_surrogate(param)
    return errors.property_name_length(param, 64, name)


def _unsupported(param: str, value: object, context: Details) -> WireError:
    supported = re.findall("'([^']*)'", context["expected"])
    if isinstance(value, str):
        return errors.unsupported_value(param, value, supported)
    return errors.invalid_type(param, "a string", value)


def _of_a_tag(param: str, value: Any, context: Details) -> WireError:
    """Return what is wrong with the `type` of a part or annotation, or with a value that may have two types."""
    if context["discriminator"] in _EITHER:
        return errors.invalid_type(param, _EITHER[context["discriminator"]], value)
    if "type" not in value:
        return errors.missing(f"{param}.type")
    return _unsupported(f"{param}.type", value["type"], {"expected": context.get("expected_tags", "")})


def _too_long(param: str, value: Any, context: Details) -> WireError:
    if context["field_type"] == "Dictionary":
        return errors.too_many_properties(param, context["max_length"], len(value))
    return errors.array_too_long(param, context["max_length"], len(value))


_OF_A_KEY = {"string_too_long", "string_too_short", "string_unicode"}
_EXPECTED = {
    "dict_type": "an object",
    "int_type": "an integer",
    "list_type": "an array",
    "model_attributes_type": "an object",
    "model_type": "an object",
    "string_type": "a string",
}
_EITHER = {"content_kind()": "a string or an array", "text_kind()": "a string or an object"}
# The kinds of errors that pydantic and the checks of the models have, and what makes the wire's error for each.
_BY_KIND: dict[str, Callable[[str, Any, Details], WireError]] = {
    "content_empty": lambda param, _, __: errors.empty_content(_below(param, "content")),
    "content_too_long": lambda param, _, context: errors.string_too_long(
        _below(param, "content"), MAX_CONTENT, context["length"]
    ),
    "data_url": lambda param, _, __: errors.data_url(param),
    "details_missing": lambda param, _, __: errors.missing(_below(param, "incomplete_details")),
    "details_unexpected": lambda param, _, __: errors.unexpected_details(_below(param, "incomplete_details")),
    "extra_forbidden": lambda param, _, __: errors.unknown_parameter(param),
    "greater_than_equal": lambda param, value, context: errors.integer_below_minimum(param, context["ge"], value),
    "less_than_equal": lambda param, value, context: errors.integer_above_maximum(param, context["le"], value),
    "literal_error": _unsupported,
    "missing": lambda param, _, __: errors.missing(param),
    "number_out_of_range": lambda param, _, __: errors.number_out_of_range(param),
    "project": lambda param, value, _: errors.invalid_project(param, value),
    "resources_too_large": lambda param, _, __: errors.resources_too_large(param, MAX_TOOL_RESOURCES),
    "string_pattern_mismatch": lambda param, value, _: errors.invalid_plain_id(param, value),
    "string_too_long": lambda param, value, context: errors.string_too_long(param, context["max_length"], len(value)),
    "string_too_short": lambda param, _, __: errors.empty_value(param),
    "string_unicode": lambda param, _, __: errors.lone_surrogate(param),
    "thread_id": lambda param, value, _: errors.malformed_id(param, value, "thread"),
    "too_long": _too_long,
    "union_tag_invalid": _of_a_tag,
    "union_tag_not_found": _of_a_tag,
    "url_in_blanks": lambda param, _, __: errors.url_in_blanks(param),
}
