"""The page /docs of the local API, with the requests of a browser."""

import re

import pytest
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from tests.support.local_api import ROOT


@pytest.fixture
def client(application: ASGIApp) -> TestClient:
    return TestClient(application)


def test_the_page_shows_the_document_and_fetches_from_this_machine_alone(client: TestClient) -> None:
    page = client.get("/docs")
    parts = re.findall(r'(?:href|src)="([^"]*)"', page.text)

    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["content-security-policy"].startswith("default-src 'self';")
    assert all(part.startswith("/docs/") for part in parts)
    assert [client.get(part).status_code for part in parts] == [200] * 4
    assert 'url: "/openapi.json"' in client.get("/docs/start.js").text


def test_the_document_is_served_without_a_key(client: TestClient) -> None:
    text = (ROOT / "openapi.json").read_text(encoding="utf-8")

    assert [client.get(f"{stem}/openapi.json").text for stem in ("", "/v1")] == [text, text]
    assert client.post("/openapi.json").status_code == 401


@pytest.mark.parametrize(
    "path", ["/docs/nothing.js", "/docs/../pyproject.toml", "/docs/%2e%2e/%2e%2e/apps.py", "/docsx"]
)
def test_nothing_else_is_served(client: TestClient, path: str) -> None:
    assert client.get(path).status_code in {401, 404}
