"""Local APIs: one for each module, and one that all versions of the SDKs share, with a model."""

import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from tests.e2e import versions
from tests.e2e.lossy import losing_answers
from tests.support.chat_stub import Reply, calls, chatting, fails, says
from tests.support.local_api import LocalApi, serving

_SECONDS_TO_WAIT = 4.0
# A project for each version of an SDK.
SDK_KEYS = ",".join(f"v{version.replace('.', '-')}=sk-{version}" for version in (*versions.PYTHON, *versions.NODE))


@pytest.fixture(scope="module")
def api() -> Iterator[LocalApi]:
    with serving(API_KEYS="alpha=sk-alpha,beta=sk-beta") as served:
        yield served


@pytest.fixture(scope="session")
def sdk_api(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """Yield the environment of all scripts of SDKs, which lead to one local API.

    It is on DynamoDB Local where there is Java: in memory, every call takes longer.
    """
    own = {"DYNAMODB_URL": request.getfixturevalue("dynamodb_local")} if shutil.which("java") else {}
    with (
        chatting(_respond) as chat,
        serving(API_KEYS=f"{SDK_KEYS},beta=sk-beta", MODEL_URL=chat.base_url, TABLE_NAME="sdks", **own) as api,
        losing_answers(api.base_url) as lossy,
    ):
        yield {"OPENAI_BASE_URL": api.base_url, "OTHER_API_KEY": "sk-beta", "LOSSY_BASE_URL": lossy}


@pytest.fixture
def surroundings(sdk_api: dict[str, str], version: str) -> dict[str, str]:
    """Return the environment of the scripts for a version of an SDK: its key and its thread of 100 messages."""
    key = f"sk-{version}"
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=sdk_api["OPENAI_BASE_URL"], headers=headers) as client:
        said = [{"role": "user", "content": f"message {number}"} for number in range(100)]
        thread_id = client.post("/threads", json={"messages": said[:32]}).raise_for_status().json()["id"]
        for body in said[32:]:
            client.post(f"/threads/{thread_id}/messages", json=body).raise_for_status()
    return sdk_api | {"OPENAI_API_KEY": key, "LONG_THREAD_ID": thread_id, "EXPECTED_VERSION": version}


def _respond(asked: dict[str, Any]) -> Reply:
    """Return what the scripts expect of a model."""
    messages = asked["messages"]
    outputs = [message["content"] for message in messages if message["role"] == "tool"]
    if outputs:
        return says("The functions returned: ", ", ".join(outputs))
    if asked.get("tools"):
        return calls(("call_1", "get_weather", '{"city":"Rome"}'), ("call_2", "get_weather", '{"city":"Oslo"}'))
    content = messages[-1]["content"]
    if content == "Wait":
        time.sleep(_SECONDS_TO_WAIT)
    special = {
        "Fail": fails(400),
        "Half": replace(says("Half", finish=None), between=lambda: time.sleep(0.2)),
        "Slowly": replace(says(*"slowly"), between=lambda: time.sleep(0.3)),
    }
    return special.get(content) or says("You said: ", content)
