"""The holder of another key, or of none, changes no response of others and learns nothing.

STRANGERS_EXAMPLES is the number of stories. PROMISES_SEED selects them.
"""

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.support import expected, fault_injection, memory
from tests.support.client import Answer, Client, invoke
from tests.support.clock import Clock
from tests.support.refusals import NOTHING, NOWHERE

EXAMPLES = int(os.environ.get("STRANGERS_EXAMPLES") or 15)
SEED = int(os.environ.get("PROMISES_SEED") or random.randrange(1_000_000))
THOROUGH = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    phases=[Phase.generate],  # shrinking takes minutes; the seed repeats the story
    suppress_health_check=list(HealthCheck),
)
OURS = "what only the owner may read"
USER = {"user_id": "u"}


class Step(NamedTuple):
    """A request, with the numbers of its thread and message among those that the party knows."""

    stranger: bool
    what: str
    thread: int
    message: int


_FUNCTIONS: dict[str, tuple[int, Any]] = {
    # The number of ids in the path, and the body.
    "create_thread": (0, {"metadata": USER, "messages": [{"role": "user", "content": OURS}]}),
    "list_threads": (0, None),
    "retrieve_thread": (1, None),
    "modify_thread": (1, {"metadata": USER | {"a": "b"}}),
    "delete_thread": (1, None),
    "create_message": (1, {"role": "user", "content": OURS}),
    "list_messages": (1, None),
    "retrieve_message": (2, None),
    "modify_message": (2, {"metadata": {"c": "d"}, "content": f"{OURS}, edited"}),
    "delete_message": (2, None),
}
_CREATES = ["create_thread", "create_message"] * 2
_OWNERS = st.builds(
    Step, st.just(False), st.sampled_from([*_FUNCTIONS, *_CREATES]), st.integers(0, 5), st.integers(0, 5)
)
_STRANGERS = st.builds(
    Step,
    st.just(True),
    st.sampled_from([*_FUNCTIONS, "with a key", "with a key", "malformed", "wrong keys", "erase"]),
    st.integers(0, 5),
    st.integers(0, 5),
)


@dataclass
class Party:
    """The holder of a key, and the ids in the responses that it got."""

    client: Client
    threads: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    answers: list[tuple[int, str, dict[str, str]]] = field(default_factory=list)

    def ask(self, what: str, ids: list[str], **options: Any) -> Answer:
        count, body = _FUNCTIONS[what]
        query = {"limit": 3, "metadata[user_id]": "u"} if what == "list_threads" else ""
        answer = self.client.call(what, *ids[:count], **({"body": body, "query": query} | options))
        kept = {name: text for name, text in answer.headers.items() if name not in _OF_THE_MOMENT}
        self.answers.append((answer.status, answer.text, kept))
        if answer.status == 200 and what == "create_thread":
            self.threads.append(answer.body["id"])
        if answer.status == 200 and what == "create_message":
            self.messages.append(answer.body["id"])
        return answer


_OF_THE_MOMENT = {"x-request-id", "openai-processing-ms"}


@given(story=st.lists(st.one_of(_OWNERS, _STRANGERS, _STRANGERS), min_size=4, max_size=24))
@seed(SEED)
@THOROUGH
def test_no_request_of_a_stranger_changes_an_answer(story: list[Step]) -> None:
    """The owner's requests are made alone, then with the stranger's requests between them.

    The owner's responses must be the same byte for byte.
    """
    alone, _ = _told([step for step in story if not step.stranger], [not step.stranger for step in story])
    owner, stranger = _told(story, [True] * len(story))

    assert owner.answers == alone.answers
    assert all(status < 500 for status, _, _ in stranger.answers)


def _told(story: list[Step], moments: list[bool]) -> tuple[Party, Party]:
    """Make a story's requests in new projects. The time of a step is its place among all `moments`, in seconds."""
    steps = iter(story)
    with memory.as_it_was(), _repeatable() as speak:
        owner, stranger = Party(Client()), Party(Client())
        speak(0, "owner")
        first = owner.ask("create_thread", [])
        owner.messages.append(owner.client.page(first.body["id"])["data"][0]["id"])
        for second, told in enumerate(moments, 1):
            if told:
                step = next(steps)
                speak(second, "stranger" if step.stranger else "owner")
                (_meddle if step.stranger else _act)(step, owner, stranger)
    return owner, stranger


