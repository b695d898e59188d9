"""Secrets Manager and SQS as far as the responder needs them: one secret, and a queue that keeps what it is sent."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Aws:
    def __init__(self, url: str, secret: dict[str, str]) -> None:
        self.url = url
        self.secret = secret
        self.sent: list[dict[str, Any]] = []

    def answer(self, operation: str, asked: dict[str, Any]) -> dict[str, Any]:
        if operation == "secretsmanager.GetSecretValue":
            return {"Name": asked["SecretId"], "SecretString": json.dumps(self.secret)}
        assert operation == "AmazonSQS.SendMessage", operation
        self.sent.append(asked)
        digest = hashlib.md5(asked["MessageBody"].encode(), usedforsecurity=False).hexdigest()
        return {"MessageId": str(len(self.sent)), "MD5OfMessageBody": digest}


@contextmanager
def aws(secret: dict[str, str]) -> Iterator[Aws]:
    """Serve both on a free port."""

    class Endpoint(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            content = json.dumps(served.answer(self.headers["x-amz-target"], json.loads(body))).encode()
            self.send_response(200)
            self.send_header("content-type", "application/x-amz-json-1.0")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the base class
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    served = Aws(f"http://127.0.0.1:{server.server_port}", secret)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
