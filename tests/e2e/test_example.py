"""EXAMPLE=1: the snippets of the old API's documentation run unchanged. Only two variables are set."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.e2e import versions
from tests.e2e.documented import SNIPPETS
from tests.e2e.isolated import run_programs
from tests.support import expected
from tests.support.local_api import LocalApi, serving

_TEXT = "How does AI work? Explain it in simple terms."
_OLDER, _NEWER = (
    expected.message("thread_abc123", own_id, created_at, [expected.text(_TEXT)])
    for own_id, created_at in (("msg_abc12", 1_699_016_383), ("msg_abc123", 1_699_017_614))
)


@pytest.fixture(scope="module")
def api() -> Iterator[LocalApi]:
    with serving(API_KEYS="alpha=sk-alpha,alpha+trusted=sk-trusted,beta=sk-beta", EXAMPLE="1") as served:
        yield served


def _messages(api: LocalApi, secret: str) -> object:
    url = f"{api.base_url}/threads/thread_abc123/messages"
    return httpx.get(url, headers={"Authorization": f"Bearer {secret}"}).json()


@pytest.mark.parametrize("secret", ["sk-alpha", "sk-trusted", "sk-beta"])
def test_every_project_starts_with_the_thread_of_the_documentation(api: LocalApi, secret: str) -> None:
    assert _messages(api, secret) == expected.page([_NEWER, _OLDER])
    assert (api.errors.count("EXAMPLE"), "thread_abc123" in api.printed) == (0, True)


def test_the_snippets_of_the_documentation_run_verbatim(api: LocalApi, tmp_path: Path) -> None:
    files = [tmp_path / f"{name}.py" for name in SNIPPETS]
    for file, text in zip(files, SNIPPETS.values(), strict=True):
        file.write_text(text)

    two_variables = {"OPENAI_BASE_URL": api.base_url, "OPENAI_API_KEY": "sk-alpha"}
    printed = run_programs(versions.NEWEST_PYTHON, tmp_path, *([str(file)] for file in files), **two_variables)

    created, listed, retrieved, updated, deleted = [text.removesuffix("\n") for text in printed]
    assert created.startswith("Message(id='msg_0")
    assert listed.startswith("[Message(id='msg_0")
    assert "Message(id='msg_abc123'" in listed
    assert retrieved.startswith("Message(id='msg_abc123', ")
    assert updated.startswith("Message(id='msg_abc12', ")
    assert "metadata={'modified': 'true', 'user': 'abc123'}" in updated
    assert deleted == "MessageDeleted(id='msg_abc12', deleted=True, object='thread.message.deleted')"
    assert _messages(api, "sk-beta") == expected.page([_NEWER, _OLDER])