def _act(step: Step, owner: Party, _stranger: Party) -> None:
    ids = [_pick(owner.threads, step.thread, NOWHERE), _pick(owner.messages, step.message, NOTHING)]
    owner.ask(step.what, ids, headers={"idempotency-key": f"k{step.message % 2}"})


def _meddle(step: Step, owner: Party, stranger: Party) -> None:
    """Let the stranger make requests for the owner's threads and messages whose ids are known, and for its own."""
    known = owner.threads + stranger.threads
    ids = [_pick(known, step.thread, NOWHERE), _pick(owner.messages + stranger.messages, step.message, NOTHING)]
    if step.what in _FUNCTIONS:
        answer = stranger.ask(step.what, ids)
        if _FUNCTIONS[step.what][0] and ids[0] in owner.threads:
            assert (answer.status, answer.body) == (404, expected.no_thread(ids[0]))
    elif step.what == "with a key":
        stranger.ask("create_thread", [], headers={"idempotency-key": f"k{step.message % 2}"})
        stranger.ask("create_message", ids, headers={"idempotency-key": f"k{step.message % 2}"})
    elif step.what == "malformed":
        stranger.ask("create_message", ids, body="{")
        stranger.ask("list_messages", ids, query={"after": ids[1], "before": "x"})
        stranger.ask("list_messages", ids, query={"after": ids[1]})
    elif step.what == "wrong keys":
        for number in range(3):
            wrong = Client(project="none", secret=f"{owner.client.secret[:-1]}{number}-")
            assert wrong.call("retrieve_thread", ids[0]).error == (401, None, "invalid_api_key")
    else:
        _erase(stranger)


def _erase(party: Party) -> None:
    """Delete and erase the party's own threads."""
    from shared.store import erasure, keys

    for thread_id in party.threads:
        party.ask("delete_thread", [thread_id])
        assert erasure.erase_thread(keys.thread_partition(party.client.project, thread_id), float("inf"))


def _pick(known: list[str], at: int, otherwise: str) -> str:
    return known[::-1][at % len(known)] if known and at < 5 else otherwise


@contextmanager
def _repeatable() -> Iterator[Any]:
    """Let ids depend only on the party and the time of a request."""
    drawn: dict[str, random.Random] = {}
    real = os.urandom
    with pytest.MonkeyPatch.context() as patch:
        clock = Clock(patch)
        clock._wall = 1_800_000_000.0

        def speak(second: int, who: str) -> None:
            clock._passed = float(second)
            draw = drawn.setdefault(who, random.Random(who))
            # A token has 16 random bytes; an id has 8 or 10.
            patch.setattr(os, "urandom", lambda size: draw.randbytes(size) if size in (8, 10) else real(size))

        yield speak


_MALFORMED = st.fixed_dictionaries(
    {
        "rawPath": st.text(max_size=30),
        "rawQueryString": st.text(max_size=30),
        "pathParameters": st.fixed_dictionaries({"threadId": st.text(max_size=9), "messageId": st.text(max_size=9)}),
        "body": st.text(max_size=30) | st.sampled_from(["{", '{"a":NaN}', "[" * 9_000]),
        "isBase64Encoded": st.booleans(),
    }
)
_NO_KEYS = st.sampled_from([{}, {"authorization": ""}, {"authorization": "Bearer"}, {"authorization": "Basic eDp5"}])
_WRONG_KEYS = st.text(st.characters(codec="utf-8", exclude_categories=["Z", "C"]), min_size=1, max_size=300)


@given(function=st.sampled_from([*_FUNCTIONS, "unknown_route"]), malformed=_MALFORMED, header=_NO_KEYS | _WRONG_KEYS)
@seed(SEED)
@THOROUGH
def test_without_a_right_key_whatever_is_sent_is_a_401(
    anybody: Client, function: str, malformed: dict[str, Any], header: Any
) -> None:
    headers = {"authorization": f"Bearer {header}"} if isinstance(header, str) else header
    event = anybody.event("list_threads") | malformed | {"headers": headers}

    with fault_injection.inject() as attempts:
        answer = invoke(function, event)

    assert answer.error == (401, None, "invalid_api_key" if isinstance(header, str) else None)
    assert attempts.operations in ([], ["GetItem"] if isinstance(header, str) else [])
