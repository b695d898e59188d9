"""The API's errors and all their texts, with one function for each case.

Status, type, param and code are part of the contract.
"""

from collections.abc import Iterable, Mapping

_SERVER_ERRORS = 500
_LONGEST_TEXT = 2_000
_GOES_ON = "The run {} goes on. Retrieve it to see its end."


class WireError(Exception):
    """An error as a client sees it; its text is the message."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(_clipped(message))
        self.status = status
        self.param = param if param is None else _clipped(param)
        self.code = code
        self.headers = dict(headers or {})

    @property
    def body(self) -> dict[str, dict[str, str | None]]:
        """The error object: `{"error": {"message", "type", "param", "code"}}`."""
        kind = "server_error" if self.status >= _SERVER_ERRORS else "invalid_request_error"
        return {"error": {"message": str(self), "type": kind, "param": self.param, "code": self.code}}


def no_api_key() -> WireError:
    """No key was sent."""
    return WireError(
        401,
        "No API key was given. Send one in the Authorization header, 'Authorization: Bearer YOUR_KEY', "
        "or in the header 'api-key'.",
    )


def wrong_api_key(secret: str) -> WireError:
    """A key that does not exist or was revoked. The message shows only a few characters at each end of it."""
    shown = f"{secret[:3]}***{secret[-2:]}" if len(secret) > len("sk-***12") else "***"
    return WireError(401, f"Incorrect API key provided: {shown}.", code="invalid_api_key")


def unknown_url(method: str, path: str, *, runs_on: bool) -> WireError:
    """A route that this service does not have. Programs that expect runs get this error where runs are off."""
    if runs_on:
        about = "This service has threads, messages, assistants and runs. It has no files and no vector stores."
    else:
        about = (
            "This service stores threads and their messages. Assistants and runs are off: to turn them on, set the "
            "parameter ModelUrl (locally MODEL_URL) to the URL of a model's endpoint. Files and vector stores do not "
            "exist here. See docs/runs.md."
        )
    return WireError(404, f"Unknown request URL: {method} {path}. {about}", code="unknown_url")


def misspelt_url(method: str, path: str, meant: str) -> WireError:
    """A known path with an extra slash or an extra `/v1`."""
    message = (
        f"Unknown request URL: {method} {path}. Use '{meant}' instead: there is a '/' or a '/v1' too many, "
        "perhaps in the base URL of the client."
    )
    return WireError(404, message, code="unknown_url")


def method_not_allowed(method: str, path: str, allowed: Iterable[str]) -> WireError:
    """A known path with a method that it does not have."""
    return WireError(405, f"Not allowed: {method} {path}.", headers={"allow": ", ".join(allowed)})


def thread_not_found(thread_id: str) -> WireError:
    """The key's project has no such thread."""
    return WireError(404, f"No thread found with id '{thread_id}'.")


def message_not_found(message_id: str) -> WireError:
    """The thread has no such message."""
    return WireError(404, f"No message found with id '{message_id}'.")


def run_active(thread_id: str, run_id: str) -> WireError:
    """A message for a thread whose run is active; programs match the text."""
    return WireError(400, f"Can't add messages to {thread_id} while a run {run_id} is active.")


def assistant_not_found(assistant_id: str) -> WireError:
    """The key's project has no such assistant."""
    return WireError(404, f"No assistant found with id '{assistant_id}'.")


def unknown_assistant(assistant_id: str) -> WireError:
    """A run names an assistant that the key's project does not have. Many programs send ids that OpenAI made."""
    remedy = (
        "Import it with ./message-api import, or set UnknownAssistants (locally UNKNOWN_ASSISTANTS) to default to run "
        "assistants that do not exist."
    )
    return WireError(404, f"{assistant_not_found(assistant_id)} {remedy}")


def run_not_found(run_id: str) -> WireError:
    """The thread has no such run."""
    return WireError(404, f"No run found with id '{run_id}'.")


def step_not_found(step_id: str) -> WireError:
    """The run has no such step."""
    return WireError(404, f"No run step found with id '{step_id}'.")


def run_exists(thread_id: str, run_id: str) -> WireError:
    """A run for a thread whose run is active; programs match the text."""
    return WireError(400, f"Thread {thread_id} already has an active run {run_id}.")


def nothing_to_run() -> WireError:
    """A run without instructions, for a thread that never had a message."""
    return WireError(
        400,
        "Run creation requires a Thread with a user message or an assistant with instructions.",
        code="invalid_thread",
    )


