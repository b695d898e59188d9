"""Secrets Manager and SQS as far as the responder needs them: one secret, and a queue that keeps what it is sent."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.support import http_stub
from tests.support.http_stub import Request, Response


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

    def respond(request: Request) -> Response:
        return Response(200, served.answer(request.headers["x-amz-target"], json.loads(request.body)))

    with http_stub.serving(respond) as url:
        served = Aws(url, secret)
        yield served
