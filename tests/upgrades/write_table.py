"""`python -m tests.upgrades.write_table VERSION`: makes the dump of a table with all that this version writes."""

import json
import random
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.support import expected, fault_injection, imported, queues, stream
from tests.support.client import Client
from tests.support.clock import Clock
from tests.support.erasing import Queue, queue_changes, sweep
from tests.upgrades import dump
from tests.upgrades.dump import Dump, Item, Step
from tools.local import template
from tools.local.dynamodb import database

_RUN = "run_1"
_USER, _MOVED = "user-1", "user-2"
_KEYS = {"plain": "sk-plain", "trusted": "sk-trusted", "other": "sk-other", "revoked": "sk-revoked"}
_REPETITIVE = "Much of what people write repeats itself. " * 12
_NOTE = {
    "type": "file_citation",
    "text": "[1]",
    "start_index": 0,
    "end_index": 3,
    "file_citation": {"file_id": "file-1", "quote": "said"},
}
_PARTS = [
    {"type": "text", "text": "What is \0 this? \u2028 \U0001f9f5"},
    {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
    {"type": "image_file", "image_file": {"file_id": "file-2", "detail": "high"}},
]
_ANSWER = {
    "role": "assistant",
    "content": [
        {"type": "text", "text": {"value": "[1] says so", "annotations": [_NOTE]}},
        {"type": "refusal", "refusal": "no more"},
    ],
    "assistant_id": "asst_1",
    "run_id": _RUN,
    "status": "incomplete",
    "incomplete_details": {"reason": "max_tokens"},
    "metadata": {"a": "b"},
}


def main(version: str) -> None:
    """Write the dump of this version."""
    with database.in_memory(template.load()), pytest.MonkeyPatch.context() as patch:
        table = _Table(Clock(patch))
        table.fill(patch)
        dump.write(version, table.dumped())


class _Table:
    """A table and its queues, filled by the handlers, and what was sent to make threads and messages once."""

    def __init__(self, clock: Clock) -> None:
        from shared.store import api_keys

        self._clock = clock
        api_keys.create("alpha", "laptop", trusted=False, secret=_KEYS["plain"])
        api_keys.create("alpha", "responder", trusted=True, secret=_KEYS["trusted"])
        api_keys.create("alpha", "lost", trusted=False, secret=_KEYS["revoked"])
        api_keys.create("beta", "", trusted=False, secret=_KEYS["other"])
        api_keys.revoke(api_keys.hash_of(_KEYS["revoked"])[:16])
        self._client = Client("alpha", secret=_KEYS["plain"])
        self._trusted = Client("alpha", secret=_KEYS["trusted"])
        self._other = Client("beta", secret=_KEYS["other"])
        self._creates: list[Step] = []
        self._commands: list[str] = []
        self._deleted: list[tuple[str, str]] = []
        self._erasures: list[str] = []

    def fill(self, patch: pytest.MonkeyPatch) -> None:
        """Write one of everything; the clock goes on a little with each thread, so that the order is known."""
        fills = (
            self._plain,
            self._full,
            self._staged,
            self._pending,
            self._tombstone,
            self._imported,
            self._of_another,
        )
        for fill in fills:
            with patch.context() as own:
                fill(own)
            self._clock.forward(1.5)
        self._erasures = [json.dumps(taken) for taken in Queue().taken()]
        sweep(seconds=59)  # its time is up behind the first list, which it remembers

    def dumped(self) -> Dump:
        """Return the table as it is now, then change it all and say what was answered."""
        items = [*stream.images().values()]
        written = int(time.time())
        reads = [*self._reads(items)]
        assert [*stream.images().values()] == items
        of_a_kind = {message_id for _, message_id in _messages(items)}
        told = dump.told([item for item in items if dump.name(item) in {*of_a_kind, "thread", "head"}])
        return Dump(written, items, reads, [*self._writes(items)], self._erasures, self._commands, told)

    def _plain(self, _: pytest.MonkeyPatch) -> None:
        thread_id = self._client.thread()
        for number in range(18):  # more than a head remembers
            self._client.message(thread_id, f"{number}")
            self._clock.forward(0.25)
        self._delete(thread_id, self._client.page(thread_id)["data"][3]["id"])
        self._client.thread(metadata={"topic": "empty"}, tool_resources={"file_search": {"vector_store_ids": ["vs_1"]}})

    def _full(self, patch: pytest.MonkeyPatch) -> None:
        first = [{"role": "user", "content": "first"}, {"role": "assistant", "content": "second"}]
        body = {"messages": first, "metadata": {dump.indexed_key(): _USER, "a": "b"}, "tool_resources": {}}
        thread_id = self._once("create_thread", body=body)["id"]
        self._client.create("modify_thread", thread_id, body={"tool_resources": {"code_interpreter": {"file_ids": []}}})
        self._once("create_message", thread_id, body={"role": "user", "content": "once"})
        files = [{"file_id": "file-3", "tools": [{"type": "code_interpreter"}]}, {}]
        self._client.message(thread_id, _REPETITIVE, attachments=files, metadata={"c": "d"})
        self._client.message(thread_id, _PARTS)
        self._trusted.create("create_message", thread_id, body=_ANSWER)
        self._trusted.message(thread_id, "deleted", role="assistant", run_id=_RUN)
        self._delete(thread_id, self._client.page(thread_id, limit=1)["data"][0]["id"])
        _small_items(patch)
        seen, edited, shortened, deleted = (self._client.message(thread_id, _large(seed))["id"] for seed in range(4))
        with _queued():
            self._client.create("modify_message", thread_id, seen, body={"metadata": {"seen": "yes"}})
            self._client.create("modify_message", thread_id, edited, body={"content": _large(5), "metadata": {}})
            self._client.create("modify_message", thread_id, shortened, body={"content": "short"})
            self._delete(thread_id, deleted)
        command = json.dumps(queues.command(self._client, thread_id, "by a command", command_id="c-1"))
        queues.put(command)
        assert (queues.deliver(), queues.rejected()) == ([], [])
        self._commands.append(command)

    def _staged(self, patch: pytest.MonkeyPatch) -> None:
        from shared.store import threads

        patch.setattr(threads, "_WRITES_IN_ONE", 0)
        self._client.thread(messages=[{"role": "user", "content": "staged"}] * 2, metadata={dump.indexed_key(): _USER})

    def _pending(self, patch: pytest.MonkeyPatch) -> None:
        from shared.store import threads

        patch.setattr(threads, "_WRITES_IN_ONE", 0)
        with fault_injection.inject(
            fault_injection.Fault("TransactWriteItems", fault_injection.timeout, at=2, times=0)
        ):
            assert self._client.call("create_thread", body={"messages": [expected.ROLE_USER] * 2}).status == 503

    def _tombstone(self, patch: pytest.MonkeyPatch) -> None:
        _small_items(patch)
        thread_id = self._client.thread(metadata={dump.indexed_key(): _USER})
        self._trusted.create("create_message", thread_id, body=_ANSWER)
        self._client.message(thread_id, _large(6))
        with _queued():
            self._client.create("delete_thread", thread_id)

    def _imported(self, patch: pytest.MonkeyPatch) -> None:
        _small_items(patch)
        messages = [
            imported.message("msg_abc", "first", imported.CREATED, metadata={"a": "b"}),
            imported.message("msg_def", _large(7), imported.CREATED, run_id=_RUN, role="assistant"),
            imported.message("msg_ghi", "deleted", imported.CREATED + 1),
        ]
        imported.brought(self._client, imported.thread(metadata={dump.indexed_key(): _USER}), *messages)
        with _queued():
            self._delete(imported.THREAD, "msg_ghi")
        self._client.message(imported.THREAD, "since then")

    def _of_another(self, _: pytest.MonkeyPatch) -> None:
        self._other.thread(metadata={dump.indexed_key(): _USER}, messages=[expected.ROLE_USER])

    def _once(self, function: str, *ids: str, **options: Any) -> dict[str, Any]:
        headers = {"idempotency-key": f"key {len(self._creates)}"}
        step = _step("plain", function, *ids, headers=headers, **options)
        self._creates.append(step)
        created: dict[str, Any] = step["answer"]
        return created

    def _delete(self, thread_id: str, message_id: str) -> None:
        self._client.create("delete_message", thread_id, message_id)
        self._deleted.append((thread_id, message_id))

    def _reads(self, items: list[Item]) -> Iterator[Step]:
        """Ask for all that there is, and for what is no longer there or not this key's."""
        for key in ("plain", "trusted", "other", "revoked"):
            yield _step(key, "list_threads")
        for order in ("asc", "desc"):
            yield from _pages("list_threads", order=order, limit=2)
            yield from _pages("list_threads", order=order, limit=1, **{f"metadata[{dump.indexed_key()}]": _USER})
        for thread_id in _threads(items):
            yield _step("other", "retrieve_thread", thread_id)
            yield _step("plain", "retrieve_thread", thread_id)
            yield from _pages("list_messages", thread_id, order="asc", limit=8)
            yield from _pages("list_messages", thread_id, run_id=_RUN)
        for thread_id, message_id in [*_messages(items), *self._deleted]:
            yield _step("plain", "retrieve_message", thread_id, message_id)
            yield _step("plain", "list_messages", thread_id, query={"before": message_id, "limit": 1})

    def _writes(self, items: list[Item]) -> Iterator[Step]:
        """Repeat what happens once, modify all, delete all; in between, and behind, read it."""
        for made in self._creates:
            same = made["options"]
            other = same | {"body": same["body"] | {"metadata": {"not": "the same"}}}
            for options in (same, other):
                yield _step("plain", made["function"], *made["ids"], **options)
        yield from _modifications(items)
        yield from _deletions(items)
        for key in ("plain", "other"):
            yield _step(key, "list_threads")


def _modifications(items: list[Item]) -> Iterator[Step]:
    for number, (thread_id, message_id) in enumerate(_messages(items)):
        for body in ({"metadata": {"number": f"{number}"}}, {"content": _REPETITIVE if number % 2 else "short"}):
            yield _step("plain", "modify_message", thread_id, message_id, body=body)
    for thread_id in _threads(items):
        moved = {"metadata": {dump.indexed_key(): _MOVED}, "tool_resources": None}
        yield _step("plain", "modify_thread", thread_id, body=moved)
        yield _step("plain", "retrieve_thread", thread_id)
    for user in (_USER, _MOVED):
        yield _step("plain", "list_threads", query={f"metadata[{dump.indexed_key()}]": user})


def _deletions(items: list[Item]) -> Iterator[Step]:
    for thread_id, message_id in _messages(items):
        for _ in range(2):
            yield _step("plain", "delete_message", thread_id, message_id)
    for thread_id in _threads(items):
        yield _step("plain", "list_messages", thread_id, query={"limit": 2})
        yield _step("plain", "list_messages", thread_id, query={"run_id": _RUN})
        for key in ("other", "plain"):
            yield _step(key, "delete_thread", thread_id)


@contextmanager
def _queued() -> Iterator[None]:
    """Queue what the changes made here leave to be erased."""
    with stream.changes("QueueJobs") as records:
        yield
    queue_changes(*(record["dynamodb"] for record in records))


def _step(key: str, function: str, *ids: str, **options: Any) -> Step:
    """Make a call and return it with what it was answered."""
    step: Step = {"key": _KEYS[key], "function": function, "ids": [*ids], "options": options}
    return step | dump.outcome(dump.ask(step))


def _pages(function: str, *ids: str, **query: Any) -> Iterator[Step]:
    while True:
        step = _step("plain", function, *ids, query=query)
        yield step
        if not step["answer"].get("has_more"):
            return
        query = query | {"after": step["answer"]["last_id"]}


def _threads(items: list[Item]) -> list[str]:
    return [item["threadId"]["S"].partition("#")[2] for item in items if item["messageId"]["S"] == "head"]


def _messages(items: list[Item]) -> list[tuple[str, str]]:
    """Return one message of each kind in each thread: those whose items have other attributes, or of other types."""
    found: dict[str, tuple[str, str]] = {}
    for item in items:
        thread_id, message_id = item["threadId"]["S"].partition("#")[2], dump.name(item)
        if message_id.startswith("msg_"):
            kind = {name: [*value] for name, value in sorted(item.items())}
            found.setdefault(f"{thread_id} {kind}", (thread_id, message_id))
    return [*found.values()]


def _large(seed: int) -> str:
    """Return a text that does not compress."""
    return "".join(map(chr, random.Random(seed).choices(range(0x4E00, 0x9FFF), k=200)))


def _small_items(patch: pytest.MonkeyPatch) -> None:
    """Let a content be in parts from 300 bytes on, that a dump of some may be small: their form is the same."""
    from shared.store import items

    patch.setattr(items, "_INLINE_BYTES", 300)
    patch.setattr(items, "_CHUNK_BYTES", 250)


if __name__ == "__main__":
    main(sys.argv[1])