def run_not_cancellable(status: str) -> WireError:
    """Cancel run in a status that forbids it; programs compare the text."""
    return WireError(400, f"Cannot cancel run with status '{status}'.")


def run_not_modifiable(status: str) -> WireError:
    """Modify run in a status that forbids it."""
    return WireError(400, f"Cannot update run with status '{status}'.")


def run_takes_no_outputs(status: str) -> WireError:
    """Submit tool outputs in a status that forbids it."""
    return WireError(400, f'Runs in status "{status}" do not accept tool outputs.')


def outputs_mismatch(expected: list[str], got: list[str]) -> WireError:
    """Tool outputs for other calls than those that the run waits for."""
    return WireError(400, f"Expected tool outputs for call_ids {expected}, got {got}")


def unknown_function(name: str) -> WireError:
    """A tool choice that names a function which the run does not have."""
    return invalid_value("tool_choice", f"Invalid 'tool_choice': the run has no function '{name}'.")


def tools_too_large(limit: int) -> WireError:
    """Tools, tool resources and response format that are too large together; the limit is in bytes."""
    message = f"The tools, tool_resources and response_format are larger than {limit} bytes together."
    return WireError(413, message, code="request_too_large")


def stream_ended(run_id: str) -> WireError:
    """A stream that ends before its run, because API Gateway limits the time of a response."""
    return WireError(503, f"The stream has reached its longest time. {_GOES_ON.format(run_id)}", code="stream_ended")


def stream_too_large(run_id: str) -> WireError:
    """A stream that ends before its run, because Lambda limits the size of a response."""
    return WireError(503, f"The stream has reached its largest size. {_GOES_ON.format(run_id)}", code="stream_ended")


def stream_broken(run_id: str) -> WireError:
    """The message was not stored under the id that the stream showed: meanwhile a trusted key added a message."""
    message = f"The message of this stream got another id, because another message was added meanwhile. {_GOES_ON}"
    return WireError(503, message.format(run_id), code="stream_ended")


def body_not_json(reason: str, line: int, column: int) -> WireError:
    """The body is not JSON; `reason` is the parser's message, such as `Extra data`."""
    reason = reason.rstrip(": ").removesuffix(" at")
    return _body_not_parsed(f"it is not valid JSON: {reason[0].lower()}{reason[1:]} at line {line}, column {column}")


def body_not_utf8() -> WireError:
    """The bytes of the body are not UTF-8."""
    return _body_not_parsed("it is not UTF-8")


def body_not_an_object(value: object) -> WireError:
    """The body is JSON of another type."""
    return _body_not_parsed(f"it is {_json_type(value)}")


def body_too_deep() -> WireError:
    """Objects and arrays are nested deeper than in any body of the contract."""
    return _body_not_parsed("it is nested too deeply")


def body_number_too_long() -> WireError:
    """A number has thousands of digits."""
    return _body_not_parsed("it contains a number with too many digits")


def body_too_large() -> WireError:
    """The message is within the limits of the contract, but cannot be stored in one transaction."""
    return WireError(413, "The message is too large to be stored.", code="request_too_large")


def idempotency_key_reused() -> WireError:
    """The key came with another body before. SDKs retry a bare 409, so the header tells them not to."""
    return WireError(
        409,
        "This Idempotency-Key was already used with another body.",
        code="idempotency_key_reused",
        headers={"x-should-retry": "false"},
    )


def command_id_reused(command_id: str) -> WireError:
    """A command of the inbound queue has the id of an earlier one of its thread, and other content."""
    message = f"Invalid 'command_id': '{command_id}' was already used in this thread by a command with other content."
    return WireError(409, message, param="command_id", code="command_id_reused")


def command_in_notification() -> WireError:
    """A subscription of SNS without raw delivery put its envelope into the inbound queue."""
    return invalid_value(
        "Message",
        "The command is wrapped in an SNS notification. Turn on raw message delivery for the queue's subscription, so "
        "that the queue receives the command itself.",
    )


def event_detail_not_a_command(detail: object) -> WireError:
    """An event of EventBridge whose detail is, most often, a command that was encoded as JSON twice."""
    message = (
        f"Invalid type for 'detail': expected an object, but got {_json_type(detail)} instead. Make the event's detail "
        "the command itself, not a JSON text of it, or use raw delivery: send only the command to the queue."
    )
    return WireError(400, message, param="detail", code="invalid_type")


