"""A chat endpoint that says what a test has it say, and keeps what it was asked."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


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

    class Endpoint(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            status, answer = chat.answer(json.loads(body)) if self.path == "/v1/chat/completions" else (404, {})
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            # The SDK would try twice more by itself: here it is the queue that tries again.
            self.send_header("x-should-retry", "false")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the base class
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    chat = Chat(f"http://127.0.0.1:{server.server_port}/v1", list(replies))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield chat
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
