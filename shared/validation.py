"""Maps pydantic's error for a body to the API's error."""

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
    """Return the body as a model. Raises the API's error for the first mistake in the body.

    `path` is the body's place in the request, such as `messages[1]`; each `param` begins with it.
    """
    try:
        return model.model_validate(body)
    except ValidationError as error:
        # The error is raised outside of this block: the chain of errors may be logged, and must not hold the body.
        details: Details = error.errors(include_url=False)[0]  # type: ignore[assignment]
    raise _wire_error(details, path, body)


def _param(path: str, location: Location, body: object, lone: str | None = None) -> str:
    """Return the path of an error, such as `content[0].text`. Pydantic names the variants of unions in its location.

    `lone` is the text that UTF-8 cannot hold, if this is the error. If it is a field's name, the location lacks it.
    """
    value: Any = body
    for index, step in enumerate(location):
        if isinstance(step, int):
            path, value = f"{path}[{step}]", value[step]
        elif not _is_variant(location, index, value, lone):
            path, value = _below(path, step), value.get(step)
    return path


def _is_variant(location: Location, index: int, value: object, lone: str | None) -> bool:
    """Return whether a step of an error's location names a variant of a union that `value` has, and not a field.

    An example is `content, <parts>, 0, text, text, <stored>, value`: the variants are the steps 1, 3 and 5.
    """
    step, after = location[index], location[index + 1 : index + 2]
    if not isinstance(value, dict) or (step not in value and str(step).startswith("<")):
        return True
    if not after:
        return lone is not None and value.get(step) != lone
    # In an array or below a variant, the `type` of an object names its variant. The object's own fields come next.
    before = location[index - 1] if index else ""
    by_type = (isinstance(before, int) or before.startswith("<")) and value.get("type") == step
    return (by_type and isinstance(after[0], str)) or step not in value


def _below(path: str, name: str) -> str:
    """Return the path of a field of the object at `path`, which is empty for the whole body."""
    return f"{path}.{name}" if path else name


def _wire_error(details: Details, path: str, body: object) -> WireError:
    kind, value, location = details["type"], details["input"], details["loc"]
    # For a wrong metadata key, pydantic's location ends with the key and `[key]`. If a pair itself has the key `[key]`,
    # `[key]` comes directly after `metadata`.
    if kind in _OF_A_KEY and location[-1:] == ("[key]",) and location[-2:-1] != ("metadata",):
        return _of_a_metadata_key(kind, value, _param(path, location[:-2], body))
    param = _param(path, location, body, value if kind == "string_unicode" else None)
    if kind in _EXPECTED:
        return errors.invalid_type(param, _EXPECTED[kind], value)
    return _BY_KIND.get(kind, _other)(param, value, details.get("ctx", {}))


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
    """Return the error for the `type` of a part or annotation, or for a value that may have two types."""
    if context["discriminator"] in _EITHER:
        return errors.invalid_type(param, _EITHER[context["discriminator"]], value)
    if "type" not in value:
        return errors.missing(f"{param}.type")
    return _unsupported(f"{param}.type", value["type"], {"expected": context.get("expected_tags", "")})


def _too_long(param: str, value: Any, context: Details) -> WireError:
    if context["field_type"] == "Dictionary":
        return errors.too_many_properties(param, context["max_length"], len(value))
    return errors.array_too_long(param, context["max_length"], len(value))


def _too_short(param: str, value: Any, context: Details) -> WireError:
    if param.endswith(("_id", "url")):
        return errors.empty_value(param)
    return errors.string_too_short(param, context["min_length"], len(value))


def _other(param: str, _value: object, _context: Details) -> WireError:
    return errors.not_allowed(param)


_OF_A_KEY = {"string_too_long", "string_too_short", "string_unicode"}
_EXPECTED = {
    "bool_type": "a boolean",
    "dict_type": "an object",
    "float_type": "a number",
    "int_type": "an integer",
    "list_type": "an array",
    "model_attributes_type": "an object",
    "model_type": "an object",
    "string_type": "a string",
}
_EITHER = {
    "content_kind()": "a string or an array",
    "form_of()": "a string or an object",
    "text_kind()": "a string or an object",
}
# From each kind of error of pydantic and of the models' checks to the function that makes the API's error.
_BY_KIND: dict[str, Callable[[str, Any, Details], WireError]] = {
    "content_empty": lambda param, _, __: errors.empty_content(_below(param, "content")),
    "content_too_long": lambda param, _, context: errors.string_too_long(
        _below(param, "content"), MAX_CONTENT, context["length"]
    ),
    "data_url": lambda param, _, __: errors.data_url(param),
    "details_unexpected": lambda param, _, __: errors.unexpected_details(_below(param, "incomplete_details")),
    "extra_forbidden": lambda param, _, __: errors.unknown_parameter(param),
    "function_name": lambda param, _, context: errors.pattern_mismatch(param, context["pattern"]),
    "greater_than_equal": lambda param, value, context: errors.below_minimum(param, context["ge"], value),
    "less_than_equal": lambda param, value, context: errors.above_maximum(param, context["le"], value),
    "literal_error": _unsupported,
    "missing": lambda param, _, __: errors.missing(param),
    "missing_field": lambda param, _, context: errors.missing(_below(param, context["field"])),
    "number_out_of_range": lambda param, _, __: errors.number_out_of_range(param),
    "project": lambda param, value, _: errors.invalid_project(param, value),
    "resources_too_large": lambda param, _, __: errors.resources_too_large(param, MAX_TOOL_RESOURCES),
    "string_pattern_mismatch": lambda param, value, _: errors.invalid_plain_id(param, value),
    "string_too_long": lambda param, value, context: errors.string_too_long(param, context["max_length"], len(value)),
    "string_too_short": _too_short,
    "string_unicode": lambda param, _, __: errors.lone_surrogate(param),
    "thread_id": lambda param, value, _: errors.malformed_id(param, value, "thread"),
    "too_long": _too_long,
    "union_tag_invalid": _of_a_tag,
    "union_tag_not_found": _of_a_tag,
    "url_in_blanks": lambda param, _, __: errors.url_in_blanks(param),
}