def too_busy() -> WireError:
    """The table is contended, throttled or unreachable. Clients may send the request again."""
    return WireError(503, "The service is busy. Send the request again.", headers={"retry-after": "1"})


def internal_error() -> WireError:
    """A fault of this service. Only the log shows the cause."""
    return WireError(500, "The server had an error while processing the request.")


def invalid_value(param: str, message: str) -> WireError:
    """A value of the right type that is not one of those allowed."""
    return WireError(400, message, param=param, code="invalid_value")


def unsupported_value(param: str, value: object, supported: Iterable[str]) -> WireError:
    """A value outside an enumeration."""
    *most, last = [f"'{name}'" for name in supported]
    listed = f"{', '.join(most)} and {last}" if most else last
    return invalid_value(param, f"Invalid value: '{value}'. Supported values are: {listed}.")


def malformed_id(param: str, value: str, prefix: str) -> WireError:
    """An id or a cursor that lacks its prefix, is too long, or has characters that no id has."""
    return invalid_value(param, f"Invalid '{param}': '{value}'. Expected an ID that begins with '{prefix}'.")


def invalid_plain_id(param: str, value: str) -> WireError:
    """An id of a run or assistant, possibly of another service, that is too long or has characters that no id has."""
    return invalid_value(param, f"Invalid '{param}': '{value}'. Expected only letters, digits, '_' and '-'.")


def not_allowed(param: str) -> WireError:
    """A value that breaks a rule which has no function of its own here."""
    return invalid_value(param, f"Invalid '{param}': the value is not allowed.")


def invalid_project(param: str, value: str) -> WireError:
    """A text that cannot be the name of a project."""
    return invalid_value(
        param,
        f"Invalid '{param}': '{value}'. Expected 1 to 63 lower-case letters, digits and '-', without a '-' at the "
        "beginning. The name 'key' is reserved.",
    )


def empty_value(param: str) -> WireError:
    """An id or URL that is an empty string."""
    return invalid_value(param, f"Invalid '{param}': it must not be empty.")


def url_in_blanks(param: str) -> WireError:
    """A URL that begins or ends with white space, or consists of it."""
    return invalid_value(param, f"Invalid '{param}': a URL must not begin or end with white space.")


def data_url(param: str) -> WireError:
    """A URL that contains the file itself (`data:`)."""
    return invalid_value(param, f"Invalid '{param}': a data: URL is a file, and this service does not store files.")


def unexpected_details(param: str) -> WireError:
    """A completed message with `incomplete_details`."""
    return invalid_value(param, f"Invalid '{param}': only a message of status 'incomplete' has incomplete_details.")


def resources_too_large(param: str, limit: int) -> WireError:
    """Tool resources above the limit."""
    return invalid_value(param, f"Invalid '{param}': it is larger than {limit} bytes.")


def number_out_of_range(param: str) -> WireError:
    """An object with a number that JSON text can express, but no double can hold."""
    return invalid_value(param, f"Invalid '{param}': it contains a number that is too large.")


def repeated_parameter(param: str) -> WireError:
    """A query key that a request has more than once."""
    return invalid_value(param, f"Invalid '{param}': it was given more than once.")


def metadata_not_indexed(param: str, indexed_key: str) -> WireError:
    """A filter of the list of threads by a metadata key without an index; `indexed_key` is empty without any."""
    only = f"only by 'metadata[{indexed_key}]'" if indexed_key else "by no metadata key in this deployment"
    return invalid_value(param, f"Invalid '{param}': threads can be listed {only}.")


def empty_filter(param: str) -> WireError:
    """A filter of the list of threads without a value."""
    return invalid_value(param, f"Invalid '{param}': threads cannot be listed by an empty value.")


def invalid_idempotency_key() -> WireError:
    """A header that cannot be an Idempotency-Key."""
    message = "Invalid 'Idempotency-Key': expected 1 to 255 printable ASCII characters."
    return invalid_value("Idempotency-Key", message)


def lone_surrogate(param: str) -> WireError:
    """A text, or the name of a property, that UTF-8 cannot hold; `param` is empty for a name in the body itself."""
    message = (
        f"Invalid '{param or 'body'}': the text contains half of a surrogate pair. It was probably cut in the middle "
        "of an emoji."
    )
    return WireError(400, message, param=param or None, code="invalid_value")


