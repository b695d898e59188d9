"""The official Python SDK's clients for the test scripts: synchronous or asynchronous, with strict validation."""

import asyncio
import os
from collections.abc import Iterator
from typing import Any

import openai
import pytest

ROOT_URL = os.environ["OPENAI_BASE_URL"].removesuffix("/v1")


class Sdk:
    """One kind of client. `run` returns the result of a call. `walk` returns all elements of all pages."""

    def __init__(self, runner: asyncio.Runner | None) -> None:
        self.runner = runner
        self.clients: list[Any] = []
        self.client = self.new_client()

    def new_client(self, **options: Any) -> Any:
        return self._opened(openai.AsyncOpenAI if self.runner else openai.OpenAI, options)

    def new_azure_client(self, **options: Any) -> Any:
        options |= {"azure_endpoint": ROOT_URL, "api_version": "2024-05-01-preview"}
        return self._opened(openai.AsyncAzureOpenAI if self.runner else openai.AzureOpenAI, options)

    def _opened(self, kind: Any, options: dict[str, Any]) -> Any:
        client = kind(_strict_response_validation=True, **options)
        self.clients.append(client)
        return client

    @property
    def threads(self) -> Any:
        return self.client.beta.threads

    @property
    def messages(self) -> Any:
        return self.threads.messages

    def run(self, call: Any) -> Any:
        async def result() -> Any:
            return await call

        return self.runner.run(result()) if self.runner else call

    def walk(self, pages: Any) -> list[Any]:
        async def elements() -> list[Any]:
            return [element async for element in pages]

        return self.runner.run(elements()) if self.runner else list(pages)

    def close(self) -> None:
        for client in self.clients:
            self.run(client.close())
        if self.runner:
            self.runner.close()


@pytest.fixture(scope="module", params=["sync", "async"])
def sdk(request: pytest.FixtureRequest) -> Iterator[Sdk]:
    opened = Sdk(asyncio.Runner() if request.param == "async" else None)
    yield opened
    opened.close()


def test_this_is_the_version_that_was_asked_for() -> None:
    assert openai.__version__ == os.environ["EXPECTED_VERSION"]
