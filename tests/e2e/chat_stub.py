"""A chat endpoint that says what a test has it say, and keeps what it was asked."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.support import http_stub
from tests.support.http_stub import Request, Response


class Chat:
    """`replies` are used up in order, the last one stays: a text, a whole choice, or the status of a failure."""

    def __init__(self, base_url: str, replies: list[str | int | dict[str, Any]]) -> None:
        self.base_url = base_url
        self.replies = replies
        self.asked: list[dict[str, Any]] = []

    def answer(self, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.asked.append(asked)
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if isinstance(reply, int):
            return reply, {"error": {"message": "no", "type": "server_error", "param": None, "code": None}}
        said = reply if isinstance(reply, dict) else {"message": {"role": "assistant", "content": reply}}
        choice = {"index": 0, "finish_reason": "stop"} | said
        fields = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": asked["model"]}
        return 200, fields | {"choices": [choice]}


@contextmanager
def chatting(*replies: str | int | dict[str, Any]) -> Iterator[Chat]:
    """Serve `POST /v1/chat/completions` on a free port."""

    def respond(request: Request) -> Response:
        status, answer = (
            chat.answer(json.loads(request.body)) if request.target == "/v1/chat/completions" else (404, {})
        )
        # The SDK would try twice more by itself: here it is the queue that tries again.
        return Response(status, answer, {"content-type": "application/json", "x-should-retry": "false"})

    with http_stub.serving(respond) as url:
        chat = Chat(f"{url}/v1", list(replies))
        yield chat