def invalid_type(param: str, expected: str, got: object) -> WireError:
    """A value of another JSON type than the expected one."""
    message = f"Invalid type for '{param}': expected {expected}, but got {_json_type(got)} instead."
    return WireError(400, message, param=param, code="invalid_type")


def missing(param: str) -> WireError:
    """A required field is absent."""
    return WireError(400, f"Missing required parameter: '{param}'.", param=param, code="missing_required_parameter")


def unknown_parameter(param: str) -> WireError:
    """A field that the contract does not have."""
    return WireError(400, f"Unknown parameter: '{param}'.", param=param, code="unknown_parameter")


def string_too_short(param: str, limit: int, length: int) -> WireError:
    """A text that is too short. Lengths are in code points. For an empty id or URL use `empty_value`."""
    message = (
        f"Invalid '{param}': string too short. Expected a string with minimum length {limit}, "
        f"but got a string with length {length} instead."
    )
    return WireError(400, message, param=param, code="string_below_min_length")


def pattern_mismatch(param: str, pattern: str) -> WireError:
    """The name of a function with other characters than it may have."""
    return invalid_value(
        param,
        f"Invalid '{param}': string does not match pattern. Expected a string that matches the pattern '{pattern}'.",
    )


def string_too_long(param: str, limit: int, length: int) -> WireError:
    """A text that is too long. Lengths are in code points."""
    message = (
        f"Invalid '{param}': string too long. Expected a string with maximum length {limit}, "
        f"but got a string with length {length} instead."
    )
    return WireError(400, message, param=param, code="string_above_max_length")


def array_too_long(param: str, limit: int, length: int) -> WireError:
    """Too many parts, attachments, tools or initial messages."""
    message = (
        f"Invalid '{param}': array too long. Expected an array with maximum length {limit}, "
        f"but got an array with length {length} instead."
    )
    return WireError(400, message, param=param, code="array_above_max_length")


def too_many_properties(param: str, limit: int, count: int) -> WireError:
    """Too many metadata pairs."""
    message = (
        f"Invalid '{param}': too many properties. Expected an object with at most {limit} properties, "
        f"but got an object with {count} properties instead."
    )
    return WireError(400, message, param=param, code="object_above_max_properties")


def property_name_length(param: str, limit: int, name: str) -> WireError:
    """A metadata key that is empty or too long."""
    which, bound = ("above", "most") if name else ("below", "least")
    message = (
        f"Invalid '{param}': property name {'too long' if name else 'empty'}. Expected a name of at {bound} "
        f"{limit if name else 1} characters, but got one of {len(name)} instead."
    )
    edge = "max" if name else "min"
    return WireError(400, message, param=param, code=f"property_name_{which}_{edge}_length")


def below_minimum(param: str, low: float, value: object) -> WireError:
    """A number below its minimum."""
    kind = "integer" if isinstance(low, int) else "decimal"
    message = (
        f"Invalid '{param}': {kind} below minimum value. Expected a value >= {_plain(low)}, but got {value} instead."
    )
    return WireError(400, message, param=param, code=f"{kind}_below_min_value")


def above_maximum(param: str, high: float, value: object) -> WireError:
    """A number above its maximum."""
    kind = "integer" if isinstance(high, int) else "decimal"
    message = (
        f"Invalid '{param}': {kind} above maximum value. Expected a value <= {_plain(high)}, but got {value} instead."
    )
    return WireError(400, message, param=param, code=f"{kind}_above_max_value")


def empty_content(param: str) -> WireError:
    """A message without a part, or whose parts are all empty."""
    return WireError(400, "Message content must be non-empty.", param=param)


def _body_not_parsed(why: str) -> WireError:
    return WireError(400, f"The body of the request could not be parsed as a JSON object: {why}.")


def _plain(bound: float) -> str:
    """Return a bound as text, a whole number without decimals: 2 and not 2.0."""
    return str(int(bound)) if bound == int(bound) else str(bound)


def _clipped(text: str) -> str:
    """Return a text, cut to a length that a response can hold. It may repeat megabytes of the request."""
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}…"


def _json_type(value: object) -> str:
    names: dict[type, str] = {
        type(None): "null",
        bool: "a boolean",
        int: "an integer",
        float: "a decimal",
        str: "a string",
        list: "an array",
    }
    return names.get(type(value), "an object")
