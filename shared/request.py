"""A request in the terms of the contract, made from the event of API Gateway (payload format 2.0)."""

import re
from functools import cached_property
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
# Clients of Azure send `api-version` with every request.
_OF_A_THREAD_LIST = {"limit", "order", "after", "before", "api-version", "api_version"}


class Request:
    """One authenticated request. Each property checks its value, and may raise `WireError`."""

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
        if self.parameters["threadId"] == "runs":
            raise self._no_thread()
        return self.path_id("threadId", "thread_id", "thread")

    @property
    def message_id(self) -> str:
        """The message's id in the path."""
        return self.path_id("messageId", "message_id", "msg")

    def path_id(self, name: str, param: str, prefix: str) -> str:
        """Return the id in the path's parameter `name`; errors call the id `param`. Raises `WireError`."""
        value = self.parameters[name]
        if not ids.is_path_id(value, prefix):
            raise errors.malformed_id(param, value, prefix)
        return value

    def page_request(self, prefix: str) -> PageRequest:
        """Return the requested page of a list. `prefix` is the prefix of the ids that serve as cursors."""
        order = self._value("order") or "desc"
        if order not in ("asc", "desc"):
            raise errors.unsupported_value("order", order, ("asc", "desc"))
        return PageRequest(
            limit=_limit(self._value("limit") or "20"),
            ascending=order == "asc",
            after=_cursor("after", self._value("after"), prefix),
            before=_cursor("before", self._value("before"), prefix),
        )

    @property
    def run_id(self) -> str | None:
        """The id of a run, if the list is limited to the messages of this run."""
        run_id = self._value("run_id")
        if run_id and not ids.is_plain(run_id):
            raise errors.invalid_plain_id("run_id", run_id)
        return run_id or None

    @property
    def indexed_value(self) -> str | None:
        """The value of the deployment's indexed metadata key, from `metadata[KEY]=VALUE`.

        Refuses any other parameter that the list of threads does not know. If a misspelt or empty filter were ignored,
        the response would list the threads of all users.
        """
        indexed_key = settings().indexed_key
        name = f"metadata[{indexed_key}]"
        for key, value in self._query:
            if key.startswith("metadata["):
                if not indexed_key or key != name:
                    raise errors.metadata_not_indexed(key, indexed_key)
                if not value:
                    raise errors.empty_filter(key)
            elif key not in _OF_A_THREAD_LIST:
                raise errors.unknown_parameter(key)
        return self._value(name) or None

    def body(self) -> dict[str, Any]:
        """Return the body, or `{}` if it is empty. It must be a JSON object in UTF-8, whatever the content type is."""
        return body.parse(self._event.get("body") or "", in_base64=self._event.get("isBase64Encoded", False))

    def idempotency_key(self, parsed_body: dict[str, Any]) -> IdempotencyKey | None:
        """Return the Idempotency-Key with the hash of the request's body, or None."""
        key = self.headers.get("idempotency-key")
        if key is None:
            return None
        if not _IDEMPOTENCY_KEY.fullmatch(key):
            raise errors.invalid_idempotency_key()
        return IdempotencyKey(key, body.hash_of(parsed_body))

    @cached_property
    def _query(self) -> list[tuple[str, str]]:
        return parse_qsl(self._event.get("rawQueryString", ""), keep_blank_values=True)

    def _value(self, name: str) -> str:
        """Return the value of a query key, empty when it is absent. An empty value counts as absent."""
        values = [value for key, value in self._query if key == name and value]
        if len(values) > 1:
            raise errors.repeated_parameter(name)
        return values[0] if values else ""

    def _no_thread(self) -> errors.WireError:
        """Return the error for `/threads/runs`, which has the shape of a thread's path and only the method POST."""
        if settings().runs_on and self.path.endswith("/threads/runs"):
            return errors.method_not_allowed(self.method, self.path, ["POST"])
        return errors.unknown_url(self.method, self.path, runs_on=settings().runs_on)

    @property
    def is_resent(self) -> bool:
        """Whether an SDK marks the request as sent again, which it does after an error or without a response."""
        count = self.headers.get("x-stainless-retry-count", "")
        return count.isdecimal() and count.strip("0") != ""


def _limit(text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise errors.invalid_type("limit", "an integer", text)
    if text.startswith("-") or not text.strip("0"):
        raise errors.below_minimum("limit", 1, text)
    # Python refuses to convert thousands of digits, which are out of range anyway.
    digits = text.lstrip("0")
    if len(digits) > len("100") or int(digits) > _HIGHEST_LIMIT:
        raise errors.above_maximum("limit", _HIGHEST_LIMIT, text)
    return int(digits)


def _cursor(name: str, value: str, prefix: str) -> str:
    """Return the ULID of a cursor, or an empty text without a cursor. The object with this id need not exist.

    An id that was made elsewhere contains no ULID and is returned whole. The store may know its position.
    """
    if not value:
        return ""
    if not ids.is_path_id(value, prefix):
        raise errors.malformed_id(name, value, prefix)
    ulid = value.removeprefix(f"{prefix}_")
    return ulid if ids.is_ulid(ulid) else value
