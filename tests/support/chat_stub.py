"""A chat endpoint that responds as a test scripts it, and records its requests."""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from tests.support import canaries, http_stub
from tests.support.http_stub import Request, Response

Json = dict[str, Any]
USAGE: Json = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
_ERROR: Json = {"error": {"message": "no", "type": "server_error", "param": None, "code": None}}


@dataclass(frozen=True)
class Reply:
    """A response: `body` as a whole, or `chunks` as a stream. Each chunk is JSON or raw text.

    `before` is called before the response, `between` before each chunk. They can delay it. With `breaks`, the
    connection is lost after the last chunk. If `is_done` is false, the stream ends normally, but without `[DONE]`.
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

    def response(self) -> Response:
        """Return the HTTP response, after `before` has returned."""
        self.before()
        if self.body is None:
            return Response(
                self.status, self._stream(), self.headers | {"content-type": "text/event-stream; charset=utf-8"}
            )
        return Response(self.status, self.body.encode(), self.headers | {"content-type": self.content_type})

    def _stream(self) -> Iterator[bytes]:
        for sent in [*self.chunks, *(["data: [DONE]\n\n"] if self.is_done and not self.breaks else [])]:
            self.between()
            yield (sent if isinstance(sent, str) else f"data: {json.dumps(sent)}\n\n").encode()
        if self.breaks:
            raise ConnectionError


# A test's description of a response, see `Chat`.
Scripted = str | int | Json | Reply | Callable[[Json], Reply]


def says(*texts: str, finish: str | None = "stop", usage: Json | None = USAGE) -> Reply:
    """Return an answer of these deltas. If `finish` is None, it has no finish_reason."""
    return deltas(*({"content": text} for text in texts), finish=finish, usage=usage)


def refuses(*texts: str) -> Reply:
    """Return a refusal of these deltas."""
    return deltas(*({"refusal": text} for text in texts))


def calls(
    *functions: tuple[str, str, str], text: str = "", finish: str | None = "tool_calls", usage: Json = USAGE
) -> Reply:
    """Return a text, then calls of functions. Each call is an id, a name and arguments, which come in two deltas."""
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
    """Each request uses up the first of the `replies`. The last reply remains.

    A reply is a text, a whole choice, the status of a failure, a `Reply`, or a function that takes the request's body
    and returns a `Reply`. `asked` has the bodies of the requests, `headers` their headers.
    """

    def __init__(self, replies: list[Scripted]) -> None:
        self.base_url = ""
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
            # Otherwise an SDK would retry by itself.
            return Reply(status=found, headers={"x-should-retry": "false"}, body=json.dumps(_ERROR))
        said = found if isinstance(found, dict) else {"message": {"role": "assistant", "content": found}}
        choice: Json = {"index": 0, "finish_reason": "stop"} | said
        if asked.get("stream"):
            return deltas(choice["message"], finish=choice["finish_reason"])
        return Reply(body=json.dumps(chunk(choice) | {"object": "chat.completion", "model": asked["model"]}))

    def respond(self, request: Request) -> Response:
        if request.target != "/v1/chat/completions":
            return Response(404, {})
        reply = self.reply(json.loads(request.body), {**request.headers})
        canaries.note_body(json.dumps([chunk for chunk in reply.chunks if not isinstance(chunk, str)]))
        return reply.response()


@contextmanager
def chatting(*replies: Scripted) -> Iterator[Chat]:
    """Serve `POST /v1/chat/completions` on a free port."""
    chat = Chat([*replies])
    with http_stub.serving(chat.respond) as url:
        chat.base_url = f"{url}/v1"
        yield chat
