"""Kill -9 of the local API and of its engine, at random moments of conversations: what was acknowledged is there, once.

KILLS=50 KILLS_SEED=7 says how often, and repeats the moments; `make kills` does it 50 times.
"""

import os
import random
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conversations import Caller, Conversations, Sent, Thread
from tests.support.local_api import LocalApi, serving
from tools.local.dynamodb import engine

KILLS = int(os.environ.get("KILLS") or 2)
SEED = int(os.environ.get("KILLS_SEED") or random.randrange(1_000_000))
VICTIMS = ("api", "engine", "both")


@pytest.fixture
def seed() -> int:
    """Return the seed of this run, which a failing test's report shows among its arguments."""
    return SEED


def kill(victim: str, api: LocalApi, folder: Path) -> None:
    """Kill the engine, the local API, or both, and wait until the local API has ended."""
    if victim != "api":
        os.kill(int((folder / "engine.pid").read_text()), signal.SIGKILL)
    if victim != "engine":
        api.process.kill()
    api.process.wait(30)


def text(message: dict[str, Any]) -> str:
    """Return the first word of a message: the name of its create."""
    return str(message["content"][0]["text"]["value"]).split(" ", 1)[0]


def check_messages(caller: Caller, thread: Thread) -> Counter[str]:
    """Check all of a thread against what was sent to it; return how many creates ended how."""
    messages = caller.pages(thread.path, order="asc", limit=50)
    ids = [message["id"] for message in messages]
    assert ids == sorted({*ids})
    assert [message["created_at"] for message in messages] == sorted(message["created_at"] for message in messages)
    assert caller.pages(thread.path, order="desc", limit=13) == messages[::-1]
    if messages:
        last = caller.insist("GET", f"{thread.path}/{ids[-1]}").json()
        assert [*caller.pages(thread.path, "before", order="asc", limit=17, before=ids[-1]), last] == messages
    assert thread.read == sorted({*thread.read})
    assert {*ids} <= {*thread.read}
    named = Counter(map(text, messages))
    shown = {text(message): message for message in messages}
    ended: Counter[str] = Counter()
    for own in thread.writers:
        ended.update(_ending(sent, named[sent.name], shown.get(sent.name)) for sent in own)
        order = [shown[sent.name]["id"] for sent in own if sent.name in shown]
        assert order == sorted(order)
    sent_names = {sent.name for own in thread.writers for sent in own}
    assert {*named} <= sent_names
    _check_order([sent for own in thread.writers for sent in own if sent.answer])
    return ended


def _ending(sent: Sent, times: int, shown: dict[str, Any] | None) -> str:
    """Return how a create ended, which must be one of the ways that it may end."""
    if sent.deleted:
        assert times == 0
        return "deleted"
    if sent.answer is None:
        assert not sent.keyed
        assert times <= 1
        return "unacknowledged, there" if times else "unacknowledged, not there"
    assert times == 1
    assert shown in [sent.answer | {"metadata": metadata} for metadata in sent.metadata]
    return "acknowledged, with a key" if sent.keyed else "acknowledged"


def _check_order(acknowledged: list[Sent]) -> None:
    """Check that whatever began after another was acknowledged comes behind it."""
    by_end = sorted(acknowledged, key=lambda sent: sent.ended)
    last, place = "", 0
    for sent in sorted(acknowledged, key=lambda sent: sent.began):
        while by_end[place].ended < sent.began:
            last = max(last, (by_end[place].answer or {})["id"])
            place += 1
        # A create with a key may have been stored long before it was acknowledged, never before it began.
        assert (sent.answer or {})["id"] > last


def check_threads(caller: Caller, own: list[Sent]) -> Counter[str]:
    """Check the threads of an owner, and the list of them."""
    ended: Counter[str] = Counter()
    owner = own[0].name.rpartition("-")[0] if own else ""
    query: dict[str, Any] = {"metadata[user_id]": owner, "limit": 20}
    threads = caller.pages("/threads", **query) if own else []
    named = Counter(thread["metadata"]["name"] for thread in threads)
    shown = {thread["metadata"]["name"]: thread for thread in threads}
    for sent in own:
        found = shown.get(sent.name)
        if sent.deleted:
            assert caller.insist("GET", f"/threads/{(sent.answer or {})['id']}").status_code == 404
        ended[_ending(sent, named[sent.name], found)] += 1
    for thread in threads:
        messages = caller.pages(f"/threads/{thread['id']}/messages")
        assert [text(message) for message in messages] == [thread["metadata"]["name"]] * 2
    return ended


def test_what_was_acknowledged_outlives_every_kill_and_is_there_once(
    dynamodb_local: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], seed: int
) -> None:
    draw = random.Random(seed)
    own = {"API_KEYS": "alpha=sk-alpha", "DATA": str(tmp_path), "PORT": str(engine._free_port())}
    conversations = Conversations(f"http://127.0.0.1:{own['PORT']}/v1", "sk-alpha", seed)
    victims = [*VICTIMS, *draw.choices(VICTIMS, k=KILLS)][:KILLS]
    try:
        for number, victim in enumerate(victims):
            with serving(**own) as api:
                if number == 0:
                    conversations.begin(threads=2, writers=3, owners=2)
                _wait_for(draw.randint(1, 20), conversations)
                time.sleep(draw.uniform(0, 0.2))
                kill(victim, api, tmp_path)
                assert "Traceback" not in api.errors
        with serving(**own):
            _wait_for(5, conversations)
            conversations.end()
            messages = sum((check_messages(conversations.caller, one) for one in conversations.threads), Counter[str]())
            threads = sum((check_threads(conversations.caller, one) for one in conversations.owners), Counter[str]())
    finally:
        conversations.close()
    with capsys.disabled():
        sys.stdout.write(f"\nkilled: {dict(Counter(victims))}\nmessages: {dict(messages)}\nthreads: {dict(threads)}\n")


def _wait_for(more: int, conversations: Conversations) -> None:
    """Wait until so many creates more have been acknowledged."""
    enough = conversations.acknowledged() + more
    end = time.monotonic() + 300
    while conversations.acknowledged() < enough:
        assert time.monotonic() < end, "nothing is acknowledged any more"
        time.sleep(0.02)
