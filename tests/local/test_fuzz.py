"""Malformed requests: no 5xx, no hang, no response that openapi.json does not describe. `make fuzz` sends more."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fuzz import contract, sockets
from tests.support.local_api import LocalApi, serving

_SEED = 20_261


@pytest.fixture(scope="module")
def api() -> Iterator[LocalApi]:
    with serving(API_KEYS=sockets.KEYS, MODEL_URL="demo") as served:
        yield served


def test_mutated_requests_are_answered_by_the_contract(api: LocalApi) -> None:
    figures = sockets.send(api, 500, _SEED)

    assert {200, 400, 401, 404, 405} <= figures.statuses.keys()
    assert figures.grown < 500_000_000
    assert "Traceback" not in api.errors


def test_requests_made_from_the_document_are_answered_by_it(api: LocalApi, tmp_path: Path) -> None:
    assert "passed" in contract.send(api, 5, _SEED, tmp_path)
