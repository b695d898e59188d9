"""The local API in this process, and over HTTP a gateway that serves a template and handlers of our own."""

import threading
from collections.abc import Iterator

import httpx
import pytest
import uvicorn
from starlette.types import ASGIApp

from tests.support.unit import clock
from tools.local import gateway, server, template
from tools.local.event_bus import Subscribers
from tools.local.event_sources import EventSide
from tools.local.sqs import Queues

__all__ = ["clock"]

_TEMPLATE = """
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      KeySchema: [{AttributeName: id, KeyType: HASH}]
  Echo:
    Type: AWS::Serverless::Function
    Properties:
      Handler: gateway_handlers.echo
      Timeout: 20
      MemorySize: 512
      Events:
        One: {Type: HttpApi, Properties: {Path: "/things/{thingId}", Method: post}}
        Two: {Type: HttpApi, Properties: {Path: "/things/{thingId}/parts/{partId}", Method: GET}}
        Three: {Type: HttpApi, Properties: {Path: "/files/{path+}", Method: ANY}}
  Literal:
    Type: AWS::Serverless::Function
    Properties:
      Handler: gateway_handlers.literal
      Events:
        One: {Type: HttpApi, Properties: {Path: /things/special, Method: POST}}
  Odd:
    Type: AWS::Serverless::Function
    Properties:
      Handler: gateway_handlers.odd
      Timeout: 1
      Events:
        One: {Type: HttpApi, Properties: {Path: "/odd/{kind}", Method: GET}}
  Rest:
    Type: AWS::Serverless::Function
    Properties:
      Handler: gateway_handlers.echo
      Events:
        Default: {Type: HttpApi}
"""

_HANDLERS = """
import json, time

def echo(event, context):
    told = {name: value for name, value in vars(context).items() if not name.startswith("_")}
    told["remaining"] = context.get_remaining_time_in_millis()
    return {
        "statusCode": 201,
        "headers": {"Content-Type": "application/json", "X-Own": "1"},
        "cookies": ["a=1", "b=2; Secure"],
        "body": json.dumps({"event": event, "context": told}),
    }

def literal(event, context):
    return {"plain": "é", "size": len(json.dumps(event, ensure_ascii=False).encode())}

def slowly():
    yield "one"
    time.sleep(2)
    yield "two"

def odd(event, context):
    kind = event["pathParameters"]["kind"]
    if kind == "raises":
        raise ValueError("a client's secret")
    if kind == "sleeps":
        time.sleep(2)
        return {}
    if kind == "streams":
        return {"statusCode": 200, "headers": {"content-type": "text/event-stream"}, "body": slowly()}
    return {
        "base64": {"statusCode": 200, "body": "AP8=", "isBase64Encoded": True},
        "text": {"statusCode": 200, "body": "é"},
        "no-body": {"statusCode": 204},
        "malformed-status": {"statusCode": "ten"},
        "malformed-body": {"statusCode": 200, "body": {}},
        "malformed-base64": {"statusCode": 200, "body": "???", "isBase64Encoded": True},
        "no-json": {"statusCode": 200, "body": {1, 2}},
        "surrogate": {"statusCode": 200, "body": chr(0xD800)},
        "largest": {"statusCode": 200, "body": "é" * ((6291556 - 31) // 2) + "a"},
        "too-large": {"statusCode": 200, "body": "é" * ((6291556 - 31) // 2) + "ab"},
    }[kind]
"""


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    folder = tmp_path_factory.mktemp("gateway")
    (folder / "template.yaml").write_text(_TEMPLATE)
    (folder / "gateway_handlers.py").write_text(_HANDLERS)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        application = gateway.gateway(template.load(folder / "template.yaml").functions, at_once=2)
    server = uvicorn.Server(uvicorn.Config(application, port=0, lifespan="off", log_level="warning", ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        thread.join(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as opened:
        yield opened
    server.should_exit = True
    thread.join()


@pytest.fixture
def application(tidy: None) -> ASGIApp:
    """Return the local API on the table in memory, without its event side."""
    return server.application(template.load(), EventSide(Queues([]), Subscribers(), has_stream=False))
