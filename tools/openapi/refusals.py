"""The errors of the API, each made by its function in `shared.errors`, and the operations that may return them."""

from http import HTTPStatus
from typing import Any

from shared import errors
from shared.errors import WireError
from shared.models import MAX_CONTENT, MAX_TOOL_RESOURCES
from shared.runs.models import MAX_INSTRUCTIONS, MAX_OUTPUTS, MAX_TOOLS
from tools.local.gateway import OWN_ANSWERS

_THREAD = "thread_abc123"
_MESSAGE = "msg_abc123"
_RUN = "run_abc123"

CASES: dict[str, WireError] = {
    "no_api_key": errors.no_api_key(),
    "wrong_api_key": errors.wrong_api_key("sk-made-up-key"),
    "unknown_url": errors.unknown_url("GET", "/threads/runs", runs_on=False),
    "misspelt_url": errors.misspelt_url("GET", "/v1//threads", "/v1/threads"),
    "method_not_allowed": errors.method_not_allowed("DELETE", "/threads", ("GET", "POST")),
    "thread_not_found": errors.thread_not_found(_THREAD),
    "message_not_found": errors.message_not_found(_MESSAGE),
    "malformed_thread_id": errors.malformed_id("thread_id", "abc123", "thread"),
    "malformed_message_id": errors.malformed_id("message_id", "abc123", "msg"),
    "malformed_message_cursor": errors.malformed_id("after", "abc123", "msg"),
    "malformed_thread_cursor": errors.malformed_id("after", "abc123", "thread"),
    "assistant_not_found": errors.assistant_not_found("asst_abc123"),
    "unknown_assistant": errors.unknown_assistant("asst_abc123"),
    "run_not_found": errors.run_not_found(_RUN),
    "step_not_found": errors.step_not_found("step_abc123"),
    "malformed_assistant_id": errors.malformed_id("assistant_id", "abc123", "asst"),
    "malformed_run_id": errors.malformed_id("run_id", "abc123", "run"),
    "malformed_step_id": errors.malformed_id("step_id", "abc123", "step"),
    "malformed_assistant_cursor": errors.malformed_id("after", "abc123", "asst"),
    "malformed_run_cursor": errors.malformed_id("after", "abc123", "run"),
    "malformed_step_cursor": errors.malformed_id("after", "abc123", "step"),
    "run_active": errors.run_active(_THREAD, _RUN),
    "run_exists": errors.run_exists(_THREAD, _RUN),
    "nothing_to_run": errors.nothing_to_run(),
    "run_not_cancellable": errors.run_not_cancellable("completed"),
    "run_not_modifiable": errors.run_not_modifiable("in_progress"),
    "run_takes_no_outputs": errors.run_takes_no_outputs("in_progress"),
    "outputs_mismatch": errors.outputs_mismatch(["call_a", "call_b"], ["call_a"]),
    "outputs_too_large": errors.string_too_long("tool_outputs", MAX_OUTPUTS, MAX_OUTPUTS + 1),
    "decimal_too_high": errors.above_maximum("temperature", 2.0, 3),
    "decimal_too_low": errors.below_minimum("top_p", 0.0, -1),
    "integer_too_low": errors.below_minimum("max_completion_tokens", 16, 15),
    "invalid_function_name": errors.pattern_mismatch("tools[0].function.name", "^[a-zA-Z0-9_-]+$"),
    "unknown_function": errors.unknown_function("get_weather"),
    "model_empty": errors.string_too_short("model", 1, 0),
    "instructions_too_long": errors.string_too_long("instructions", MAX_INSTRUCTIONS, MAX_INSTRUCTIONS + 1),
    "too_many_tools": errors.array_too_long("tools", 128, 129),
    "tools_too_large": errors.tools_too_large(MAX_TOOLS),
    "missing_last_messages": errors.missing("truncation_strategy.last_messages"),
    "limit_too_high": errors.above_maximum("limit", 100, "1000"),
    "limit_too_low": errors.below_minimum("limit", 1, "0"),
    "limit_no_integer": errors.invalid_type("limit", "an integer", "ten"),
    "unsupported_order": errors.unsupported_value("order", "up", ("asc", "desc")),
    "invalid_run_id": errors.invalid_plain_id("run_id", "a b"),
    "repeated_parameter": errors.repeated_parameter("limit"),
    "unknown_query_parameter": errors.unknown_parameter("user_id"),
    "empty_filter": errors.empty_filter("metadata[user_id]"),
    "metadata_not_indexed": errors.metadata_not_indexed("metadata[team]", "user_id"),
    "body_not_parsed": errors.body_not_json("Expecting ',' delimiter: ", 1, 30),
    "body_not_utf8": errors.body_not_utf8(),
    "body_not_an_object": errors.body_not_an_object(["a"]),
    "body_too_deep": errors.body_too_deep(),
    "body_number_too_long": errors.body_number_too_long(),
    "body_too_large": errors.body_too_large(),
    "missing": errors.missing("role"),
    "unknown_parameter": errors.unknown_parameter("colour"),
    "invalid_type": errors.invalid_type("metadata.key", "a string", True),
    "invalid_value": errors.data_url("content[0].image_url.url"),
    "index_too_high": errors.above_maximum("content[0].text.annotations[0].end_index", 10_000_000, 10_000_001),
    "index_too_low": errors.below_minimum("content[0].text.annotations[0].start_index", 0, -1),
    "empty_value": errors.empty_value("attachments[0].file_id"),
    "url_in_blanks": errors.url_in_blanks("content[0].image_url.url"),
    "unexpected_details": errors.unexpected_details("incomplete_details"),
    "number_out_of_range": errors.number_out_of_range("tool_resources"),
    "invalid_tool_resources": errors.resources_too_large("tool_resources", MAX_TOOL_RESOURCES),
    "unsupported_value": errors.unsupported_value("role", "human", ("user", "assistant")),
    "lone_surrogate": errors.lone_surrogate("content"),
    "empty_content": errors.empty_content("content"),
    "string_too_long": errors.string_too_long("content", MAX_CONTENT, MAX_CONTENT + 1),
    "metadata_value_too_long": errors.string_too_long("metadata.key", 512, 513),
    "array_too_long": errors.array_too_long("attachments", 20, 21),
    "too_many_properties": errors.too_many_properties("metadata", 16, 17),
    "property_name_too_long": errors.property_name_length("metadata", 64, "k" * 65),
    "property_name_empty": errors.property_name_length("metadata", 64, ""),
    "invalid_idempotency_key": errors.invalid_idempotency_key(),
    "idempotency_key_reused": errors.idempotency_key_reused(),
    "not_a_method_of_runs": errors.method_not_allowed("GET", "/threads/runs", ("POST",)),
    "too_busy": errors.too_busy(),
    "internal_error": errors.internal_error(),
}

