"""A request, as API Gateway hands it to a function (payload format 2.0), in the terms of the contract."""

import re
from typing import Any
from urllib.parse import parse_qsl

from shared import body, errors, ids
from shared.records import PageRequest
from shared.settings import settings
from shared.store.api_keys import ApiKey
from shared.store.idempotency import IdempotencyKey

_HIGHEST_LIMIT = 100
_INTEGER = re.compile(r"-?[0-9]+")
_IDEMPOTENCY_KEY = re.compile(r"[ -~]{1,255}")


class Request:
    """One authenticated request. Each property checks what it returns, and raises `WireError`."""

    def __init__(self, event: dict[str, Any], key: ApiKey) -> None:
        self.method: str = event["requestContext"]["http"]["method"]
        self.path: str = event["rawPath"]
        self.headers: dict[str, str] = event.get("headers", {})
        self.project = key.project
        self.trusted = key.trusted
        self.parameters: dict[str, str] = event.get("pathParameters", {})
        self._event = event

    @property
    def thread_id(self) -> str:
        """The thread's id in the path."""
        if (
            self.parameters["threadId"] == "runs"
        ):  # the old API's `/threads/runs`, which has the shape of a thread's path
            raise errors.unknown_url(self.method, self.path)
        return self.path_id("threadId", "thread_id", "thread")

    @property
    def message_id(self) -> str:
        """The message's id in the path."""
        return self.path_id("messageId", "message_id", "msg")

    @property
    def query(self) -> dict[str, str]:
        """The query's values. An empty one counts as absent, a repeated one is joined and so malformed."""
        found: dict[str, str] = {}
        for name, value in self._queried():
            found[name] = f"{found[name]},{value}" if name in found else value
        return found

    def path_id(self, name: str, param: str, prefix: str) -> str:
        """Return the id that a path has under a name of the route; `param` names it in errors. Raises `WireError`."""
        value = self.parameters[name]
        if not ids.is_path_id(value, prefix):
            raise errors.malformed_id(param, value, prefix)
        return value

    def page_request(self, prefix: str) -> PageRequest:
        """Return which page is asked for; `prefix` is that of the ids which are its cursors."""
        query = self.query
        order = query.get("order", "desc")
        if order not in ("asc", "desc"):
            raise errors.unsupported_value("order", order, ("asc", "desc"))
        return PageRequest(
            limit=_limit(query.get("limit", "20")),
            ascending=order == "asc",
            after=_cursor(query, "after", prefix),
            before=_cursor(query, "before", prefix),
        )

    @property
    def run_id(self) -> str | None:
        """The run whose messages are asked for."""
        value = self.query.get("run_id")
        if value is not None and not ids.is_plain(value):
            raise errors.invalid_value("run_id", f"Invalid 'run_id': '{value}'. Expected letters, digits, '_' and '-'.")
        return value

    @property
    def indexed_value(self) -> str | None:
        """The value of the deployment's indexed metadata key, from `metadata[KEY]=VALUE`."""
        asked = [(name, value) for name, value in self._queried(blank=True) if name.startswith("metadata[")]
        for name, value in asked:
            # Ignored, a filter would answer the threads of everybody.
            if not settings().indexed_key or name != f"metadata[{settings().indexed_key}]":
                raise errors.invalid_value(name, f"Invalid '{name}': threads cannot be listed by this metadata key.")
            if not value:
                raise errors.invalid_value(name, f"Invalid '{name}': threads cannot be listed by an empty value.")
        if len(asked) > 1:
            name = asked[0][0]
            raise errors.invalid_value(name, f"Invalid '{name}': threads can be listed by one value only.")
        return asked[0][1] if asked else None

    def body(self) -> dict[str, Any]:
        """Return the body, which must be a JSON object in UTF-8 whatever its content type says; `{}` when empty."""
        return body.parse(self._event.get("body") or "", in_base64=self._event.get("isBase64Encoded", False))

    def idempotency_key(self, sent: dict[str, Any]) -> IdempotencyKey | None:
        """Return the Idempotency-Key with the hash of the body it came with, or None."""
        key = self.headers.get("idempotency-key")
        if key is None:
            return None
        if not _IDEMPOTENCY_KEY.fullmatch(key):
            message = "Invalid 'Idempotency-Key': expected 1 to 255 printable ASCII characters."
            raise errors.invalid_value("Idempotency-Key", message)
        return IdempotencyKey(key, body.hash_of(sent))

    def _queried(self, *, blank: bool = False) -> list[tuple[str, str]]:
        return parse_qsl(self._event.get("rawQueryString", ""), keep_blank_values=blank)

    @property
    def is_resent(self) -> bool:
        """Whether an SDK says that it sends the request again, because it got no response or an error."""
        return self.headers.get("x-stainless-retry-count", "0") not in ("", "0")


def _limit(text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise errors.invalid_type("limit", "an integer", text)
    # Python refuses to convert thousands of digits; so many are out of range anyway.
    digits = text.lstrip("-0")
    value = int(digits or "0") if len(digits) <= len("100") else _HIGHEST_LIMIT + 1
    if text.startswith("-") or not 1 <= value <= _HIGHEST_LIMIT:
        above = value > _HIGHEST_LIMIT and not text.startswith("-")
        raise errors.integer_out_of_range("limit", text, low=1, high=_HIGHEST_LIMIT, above=above)
    return value


def _cursor(query: dict[str, str], name: str, prefix: str) -> str:
    """Return the ULID of a cursor, which is a position: what has this id need not exist. Empty when there is none.

    An id that was not made here has no position by itself and is returned whole: the store knows it, or not.
    """
    value = query.get(name, "")
    if not value:
        return ""
    if not ids.is_path_id(value, prefix):
        raise errors.malformed_id(name, value, prefix)
    ulid = value.removeprefix(f"{prefix}_")
    return ulid if ids.is_ulid(ulid) else value
