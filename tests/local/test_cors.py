"""Pages of other origins: the template's configuration, and the gateway's responses to them."""

from pathlib import Path

import anyio
import httpx
import pytest

from tools.local import gateway, template

_TEMPLATE = """
Parameters:
  AllowedOrigins: {Type: CommaDelimitedList, Default: ""}
Conditions:
  HasAllowedOrigins: !Not [!Equals [!Join ["", !Ref AllowedOrigins], ""]]
Resources:
  Table: {Type: AWS::DynamoDB::Table, Properties: {}}
  Api:
    Type: AWS::Serverless::HttpApi
    Properties:
      CorsConfiguration: !If
        - HasAllowedOrigins
        - AllowOrigins: !Ref AllowedOrigins
          AllowMethods: [GET, POST]
          AllowHeaders: [authorization, content-type]
          ExposeHeaders: [x-request-id]
          MaxAge: 60
        - !Ref AWS::NoValue
  Echo:
    Type: AWS::Serverless::Function
    Properties:
      Handler: cors_handlers.own
      Events:
        All: {Type: HttpApi}
"""
_HANDLERS = """
def own(event, context):
    headers = {"Access-Control-Allow-Origin": "https://own.example", "Access-Control-Allow-Credentials": "true"}
    return {"statusCode": 200, "headers": headers, "body": event["requestContext"]["http"]["method"]}
"""
_ORIGIN = "https://a.example"
_ASKING = {"origin": _ORIGIN, "access-control-request-method": "POST"}


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "template.yaml").write_text(_TEMPLATE)
    (tmp_path / "cors_handlers.py").write_text(_HANDLERS)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def _ask(files: Path, origins: str, method: str, **headers: str) -> httpx.Response:
    """Send one request to a gateway that allows these origins."""
    loaded = template.load(files / "template.yaml", {"AllowedOrigins": origins})
    application = gateway.gateway(loaded.functions, at_once=1, allowed=loaded.cors)

    async def send() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://api") as client:
            return await client.request(method, "/things", headers=headers)

    return anyio.run(send)


def _cors(answer: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name.startswith("access-control-")}


def test_without_origins_our_template_allows_none() -> None:
    assert template.load().cors is None
    assert template.load(parameters={"AllowedOrigins": ""}).cors is None


def test_our_template_allows_what_clients_send_and_shows_what_they_need() -> None:
    cors = template.load(parameters={"AllowedOrigins": "https://a.example, http://b.example:8080"}).cors
    assert cors is not None
    assert cors.origins == ("https://a.example", "http://b.example:8080")
    assert cors.methods == ("GET", "POST", "DELETE")
    assert {"authorization", "api-key", "content-type", "idempotency-key", "openai-beta"} < {*cors.headers}
    assert {"x-stainless-poll-helper", "x-stainless-custom-poll-interval"} < {*cors.headers}  # openai, npm
    azure = {"x-ms-client-request-id", "x-ms-return-client-request-id", "x-ms-useragent", "traceparent", "tracestate"}
    assert azure < {*cors.headers}  # @azure/openai-assistants
    assert "*" not in cors.headers  # "*" would not include authorization
    exposed = {"x-request-id", "retry-after", "idempotent-replayed", "openai-processing-ms", "openai-poll-after-ms"}
    assert {*cors.exposed} == exposed | {"x-should-retry", "apigw-requestid"}
    assert cors.max_age == 600


def test_a_preflight_is_answered_by_the_gateway(files: Path) -> None:
    answer = _ask(files, f"https://b.example,{_ORIGIN}", "OPTIONS", **_ASKING)
    assert (answer.status_code, answer.content) == (204, b"")
    assert _cors(answer) == {
        "access-control-allow-origin": _ORIGIN,
        "access-control-allow-methods": "GET,POST",
        "access-control-allow-headers": "authorization,content-type",
        "access-control-max-age": "60",
    }


def test_a_preflight_of_another_origin_is_told_nothing(files: Path) -> None:
    answer = _ask(files, "https://b.example", "OPTIONS", **_ASKING)
    assert (answer.status_code, _cors(answer)) == (204, {})


@pytest.mark.parametrize("absent", _ASKING)
def test_another_options_request_goes_to_its_function(files: Path, absent: str) -> None:
    headers = {name: value for name, value in _ASKING.items() if name != absent}
    assert _ask(files, _ORIGIN, "OPTIONS", **headers).text == "OPTIONS"


@pytest.mark.parametrize(("origins", "told"), [(_ORIGIN, _ORIGIN), ("*", "*")])
def test_an_answer_to_an_allowed_origin_says_so_in_place_of_the_functions_own_headers(
    files: Path, origins: str, told: str
) -> None:
    assert _cors(_ask(files, origins, "GET", origin=_ORIGIN)) == {
        "access-control-allow-origin": told,
        "access-control-expose-headers": "x-request-id",
    }


@pytest.mark.parametrize("headers", [{"origin": "https://a.example.org"}, {"origin": "null"}, {}])
def test_an_answer_to_anyone_else_has_no_such_header(files: Path, headers: dict[str, str]) -> None:
    assert _cors(_ask(files, _ORIGIN, "GET", **headers)) == {}


def test_what_api_gateway_answers_by_itself_has_none(files: Path) -> None:
    answer = _ask(files, _ORIGIN, "GET", **{"origin": _ORIGIN, "x-local-gateway": "429"})
    assert (answer.status_code, _cors(answer)) == (429, {})


def test_without_origins_functions_answer_everything_and_their_headers_stay(files: Path) -> None:
    answer = _ask(files, "", "OPTIONS", **_ASKING)
    assert (answer.text, answer.headers["access-control-allow-origin"]) == ("OPTIONS", "https://own.example")
