"""A client of the handlers. Each call sends one event to one function, and decodes the response as a client would."""

import base64
import gzip
import importlib
import itertools
import json
import re
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

from tests.support import canaries
from tools.local import template
from tools.local.http_payload import encode

# The shortest route of each function that has routes.
_ROUTES = {
    function.handler.split(".")[1]: min(function.routes, key=lambda route: len(route.path))
    for function in template.load().functions
    if function.routes
}
_OF_THREADS = re.compile(r"/threads(/\{threadId\}(/messages(/\{messageId\})?)?)?")
# The functions of the operations on threads and messages, each with the number of ids in its path.
OPERATIONS = {
    function: route.path.count("{") for function, route in _ROUTES.items() if _OF_THREADS.fullmatch(route.path)
}
_projects = itertools.count(1)


@dataclass(frozen=True)
class Answer:
    """A function's response. `text` is the body as a client decodes it. `size` is in bytes, as Lambda counts them."""

    status: int
    headers: dict[str, str]
    text: str
    size: int

    @property
    def body(self) -> Any:
        return json.loads(self.text)

    @property
    def error(self) -> tuple[int, str | None, str | None]:
        """Return status, param and code of an error, after a check of its shape."""
        assert set(self.body) == {"error"}
        error = self.body["error"]
        assert list(error) == ["message", "type", "param", "code"]
        assert error["type"] == ("server_error" if self.status >= 500 else "invalid_request_error")
        assert isinstance(error["message"], str)
        return self.status, error["param"], error["code"]


@dataclass
class Client:
    """Calls as the holder of one key. A new client has a new project, unless it is given one."""

    project: str = field(default_factory=lambda: f"project-{next(_projects):05}")
    trusted: bool = False
    secret: str = ""

    def __post_init__(self) -> None:
        if not self.secret:
            from shared.store import api_keys, table

            # No request does this, and the time of the last one may be used up.
            table.set_deadline()
            self.secret = api_keys.create(self.project, "test", trusted=self.trusted)
        canaries.note_key(self.secret)

    def call(self, function: str, *ids: str, body: Any = None, **options: Any) -> Answer:
        """Call a function as API Gateway does. `body` is sent as JSON, unless it is text or bytes."""
        event = self.event(function, *ids, body=body, **options)
        return invoke(function, event)

    def event(
        self,
        function: str,
        *ids: str,
        body: Any = None,
        query: dict[str, Any] | str = "",
        headers: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        """Return the event of a call."""
        route = _ROUTES[function]
        names = re.findall(r"{(\w+)}", route.path)
        parameters = dict(zip(names, ids, strict=True))
        path = route.path.format(**parameters)
        return self.event_at(route.method, path, parameters, body=body, query=query, headers=headers)

    def event_at(
        self,
        method: str,
        path: str,
        parameters: dict[str, str],
        *,
        body: Any = None,
        query: dict[str, Any] | str = "",
        headers: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        """Return the event of a request for a path whose route names these parameters."""
        event: dict[str, Any] = {
            "version": "2.0",
            "rawPath": path,
            "rawQueryString": query if isinstance(query, str) else urlencode(query, doseq=True),
            "headers": {"authorization": f"Bearer {self.secret}", **(headers or {})},
            "requestContext": {"http": {"method": method, "path": path}},
            "isBase64Encoded": isinstance(body, bytes),
        }
        if parameters:
            event["pathParameters"] = parameters
        if isinstance(body, bytes):
            event["body"] = base64.b64encode(body).decode()
        elif body is not None:
            event["body"] = body if isinstance(body, str) else json.dumps(body)
        return event

    def thread(self, **body: Any) -> str:
        """Create a thread and return its id."""
        return str(self.create("create_thread", body=body)["id"])

    def message(self, thread_id: str, content: Any = "hello", **fields: Any) -> dict[str, Any]:
        """Create a message and return it."""
        return self.create("create_message", thread_id, body={"role": "user", "content": content, **fields})

    def create(self, function: str, *ids: str, **options: Any) -> dict[str, Any]:
        """Make a call that must succeed, and return its body."""
        answer = self.call(function, *ids, **options)
        assert answer.status == 200, answer.text
        body: dict[str, Any] = answer.body
        return body

    def page(self, thread_id: str, **query: Any) -> dict[str, Any]:
        """List messages and return the list object. The call must succeed."""
        return self.create("list_messages", thread_id, query=query)


def invoke(function: str, event: dict[str, Any]) -> Answer:
    """Run a function's handler and decode its response. An error must not repeat private data of the request."""
    handler = importlib.import_module(f"functions.{function}").handler
    private = canaries.note_body(event.get("body") or "", in_base64=event.get("isBase64Encoded", False))
    result = handler(event, SimpleNamespace(aws_request_id="test"))
    text = result["body"]
    if result["isBase64Encoded"]:
        raw = base64.b64decode(text)
        text = (gzip.decompress(raw) if result["headers"].get("content-encoding") == "gzip" else raw).decode()
    if result["statusCode"] >= 400:
        url = event.get("rawPath", "") + event.get("rawQueryString", "")
        canaries.check_error(text, {word for word in private if word not in url})
    return Answer(result["statusCode"], result["headers"], text, size=len(encode(result)))
