"""DynamoDB Local for tests: one for the whole run, or one for each worker of pytest-xdist."""

import contextlib
import os
from collections.abc import Iterator

import pytest

from tools.local.dynamodb import engine


@pytest.fixture(scope="session")
def dynamodb_local() -> Iterator[str]:
    """Yield the URL of a DynamoDB Local with its data in memory, without any table.

    Without Java or npm the test is skipped. With CI=true it fails instead.
    """
    with contextlib.ExitStack() as stack:
        try:
            url = stack.enter_context(engine.running())
        except engine.EngineError as error:
            if os.environ.get("CI") == "true":
                raise
            pytest.skip(str(error))
        yield url