ALWAYS = ("no_api_key", "wrong_api_key", "too_busy", "internal_error")
OF_A_THREAD = ("malformed_thread_id", "unknown_url", "not_a_method_of_runs", "thread_not_found")
OF_A_MESSAGE = (*OF_A_THREAD, "malformed_message_id", "message_not_found")
OF_AN_ASSISTANT = ("malformed_assistant_id", "unknown_url", "assistant_not_found")
OF_A_RUN = (*OF_A_THREAD, "malformed_run_id", "run_not_found")
OF_A_STEP = (*OF_A_RUN, "malformed_step_id", "step_not_found")
OF_A_PAGE = ("limit_too_high", "limit_too_low", "limit_no_integer", "unsupported_order", "repeated_parameter")
OF_A_JSON_BODY = (
    "body_not_parsed",
    "body_not_utf8",
    "body_not_an_object",
    "body_too_deep",
    "body_number_too_long",
    "unknown_parameter",
    "invalid_type",
    "lone_surrogate",
)
OF_A_BODY = (
    *OF_A_JSON_BODY,
    "metadata_value_too_long",
    "too_many_properties",
    "property_name_too_long",
    "property_name_empty",
)
OF_CONTENT = (
    "index_too_high",
    "index_too_low",
    "empty_value",
    "url_in_blanks",
    "unexpected_details",
    "missing",
    "unsupported_value",
    "invalid_value",
    "empty_content",
    "string_too_long",
    "array_too_long",
    "body_too_large",
)
OF_SETTINGS = (
    "decimal_too_high",
    "decimal_too_low",
    "invalid_function_name",
    "model_empty",
    "missing",
    "unsupported_value",
    "instructions_too_long",
    "too_many_tools",
    "tools_too_large",
    "number_out_of_range",
)
OF_A_NEW_RUN = (
    "malformed_assistant_id",
    "unknown_assistant",
    "nothing_to_run",
    "integer_too_low",
    "missing_last_messages",
    "unknown_function",
)
OF_A_REPEAT = ("invalid_idempotency_key", "idempotency_key_reused")

