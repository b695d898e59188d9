"""The table for unit tests: moto, in this process, one for the whole run. Each test has a project of its own in it."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from moto.backends import get_backend

from local import database, template
from local.template import ACCOUNT, REGION


@pytest.fixture(scope="session")
def in_memory() -> Iterator[None]:
    """Hold the table and set the environment that leads to it; `shared.store` must not be imported before."""
    with database.in_memory(template.load()):
        yield


@pytest.fixture
def tidy(in_memory: None) -> Iterator[None]:
    """Remove what a test put into the table: moto copies all of it for each write of each transaction."""
    before = {partition: {*items} for partition, items in partitions().items()}
    yield
    after = partitions()
    for partition in [*after]:
        for sort in after[partition].keys() - before.get(partition, set()):
            del after[partition][sort]
        if not after[partition]:
            del after[partition]


def partitions() -> dict[str, dict[str, Any]]:
    """Return the items of the table by partition and sort key, as moto holds them."""
    items: dict[str, dict[str, Any]] = _table().items
    return items


def _table() -> Any:
    return get_backend("dynamodb")[ACCOUNT][REGION].tables[os.environ["TABLE_NAME"]]
