"""The description of the API. It is the only response without a key, and it is the same for everybody."""

import json

from tests.support import fault_injection
from tests.support.client import invoke
from tests.support.local_api import ROOT

_EVENT = json.loads((ROOT / "events" / "retrieve_openapi.json").read_text(encoding="utf-8"))
_TEXT = (ROOT / "openapi.json").read_text(encoding="utf-8")


def test_the_document_is_told_to_whoever_asks(on_the_table: None) -> None:
    with fault_injection.inject() as attempts:
        answers = [
            invoke("retrieve_openapi", _EVENT | {"headers": headers})
            for headers in ({}, {"authorization": "Bearer sk-wrong"}, {"accept-encoding": "gzip"})
        ]

    assert [(answer.status, answer.text) for answer in answers] == [(200, _TEXT)] * 3
    assert [answer.headers.get("content-encoding") for answer in answers] == [None, None, "gzip"]
    assert attempts.operations == []


def test_the_document_travels_compressed() -> None:
    answer = invoke("retrieve_openapi", _EVENT | {"headers": {"accept-encoding": "gzip"}})

    assert answer.size < len(_TEXT) / 4
