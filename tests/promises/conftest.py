"""Fixtures for the tests of the promises. They use AWS's own engine: the table is in DynamoDB Local."""

import os
import random
from collections.abc import Iterator

import pytest

from tests.runs.conftest import chat, runs
from tests.support import event_sources
from tests.support.client import Client
from tests.support.clock import Clock
from tests.support.event_sources import Erasures
from tools.local import template
from tools.local.dynamodb import database

__all__ = ["chat", "runs"]

# PROMISES_SEED=… repeats a run. Without it, every run has another seed.
SEED = int(os.environ.get("PROMISES_SEED") or random.randrange(1_000_000))


def pytest_report_header() -> str:
    return f"promises: PROMISES_SEED={SEED}"


@pytest.fixture(scope="session", autouse=True)
def _table(dynamodb_local: str) -> Iterator[None]:
    """Create the table in DynamoDB Local and set the environment that leads to it, before anything makes a client."""
    with database.at_url(template.load(), dynamodb_local):
        yield


@pytest.fixture
def seed() -> int:
    """Return the seed of this run. The report of a failing test shows it among the arguments."""
    return SEED


@pytest.fixture
def client() -> Client:
    """Return a client whose project is empty."""
    return Client()


@pytest.fixture
def erasures() -> Iterator[Erasures]:
    """Return the steps of erasures, which begin at the stream's current end."""
    with event_sources.erasures() as running:
        yield running


@pytest.fixture
def trusted() -> Client:
    """Return a client with a trusted key, whose project is empty."""
    return Client(trusted=True)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Return a clock that pauses only put forward: botocore's, and the store's own."""
    return Clock(monkeypatch)
