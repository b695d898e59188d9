"""The table for unit tests: moto, in this process, one for the whole run. Each test has a project of its own in it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from moto.backends import get_backend

from tools.local import template
from tools.local.dynamodb import moto
from tools.local.template import ACCOUNT, REGION

# With a model's endpoint there are assistants and runs.
MODEL = {"ModelUrl": "https://model.example/v1"}


@pytest.fixture(scope="session")
def in_memory() -> Iterator[None]:
    """Hold the table and set the environment that leads to it; `shared.store` must not be imported before."""
    with moto.in_memory(template.load(parameters=MODEL)):
        yield


@pytest.fixture
def tidy(in_memory: None) -> Iterator[None]:
    """Remove what a test put into the table: moto copies all of it for each write of each transaction."""
    with as_it_was():
        yield


@pytest.fixture(scope="module")
def tidy_module(in_memory: None) -> Iterator[None]:
    """Remove what the fixtures of a module put into the table."""
    with as_it_was():
        yield


@contextmanager
def as_it_was() -> Iterator[None]:
    from shared.store import table

    table.set_deadline(60)  # what is left of an earlier handler's time would end calls that a test makes by itself
    before = {partition: {*items} for partition, items in _partitions().items()}
    yield
    after = _partitions()
    for partition in [*after]:
        for sort in after[partition].keys() - before.get(partition, set()):
            del after[partition][sort]
        if not after[partition]:
            del after[partition]


def _partitions() -> dict[str, dict[str, Any]]:
    """Return the items of the table by partition and sort key, as moto holds them."""
    table = get_backend("dynamodb")[ACCOUNT][REGION].tables[os.environ["TABLE_NAME"]]
    items: dict[str, dict[str, Any]] = table.items
    return items
