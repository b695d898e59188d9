"""A local API for each module, with the keys of two projects, and for the SDKs a thread of 100 messages."""

import shutil
import uuid
from collections.abc import Iterator

import httpx
import pytest

from tests.e2e.lossy import losing_answers
from tests.support.local_api import LocalApi, serving


@pytest.fixture(scope="module")
def api() -> Iterator[LocalApi]:
    with serving(API_KEYS="alpha=sk-alpha,beta=sk-beta") as served:
        yield served


@pytest.fixture(scope="module")
def surroundings(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """Yield the environment that the script of an SDK takes what it needs from.

    The local API is on DynamoDB Local where there is Java: in memory, every call takes longer.
    """
    headers = {"Authorization": "Bearer sk-alpha"}
    own = {"API_KEYS": "alpha=sk-alpha,beta=sk-beta"}
    if shutil.which("java"):
        own |= {"DYNAMODB_URL": request.getfixturevalue("dynamodb_local"), "TABLE_NAME": f"sdk-{uuid.uuid4().hex}"}
    with (
        serving(**own) as api,
        httpx.Client(base_url=api.base_url, headers=headers) as client,
        losing_answers(api.base_url) as lossy,
    ):
        thread_id = client.post("/threads").json()["id"]
        for number in range(100):
            body = {"role": "user", "content": f"message {number}"}
            client.post(f"/threads/{thread_id}/messages", json=body).raise_for_status()
        yield {
            "OPENAI_BASE_URL": api.base_url,
            "OPENAI_API_KEY": "sk-alpha",
            "OTHER_API_KEY": "sk-beta",
            "LOSSY_BASE_URL": lossy,
            "LONG_THREAD_ID": thread_id,
        }
