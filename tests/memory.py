"""The table for unit tests: moto, in this process, one for the whole run. Each test has a project of its own in it."""

from collections.abc import Iterator

import pytest

from local import database, template


@pytest.fixture(scope="session")
def in_memory() -> Iterator[None]:
    """Hold the table and set the environment that leads to it; `shared.store` must not be imported before."""
    with database.in_memory(template.load()):
        yield
