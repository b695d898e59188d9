"""The wire's errors. Status, type, param and code are the contract; each case of it has one function here."""

from collections.abc import Iterable, Mapping

_SERVER_ERRORS = 500
_LONGEST_TEXT = 2_000


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
    """A key that was never made, or was revoked. Of what was sent, the answer shows a few characters at each end."""
    shown = f"{secret[:3]}***{secret[-2:]}" if len(secret) > len("sk-***12") else "***"
    return WireError(401, f"Incorrect API key provided: {shown}.", code="invalid_api_key")


def unknown_url(method: str, path: str) -> WireError:
    """A route that this service does not have, those of the old API included."""
    return WireError(
        404,
        f"Unknown request URL: {method} {path}. This is a message store: it serves threads and their messages. "
        "Runs, assistants, files and vector stores are not part of it; answers are written by a responder that "
        "follows its events.",
        code="unknown_url",
    )


def method_not_allowed(method: str, path: str, allowed: Iterable[str]) -> WireError:
    """A known path with a method it does not have."""
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


def body_not_parsed(why: str) -> WireError:
    """The body is not a JSON object; `why` completes the sentence."""
    return WireError(400, f"The body of the request could not be parsed as a JSON object: {why}.")


def body_too_large() -> WireError:
    """The message is within the limits of the contract, but cannot be stored in one transaction."""
    return WireError(413, "The message is too large to be stored.", code="request_too_large")


def idempotency_key_reused() -> WireError:
    """SDKs would send a bare 409 again."""
    return WireError(
        409,
        "This Idempotency-Key was already used with another body.",
        code="idempotency_key_reused",
        headers={"x-should-retry": "false"},
    )


def too_busy() -> WireError:
    """Nothing was changed, or the same request may be sent again."""
    return WireError(503, "The service is busy. Send the request again.", headers={"retry-after": "1"})


def internal_error() -> WireError:
    """A fault of ours; what it was stands in the log."""
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
    """An id in a path, or a cursor, that is without its prefix, too long, or has other characters."""
    return invalid_value(param, f"Invalid '{param}': '{value}'. Expected an ID that begins with '{prefix}'.")


def lone_surrogate(param: str) -> WireError:
    """A text, or the name of a property, that no UTF-8 can hold; `param` is empty for a name in the body itself."""
    message = f"Invalid '{param or 'body'}': it holds a lone surrogate."
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


def string_too_long(param: str, limit: int, length: int) -> WireError:
    """Lengths in code points."""
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


def integer_out_of_range(param: str, text: str, *, low: int, high: int, above: bool) -> WireError:
    """A number outside its bounds; `text` is the number as it was sent."""
    side, sign, bound, edge = ("above maximum", "<=", high, "max") if above else ("below minimum", ">=", low, "min")
    message = f"Invalid '{param}': integer {side} value. Expected a value {sign} {bound}, but got {text} instead."
    return WireError(400, message, param=param, code=f"integer_{side.split()[0]}_{edge}_value")


def empty_content(param: str) -> WireError:
    """A message without any part, or whose parts hold nothing."""
    return WireError(400, "Message content must be non-empty.", param=param)


def _clipped(text: str) -> str:
    """Return a text, which may repeat megabytes of what was sent, at a length that an answer can carry."""
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
