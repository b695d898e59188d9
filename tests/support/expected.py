"""Whole response bodies of the contract, with their keys in its order. Tests compare with them."""

import json
from typing import Any

ROLE_USER = {"role": "user", "content": "hello"}


def compact(value: object) -> str:
    """Return JSON text as the API writes it, so that a comparison includes the order of keys."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def text(value: str, *annotations: dict[str, Any]) -> dict[str, Any]:
    """Return a text part as in responses."""
    return {"type": "text", "text": {"value": value, "annotations": list(annotations)}}


def message(thread_id: str, message_id: str, created_at: int, content: list[Any], **fields: Any) -> dict[str, Any]:
    """Return a message object with its fourteen keys. `fields` replace the usual values."""
    usual = {
        "id": message_id,
        "object": "thread.message",
        "created_at": created_at,
        "assistant_id": None,
        "thread_id": thread_id,
        "run_id": None,
        "role": "user",
        "content": content,
        "attachments": [],
        "metadata": {},
        "status": "completed",
        "incomplete_details": None,
        "completed_at": None,
        "incomplete_at": None,
    }
    return usual | fields


def thread(thread_id: str, created_at: int, **fields: Any) -> dict[str, Any]:
    """Return a thread object."""
    usual = {"id": thread_id, "object": "thread", "created_at": created_at, "metadata": {}, "tool_resources": {}}
    return usual | fields


def page(data: list[dict[str, Any]], *, has_more: bool = False) -> dict[str, Any]:
    """Return a list object."""
    first, last = (data[0]["id"], data[-1]["id"]) if data else (None, None)
    return {"object": "list", "data": data, "first_id": first, "last_id": last, "has_more": has_more}


def error(message: str, param: str | None = None, code: str | None = None, kind: str = "") -> dict[str, Any]:
    """Return an error object. Its type is `invalid_request_error` unless another is given."""
    return {
        "error": {"message": message, "type": kind or "invalid_request_error", "param": param, "code": code},
    }


def missing(param: str) -> dict[str, Any]:
    """Return the error for a required field that is absent."""
    return error(f"Missing required parameter: '{param}'.", param, "missing_required_parameter")


def unknown(param: str) -> dict[str, Any]:
    """Return the error for a field that the contract does not have."""
    return error(f"Unknown parameter: '{param}'.", param, "unknown_parameter")


def wrong_type(param: str, expected: str, got: str) -> dict[str, Any]:
    """Return the error for a value of another JSON type."""
    return error(f"Invalid type for '{param}': expected {expected}, but got {got} instead.", param, "invalid_type")


def unsupported(param: str, got: str, supported: str) -> dict[str, Any]:
    """Return the error for a value outside an enumeration."""
    return error(f"Invalid value: '{got}'. Supported values are: {supported}.", param, "invalid_value")


def below(param: str, kind: str, low: int, value: float) -> dict[str, Any]:
    """Return the error for a number that is too small. `kind` is integer or decimal."""
    message = f"Invalid '{param}': {kind} below minimum value. Expected a value >= {low}, but got {value} instead."
    return error(message, param, f"{kind}_below_min_value")


def too_long(param: str, limit: int, length: int) -> dict[str, Any]:
    """Return the error for a string that is too long."""
    message = (
        f"Invalid '{param}': string too long. Expected a string with maximum length {limit}, "
        f"but got a string with length {length} instead."
    )
    return error(message, param, "string_above_max_length")


def too_many(param: str, limit: int, length: int) -> dict[str, Any]:
    """Return the error for an array that is too long."""
    message = (
        f"Invalid '{param}': array too long. Expected an array with maximum length {limit}, "
        f"but got an array with length {length} instead."
    )
    return error(message, param, "array_above_max_length")


def too_many_pairs(param: str, limit: int, count: int) -> dict[str, Any]:
    """Return the error for an object with too many properties."""
    message = (
        f"Invalid '{param}': too many properties. Expected an object with at most {limit} properties, "
        f"but got an object with {count} properties instead."
    )
    return error(message, param, "object_above_max_properties")


def property_name(param: str, length: int) -> dict[str, Any]:
    """Return the error for a metadata key that is empty or too long."""
    if length:
        message = f"property name too long. Expected a name of at most 64 characters, but got one of {length} instead."
        return error(f"Invalid '{param}': {message}", param, "property_name_above_max_length")
    message = "property name empty. Expected a name of at least 1 characters, but got one of 0 instead."
    return error(f"Invalid '{param}': {message}", param, "property_name_below_min_length")


def surrogate(param: str | None) -> dict[str, Any]:
    """Return the error for a text that contains a lone surrogate."""
    why = "the text contains half of a surrogate pair. It was probably cut in the middle of an emoji."
    return invalid(param, why) if param else error(f"Invalid 'body': {why}", None, "invalid_value")


def invalid(param: str, why: str) -> dict[str, Any]:
    """Return the error for a value that breaks a rule. `why` is the sentence that names the rule."""
    return error(f"Invalid '{param}': {why}", param, "invalid_value")


def empty(param: str) -> dict[str, Any]:
    """Return the error for an id or URL that is empty."""
    return invalid(param, "it must not be empty.")


def repeated(param: str) -> dict[str, Any]:
    """Return the error for a query key that was given twice."""
    return invalid(param, "it was given more than once.")


def plain_id(param: str, value: str) -> dict[str, Any]:
    """Return the error for an id with characters that it must not have."""
    return invalid(param, f"'{value}'. Expected only letters, digits, '_' and '-'.")


def not_json(reason: str, column: int, line: int = 1) -> dict[str, Any]:
    """Return the error for a body that is not JSON."""
    return not_parsed(f"it is not valid JSON: {reason} at line {line}, column {column}")


def malformed_id(param: str, value: str, prefix: str) -> dict[str, Any]:
    """Return the error for an id that lacks its prefix, is too long, or has characters that no id has."""
    return error(f"Invalid '{param}': '{value}'. Expected an ID that begins with '{prefix}'.", param, "invalid_value")


def no_thread(thread_id: str) -> dict[str, Any]:
    """Return the error for a thread that the key's project does not have."""
    return error(f"No thread found with id '{thread_id}'.")


def no_assistant_to_run(assistant_id: str) -> dict[str, Any]:
    """Return the error for a run of an assistant that does not exist."""
    return error(
        f"No assistant found with id '{assistant_id}'. Import it with ./message-api import, or set UnknownAssistants "
        "(locally UNKNOWN_ASSISTANTS) to default to run assistants that do not exist."
    )


def no_message(message_id: str) -> dict[str, Any]:
    """Return the error for a message that its thread does not have."""
    return error(f"No message found with id '{message_id}'.")


def not_parsed(why: str) -> dict[str, Any]:
    """Return the error for a body that is not a JSON object."""
    return error(f"The body of the request could not be parsed as a JSON object: {why}.")


NO_KEY = error(
    "No API key was given. Send one in the Authorization header, 'Authorization: Bearer YOUR_KEY', "
    "or in the header 'api-key'."
)
BUSY = error("The service is busy. Send the request again.", kind="server_error")
OUR_FAULT = error("The server had an error while processing the request.", kind="server_error")
KEY_REUSED = error("This Idempotency-Key was already used with another body.", code="idempotency_key_reused")
TOO_LARGE = error("The message is too large to be stored.", code="request_too_large")
