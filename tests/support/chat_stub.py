"""A chat endpoint that responds as a test scripts it, and records its requests."""

import json
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.support import canaries

Json = dict[str, Any]
USAGE: Json = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
_ERROR: Json = {"error": {"message": "no", "type": "server_error", "param": None, "code": None}}


@dataclass(frozen=True)
class Reply:
    """A response: `body` whole, or `chunks` as a stream, each a chunk in JSON or raw text.

    `before` is called before the response, `between` before each chunk: they hold it or slow it down. With `breaks`,
    the connection is lost after the last chunk; with `is_done` false the stream ends in order, but without `[DONE]`.
    """

    chunks: Sequence[Json | str] = ()
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: str | None = None
    content_type: str = "application/json"
    before: Callable[[], object] = bool
    between: Callable[[], object] = bool
    breaks: bool = False
    is_done: bool = True


# What a test has the endpoint respond, see `Chat`.
Scripted = str | int | Json | Reply | Callable[[Json], Reply]


def says(*texts: str, finish: str | None = "stop", usage: Json | None = USAGE) -> Reply:
    """Return an answer of these deltas; `finish` None leaves it without a finish_reason."""
    return deltas(*({"content": text} for text in texts), finish=finish, usage=usage)


def refuses(*texts: str) -> Reply:
    """Return a refusal of these deltas."""
    return deltas(*({"refusal": text} for text in texts))


def calls(
    *functions: tuple[str, str, str], text: str = "", finish: str | None = "tool_calls", usage: Json = USAGE
) -> Reply:
    """Return calls of functions, each an id, a name and arguments, after a text; the arguments come in two deltas."""
    found: list[Json] = [{"content": text}] if text else []
    for index, (call_id, name, arguments) in enumerate(functions):
        begun = {"index": index, "id": call_id, "type": "function", "function": {"name": name, "arguments": ""}}
        found.append({"tool_calls": [begun]})
        half = len(arguments) // 2
        pieces = filter(None, (arguments[:half], arguments[half:]))
        found += [{"tool_calls": [{"index": index, "function": {"arguments": piece}}]} for piece in pieces]
    return deltas(*found, finish=finish, usage=usage)


def deltas(*found: Json, finish: str | None = "stop", usage: Json | None = USAGE) -> Reply:
    """Return a stream of these deltas of one choice, then the finish_reason, then the usage."""
    chunks = [chunk({"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None})]
    chunks += [chunk({"index": 0, "delta": delta, "finish_reason": None}) for delta in found]
    chunks += [chunk({"index": 0, "delta": {}, "finish_reason": finish})] if finish else []
    return Reply([*chunks, chunk() | {"usage": usage}] if usage else chunks)


def chunk(*choices: Json) -> Json:
    """Return a chunk of a chat completion."""
    fields = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return fields | {"choices": list(choices)}


def fails(status: int, message: str = "no", *, retry_after: str | None = None, code: str | None = None) -> Reply:
    """Return an error."""
    headers = {} if retry_after is None else {"retry-after": retry_after}
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    return Reply(status=status, headers=headers, body=json.dumps({"error": error}))


def shows_page(status: int = 200) -> Reply:
    """Return a page of HTML."""
    return Reply(status=status, body="<!DOCTYPE html><title>Welcome</title>", content_type="text/html; charset=utf-8")


def held(reply: Reply, until: threading.Event) -> Reply:
    """Return the reply, held back until the event is set."""
    return replace(reply, before=lambda: until.wait(60))


class Chat:
    """`replies` are used up in order, the last one stays.

    Each is a text, a whole choice, the status of a failure, a `Reply`, or a function that takes the request's body and
    returns the `Reply`. `asked` has the bodies of the requests, `headers` their headers.
    """

    def __init__(self, base_url: str, replies: list[Scripted]) -> None:
        self.base_url = base_url
        self.replies = replies
        self.asked: list[Json] = []
        self.headers: list[dict[str, str]] = []
        self._turn = threading.Lock()

    def reply(self, asked: Json, headers: dict[str, str]) -> Reply:
        with self._turn:
            self.asked.append(asked)
            canaries.note_body(json.dumps(asked))
            self.headers.append(headers)
            found = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if callable(found):
            found = found(asked)
        if isinstance(found, Reply):
            return found
        if isinstance(found, int):
            # An SDK would retry by itself.
            return Reply(status=found, headers={"x-should-retry": "false"}, body=json.dumps(_ERROR))
        said = found if isinstance(found, dict) else {"message": {"role": "assistant", "content": found}}
        choice: Json = {"index": 0, "finish_reason": "stop"} | said
        if asked.get("stream"):
            return deltas(choice["message"], finish=choice["finish_reason"])
        return Reply(body=json.dumps(chunk(choice) | {"object": "chat.completion", "model": asked["model"]}))


class _Endpoint(BaseHTTPRequestHandler):
    server: "_Server"
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.path != "/v1/chat/completions":
            self._respond(Reply(status=404, body="{}"))
            return
        reply = self.server.chat.reply(json.loads(body), {name.lower(): value for name, value in self.headers.items()})
        canaries.note_body(json.dumps([chunk for chunk in reply.chunks if not isinstance(chunk, str)]))
        try:
            reply.before()
            self._respond(reply)
        except OSError:  # the client is gone
            self.close_connection = True

    def _respond(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.body is None:
            self._stream(reply)
            return
        content = reply.body.encode()
        self.send_header("content-type", reply.content_type)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _stream(self, reply: Reply) -> None:
        self.send_header("content-type", "text/event-stream; charset=utf-8")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for sent in [*reply.chunks, *(["data: [DONE]\n\n"] if reply.is_done and not reply.breaks else [])]:
            reply.between()
            self._write(sent if isinstance(sent, str) else f"data: {json.dumps(sent)}\n\n")
        if reply.breaks:
            self.close_connection = True
        else:
            self.wfile.write(b"0\r\n\r\n")

    def _write(self, text: str) -> None:
        content = text.encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(content), content))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the base class
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    chat: Chat

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that is gone."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def chatting(*replies: Scripted) -> Iterator[Chat]:
    """Serve `POST /v1/chat/completions` on a free port."""
    server = _Server(("127.0.0.1", 0), _Endpoint)
    server.chat = chat = Chat(f"http://127.0.0.1:{server.server_port}/v1", list(replies))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield chat
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
