"""The copy command: it reads threads of a live endpoint through the official SDK, whatever that endpoint returns."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support import expected, http_stub, program
from tests.support.http_stub import Request, Response
from tests.support.imported import CREATED, message, thread
from tests.support.local_api import ROOT, LocalApi, serving

_COPIED = [
    thread("thread_0", CREATED - 1),
    thread(metadata={"a": "b"}),
    *(message(f"msg_{number}", f"é{number}") for number in range(3)),
    thread("thread_z", CREATED + 1),
    message("msg_z", thread_id="thread_z"),
]


# Values that the SDK's models do not expect. They would cause warnings.
_URL_CITATION = {"type": "url_citation", "text": "x", "url_citation": {"url": "https://a.example", "title": None}}
_OLD: dict[str, dict[str, Any]] = {
    "msg_1": {"content": [], "status": None, "file_ids": ["file_1"], "attachments": [], "extra": 1},
    "msg_2": {"content": [expected.text("x", _URL_CITATION)], "status": "in_progress", "attachments": None},
}
_KEPT = {
    "msg_1": {"content": [], "status": None, "attachments": [{"file_id": "file_1", "tools": []}]},
    "msg_2": _OLD["msg_2"],
}


class Source:
    """Another provider's endpoint of the same API. It lists no threads, and may refuse the key after a while."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.refuses_from = 1_000
        self.assistants: list[dict[str, Any]] = []

    def respond(self, request: Request) -> Response:
        path = request.target
        self.requests.append(path)
        if len(self.requests) >= self.refuses_from:
            return Response(401, expected.error("revoked", code="invalid_api_key"))
        path, _, query = path.partition("?")
        if found := re.fullmatch(r"/v1/threads/(\w+)/messages", path):
            own = [line for line in _COPIED if line.get("thread_id") == found[1]]
            after = re.search(r"after=(\w+)", query)
            own = own[[line["id"] for line in own].index(after[1]) + 1 :] if after else own
            page = [line | _OLD.get(line["id"], {"file_ids": []}) for line in own[:2]]  # two a page, whatever the limit
            ids = {"first_id": page[0]["id"], "last_id": page[-1]["id"]} if page else {}
            return Response(200, {"object": "list", "data": page, "has_more": len(own) > 2, **ids})
        if path == "/v1/assistants" and self.assistants:
            return Response(200, expected.page(self.assistants))
        if found := re.fullmatch(r"/v1/threads/(\w+)", path):
            threads = [line for line in _COPIED if line["id"] == found[1] and line["object"] == "thread"]
            if threads:
                return Response(200, threads[0])
        return Response(404, expected.error("no such thing"))


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def url(source: Source) -> Iterator[str]:
    with http_stub.serving(source.respond) as found:
        yield f"{found}/v1"


def _copy(url: str, *arguments: str | Path) -> tuple[int, str, list[str]]:
    """Run `copy`; return its exit code, stdout, and the lines of stderr."""
    copied = program.invoke("copy", *arguments, OPENAI_BASE_URL=url, OPENAI_API_KEY="sk-alpha")
    return copied.exit_code, copied.stdout, copied.stderr.splitlines()


def test_all_threads_of_an_endpoint_that_lists_them_are_copied(tmp_path: Path) -> None:
    file = tmp_path / "copied.jsonl"
    with serving(API_KEYS="alpha=sk-alpha", EXAMPLE="1") as api:
        native = _native(api)
        assert _copy(api.base_url, file) == (0, "copied 2 threads with 3 messages, 0 refused\n", [])
    example = (ROOT / "tools" / "local" / "example.jsonl").read_text().splitlines()
    assert _read(file) == [*map(json.loads, example), *native]


def _read(file: Path) -> list[object]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def _native(api: LocalApi) -> list[object]:
    with httpx.Client(base_url=api.base_url, headers={"Authorization": "Bearer sk-alpha"}) as client:
        created = client.post("/threads").json()
        body = {"role": "user", "content": "é"}
        return [created, client.post(f"/threads/{created['id']}/messages", json=body).json()]


def test_named_threads_are_copied_and_those_that_are_not_there_are_told(url: str, tmp_path: Path) -> None:
    file, names = tmp_path / "copied.jsonl", tmp_path / "names"
    names.write_text("thread_none\nthread_z\n\n")

    code, said, errors = _copy(url, "--threads", names, file, "thread_0", "thread_abc123")

    assert (code, said) == (1, "copied 3 threads with 4 messages, 1 refused\n")
    assert errors == ["thread_none: the endpoint has no such thread", "left out: thread.message.extra, 1 times"]
    assert _read(file) == [line | _KEPT.get(line["id"], {}) for line in _COPIED]


def test_assistants_are_copied_before_the_threads(url: str, source: Source, tmp_path: Path) -> None:
    own = {"id": "asst_1", "object": "assistant", "created_at": CREATED, "model": "gpt-4o", "name": "é", "tools": []}
    old = {"file_ids": ["file_1"], "tools": [{"type": "retrieval"}], "instructions": None}
    source.assistants = [own, own | old | {"id": "asst_2", "extra": 1}]

    code, said, errors = _copy(url, tmp_path / "copied.jsonl", "thread_0")

    assert (code, said) == (0, "copied 2 assistants, 1 threads with 0 messages, 0 refused\n")
    assert errors == ["left out: assistant.extra, 1 times"]
    assert _read(tmp_path / "copied.jsonl") == [own, own | old | {"id": "asst_2"}, _COPIED[0]]


def test_an_endpoint_that_lists_no_threads_is_told_in_one_line(url: str, tmp_path: Path) -> None:
    told = "Error: this endpoint does not list threads: give their ids, as arguments or with --threads"

    assert _copy(url, tmp_path / "copied.jsonl") == (1, "", [told])
    assert [*tmp_path.iterdir()] == []


def test_a_key_that_is_revoked_on_the_way_is_told_in_one_line_and_the_copy_goes_on(
    url: str, source: Source, tmp_path: Path
) -> None:
    file, names = tmp_path / "copied.jsonl", ["thread_0", "thread_abc123", "thread_z"]
    source.refuses_from = 6  # assistants, a thread and its messages, then the next thread and one page of its messages
    told = "Error: the key was refused (401) after 1 threads; with another key the command continues"
    assert _copy(url, file, *names) == (1, "", [told])
    assert not file.exists()
    source.refuses_from = 1_000
    source.requests.clear()

    code, said, _ = _copy(url, file, *names)

    assert (code, said) == (0, "copied 2 threads with 4 messages, 0 refused\n")
    assert source.requests[0] == "/v1/threads/thread_abc123"
    assert _read(file) == [line | _KEPT.get(line["id"], {}) for line in _COPIED]
    assert [*tmp_path.iterdir()] == [file]
