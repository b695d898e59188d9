"""The table for unit tests: one table in moto for the whole run, in this process. Each test has its own project."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from moto.backends import get_backend

from tools.local import template
from tools.local.dynamodb import moto
from tools.local.template import ACCOUNT, REGION

# With a model's endpoint, the template has assistants and runs.
MODEL = {"ModelUrl": "https://model.example/v1"}


@pytest.fixture(scope="session")
def in_memory() -> Iterator[None]:
    """Provide the table and set the environment that leads to it. `shared.store` must not be imported before."""
    with moto.in_memory(template.load(parameters=MODEL)):
        yield


@pytest.fixture
def tidy(in_memory: None) -> Iterator[None]:
    """Remove a test's items from the table, because moto copies the table for each write of each transaction."""
    with as_it_was():
        yield


@pytest.fixture(scope="module")
def tidy_module(in_memory: None) -> Iterator[None]:
    """Remove from the table the items that the fixtures of a module wrote."""
    with as_it_was():
        yield


@contextmanager
def as_it_was() -> Iterator[None]:
    from shared.store import table

    table.set_deadline(60)  # otherwise the deadline of an earlier handler would end a test's own calls
    before = {partition: {*items} for partition, items in _partitions().items()}
    yield
    after = _partitions()
    for partition in [*after]:
        for sort in after[partition].keys() - before.get(partition, set()):
            del after[partition][sort]
        if not after[partition]:
            del after[partition]


def _partitions() -> dict[str, dict[str, Any]]:
    """Return moto's items of the table, by partition and sort key."""
    table = get_backend("dynamodb")[ACCOUNT][REGION].tables[os.environ["TABLE_NAME"]]
    items: dict[str, dict[str, Any]] = table.items
    return items