# The statuses whose response is the same for all operations that have the status.
_SHARED = (401, 405, 409, 429, 500, 503)
_DESCRIPTIONS = {
    400: "The request is malformed, or a value in it is not allowed.",
    401: "There is no key, or it is wrong or revoked.",
    404: "There is no such object in the key's project.",
    405: "The path does not have this method.",
    409: "The Idempotency-Key was already used with another body.",
    413: "The request is too large.",
    429: "Too many requests at once.",
    500: "An error of the service. The log has its cause.",
    503: "The service is busy. Retry the request.",
}


def examples() -> dict[str, Any]:
    """Return the examples of the document's components, one for each case."""
    return {name: {"value": error.body} for name, error in CASES.items()}


def components(headers: dict[str, Any]) -> dict[str, Any]:
    """Return the responses of the document's components. `headers` are the headers of all responses of functions.

    These are the responses that operations share, and the responses to an unknown path and to an unknown method.
    """
    shared = _by_status((*CASES,), headers)
    own = _by_status(("unknown_url", "misspelt_url"), headers)
    return {_name(status): (shared if status in _SHARED else own)[status] for status in sorted({404, *_SHARED})}


def responses(names: tuple[str, ...], headers: dict[str, Any]) -> dict[str, Any]:
    """Return the error responses of an operation: these cases, and the errors of API Gateway."""
    by_status = _by_status(names, headers)
    by_status |= {
        status: {"$ref": f"#/components/responses/{_name(status)}"} for status in by_status if status in _SHARED
    }
    return {str(status): by_status[status] for status in sorted(by_status)}


def _by_status(names: tuple[str, ...], headers: dict[str, Any]) -> dict[int, dict[str, Any]]:
    cases: dict[int, list[str]] = {status: [] for status in OWN_ANSWERS}
    for name, error in CASES.items():
        if name in names:
            cases.setdefault(error.status, []).append(name)
    return {status: _response(status, of_status, headers) for status, of_status in cases.items()}


def _response(status: int, names: list[str], headers: dict[str, Any]) -> dict[str, Any]:
    """Return the response of one status: an error of this API with the codes of these cases, or one of API Gateway."""
    schemas = [_schema(names)] if names else []
    if status in OWN_ANSWERS:
        schemas.append({"$ref": "#/components/schemas/GatewayError"})
    content: dict[str, Any] = {"schema": schemas[0] if len(schemas) == 1 else {"oneOf": schemas}}
    described: dict[str, Any] = {"description": _DESCRIPTIONS[status]}
    if names:
        content["examples"] = {name: {"$ref": f"#/components/examples/{name}"} for name in names}
        own = sorted({header for name in names for header in CASES[name].headers})
        described["headers"] = headers | {name: {"$ref": f"#/components/headers/{name}"} for name in own}
    return described | {"content": {"application/json": content}}


def _name(status: int) -> str:
    return HTTPStatus(status).phrase.replace(" ", "")


def _schema(names: list[str]) -> dict[str, Any]:
    """Return the schema of an error with one of the codes that these cases have."""
    codes = list(dict.fromkeys(CASES[name].code for name in names))
    (kind,) = {CASES[name].body["error"]["type"] for name in names}
    details = {"type": {"const": kind}, "code": {"enum": codes}}
    return {
        "allOf": [{"$ref": "#/components/schemas/Error"}],
        "properties": {"error": {"properties": details}},
    }
