"""`python -m tests.upgrades.write_table VERSION`: dumps a table with all kinds of items that this version writes."""

import json
import math
import random
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from shared.runs.records import SECONDS_TO_EXPIRY
from tests.support import chat_stub, expected, fault_injection, imported, stream
from tests.support import event_sources as queues
from tests.support.client import Client
from tests.support.clock import Clock
from tests.support.event_sources import Queue, queue_changes, sweep
from tests.support.fault_injection import Fault
from tests.support.runs import WEATHER, Runs, with_model
from tests.upgrades import dump
from tests.upgrades.dump import Dump, Item, Step
from tools.local import template
from tools.local.dynamodb import moto

_RUN, _INDEXED = "run_1", "user_id"
_USER, _MOVED = "user-1", "user-2"
_KEYS = {"plain": "sk-plain", "trusted": "sk-trusted", "other": "sk-other", "revoked": "sk-revoked"}
_REPETITIVE = "Much of what people write repeats itself. " * 12
_NOTE = {"type": "file_citation", "text": "[1]", "start_index": 0, "end_index": 3}
_NOTE["file_citation"] = {"file_id": "file-1", "quote": "said"}
_PARTS = [
    {"type": "text", "text": "What is \0 this? \u2028 \U0001f9f5"},
    {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
    {"type": "image_file", "image_file": {"file_id": "file-2", "detail": "high"}},
]
_ANSWER = json.loads("""{
    "role": "assistant", "assistant_id": "asst_1", "run_id": "run_1", "metadata": {"a": "b"},
    "status": "incomplete", "incomplete_details": {"reason": "max_tokens"}
}""")
_ANSWER["content"] = [
    {"type": "text", "text": {"value": "[1] says so", "annotations": [_NOTE]}},
    {"type": "refusal", "refusal": "no more"},
]


def main(version: str) -> None:
    """Write the dump of a table with one object of each kind, and of the responses when all of them change."""
    with moto.in_memory(template.load()), with_model() as chat, pytest.MonkeyPatch.context() as patch:
        clock = Clock(patch)
        table = _Table(clock, chat)
        kinds = (table.runs, table.plain, table.full, table.staged, table.pending, table.tombstone)
        for fill in (*kinds, table.imported, table.foreign, table.active):
            with patch.context() as own:
                fill(own)
            clock.forward(1.5)  # so that the threads have a known order
        erasures = [json.dumps(taken) for taken in Queue().taken()]
        sweep(seconds=59)  # its time is up behind the first list, which it remembers
        items, written = [*stream.images().values()], int(time.time())
        reads = [*_reads(items, table.deleted)]
        assert [*stream.images().values()] == items
        of_a_kind = {own_id for _, own_id in [*_messages(items), *_runs(items)]} | {"thread", "head"}
        events = dump.published([item for item in items if dump.name(item) in of_a_kind])
        writes = [*_writes(items, table.creates)]
        dump.write(version, Dump(written, items, reads, writes, erasures, table.commands, events))


class _Table:
    """Fills the table with the handlers. Records the creates with an Idempotency-Key, the commands and the deletes."""

    def __init__(self, clock: Clock, chat: chat_stub.Chat) -> None:
        from shared.store import api_keys

        self._clock, self._chat = clock, chat
        api_keys.create("alpha", "laptop", trusted=False, secret=_KEYS["plain"])
        api_keys.create("alpha", "responder", trusted=True, secret=_KEYS["trusted"])
        api_keys.create("alpha", "lost", trusted=False, secret=_KEYS["revoked"])
        api_keys.create("beta", "", trusted=False, secret=_KEYS["other"])
        api_keys.revoke(api_keys.hash_of(_KEYS["revoked"])[:16])
        self._client, self._trusted = (Client("alpha", secret=_KEYS[key]) for key in ("plain", "trusted"))
        self.creates: list[Step] = []
        self.commands: list[str] = []
        self.deleted: list[tuple[str, str]] = []

    def runs(self, patch: pytest.MonkeyPatch) -> None:
        """Write assistants, and a run of each end, with steps and outputs, inline and in chunks."""
        _small_items(patch)
        runs = Runs(self._client)
        runs.assistant(name="small", metadata={"a": "b"})
        changed, deleted = (runs.assistant(instructions=_large(seed)) for seed in (8, 9))
        with _queued():
            runs.create("modify_assistant", changed, body={"instructions": _large(10), "temperature": 0.5})
            runs.create("delete_assistant", deleted)
        assistant_id = runs.assistant(tools=[WEATHER], top_p=0.5)
        thread_id = runs.thread("first")
        body: dict[str, Any] = {"assistant_id": assistant_id}
        for reply in (
            chat_stub.fails(404, "no such model"),
            chat_stub.says("Half", finish="length"),
            chat_stub.says("Half", finish="content_filter"),
            chat_stub.refuses("No."),
            chat_stub.calls(("call_1", "get_weather", "{}"), text="I look it up."),
            chat_stub.calls(("call_1", "get_weather", _large(12))),
        ):
            run = self._once("create_run", thread_id, body=body | {"additional_messages": [expected.ROLE_USER]})
            self._chat.replies = [reply, chat_stub.says("Sunny.")]
            if runs.execute(run)["status"] == "requires_action":
                assert runs.submit(run, {"call_1": _large(13) if "instructions" in body else "sunny"}).status == 200
                runs.execute(run)
                body = body | {"instructions": _large(11), "metadata": {"a": "b"}, "max_completion_tokens": 100}
        cancelled = runs.run(thread_id, assistant_id)
        runs.create("cancel_run", thread_id, cancelled["id"])
        runs.run(thread_id, assistant_id)
        self._once("create_thread_and_run", body=body | {"thread": {"messages": [expected.ROLE_USER]}})
        self.active(patch)
        self._clock.forward(SECONDS_TO_EXPIRY)

    def active(self, _: pytest.MonkeyPatch) -> None:
        """Write a run that waits for outputs."""
        runs = Runs(self._client)
        self._chat.replies = [chat_stub.calls(("call_1", "get_weather", "{}"))]
        runs.execute(runs.run(runs.thread(), runs.assistant(tools=[WEATHER])))

    def plain(self, _: pytest.MonkeyPatch) -> None:
        thread_id = self._client.thread()
        for number in range(18):  # more than a head remembers
            self._client.message(thread_id, f"{number}")
            self._clock.forward(0.25)
        self._delete(thread_id, self._client.page(thread_id)["data"][3]["id"])
        self._client.thread(metadata={"topic": "empty"}, tool_resources={"file_search": {"vector_store_ids": ["vs_1"]}})

    def full(self, patch: pytest.MonkeyPatch) -> None:
        client = self._client
        first = [{"role": "user", "content": "first"}, {"role": "assistant", "content": "second"}]
        body = {"messages": first, "metadata": {_INDEXED: _USER, "a": "b"}, "tool_resources": {}}
        thread_id = self._once("create_thread", body=body)["id"]
        client.create("modify_thread", thread_id, body={"tool_resources": {"code_interpreter": {"file_ids": []}}})
        self._once("create_message", thread_id, body={"role": "user", "content": "once"})
        files = [{"file_id": "file-3", "tools": [{"type": "code_interpreter"}]}, {}]
        client.message(thread_id, _REPETITIVE, attachments=files, metadata={"c": "d"})
        client.message(thread_id, _PARTS)
        self._trusted.create("create_message", thread_id, body=_ANSWER)
        self._delete(thread_id, self._trusted.message(thread_id, "deleted", role="assistant", run_id=_RUN)["id"])
        _small_items(patch)
        seen, edited, shortened, deleted = (client.message(thread_id, _large(seed))["id"] for seed in range(4))
        with _queued():
            client.create("modify_message", thread_id, seen, body={"metadata": {"seen": "yes"}})
            client.create("modify_message", thread_id, edited, body={"content": _large(5), "metadata": {}})
            client.create("modify_message", thread_id, shortened, body={"content": "short"})
            self._delete(thread_id, deleted)
        self.commands = [json.dumps(queues.command(client, thread_id, "by a command", command_id="c-1"))]
        queues.put(self.commands[0])
        assert (queues.deliver(), queues.rejected()) == ([], [])

    def staged(self, patch: pytest.MonkeyPatch) -> None:
        patch.setattr("shared.store.threads._WRITES_IN_ONE", 0)
        self._client.thread(messages=[{"role": "user", "content": "staged"}] * 2, metadata={_INDEXED: _USER})

    def pending(self, patch: pytest.MonkeyPatch) -> None:
        patch.setattr("shared.store.threads._WRITES_IN_ONE", 0)
        with fault_injection.inject(Fault("TransactWriteItems", fault_injection.timeout, at=2, times=0)):
            assert self._client.call("create_thread", body={"messages": [expected.ROLE_USER] * 2}).status == 503

    def tombstone(self, patch: pytest.MonkeyPatch) -> None:
        _small_items(patch)
        thread_id = self._client.thread(metadata={_INDEXED: _USER})
        self._trusted.create("create_message", thread_id, body=_ANSWER)
        self._client.message(thread_id, _large(6))
        with _queued():
            self._client.create("delete_thread", thread_id)

    def imported(self, patch: pytest.MonkeyPatch) -> None:
        _small_items(patch)
        messages = [
            imported.message("msg_abc", "first", imported.CREATED, metadata={"a": "b"}),
            imported.message("msg_def", _large(7), imported.CREATED, run_id=_RUN, role="assistant"),
            imported.message("msg_ghi", "deleted", imported.CREATED + 1),
        ]
        imported.brought(self._client, imported.thread(metadata={_INDEXED: _USER}), *messages)
        with _queued():
            self._delete(imported.THREAD, "msg_ghi")
        self._client.message(imported.THREAD, "since then")

    def foreign(self, _: pytest.MonkeyPatch) -> None:
        other = Client("beta", secret=_KEYS["other"])
        other.thread(metadata={_INDEXED: _USER}, messages=[expected.ROLE_USER])

    def _once(self, function: str, *ids: str, **options: Any) -> dict[str, Any]:
        step = _step("plain", function, *ids, headers={"idempotency-key": f"key {len(self.creates)}"}, **options)
        self.creates.append(step)
        created: dict[str, Any] = step["answer"]
        return created

    def _delete(self, thread_id: str, message_id: str) -> None:
        self._client.create("delete_message", thread_id, message_id)
        self.deleted.append((thread_id, message_id))


def _reads(items: list[Item], deleted: list[tuple[str, str]]) -> Iterator[Step]:
    """Read all objects, and try to read deleted objects and those of another project."""
    for key in _KEYS:
        yield _step(key, "list_threads")
    for order in ("asc", "desc"):
        yield from _pages("list_threads", order=order, limit=2)
        yield from _pages("list_threads", order=order, limit=1, **{f"metadata[{_INDEXED}]": _USER})
    for thread_id in _threads(items):
        yield _step("other", "retrieve_thread", thread_id)
        yield _step("plain", "retrieve_thread", thread_id)
        yield from _pages("list_messages", thread_id, order="asc", limit=8)
        yield from _pages("list_messages", thread_id, run_id=_RUN)
    for thread_id, message_id in [*_messages(items), *deleted]:
        yield _step("plain", "retrieve_message", thread_id, message_id)
        yield _step("plain", "list_messages", thread_id, query={"before": message_id, "limit": 1})
    yield from _reads_of_runs(items)


def _reads_of_runs(items: list[Item]) -> Iterator[Step]:
    """Read all assistants, and all runs that have ended. Responses for other runs change with time."""
    over = _runs(items, by=time.time())
    for key in ("plain", "other"):
        for assistant_id in _assistants(items):
            yield _step(key, "retrieve_assistant", assistant_id)
        for thread_id, run_id in over:
            yield _step(key, "retrieve_run", thread_id, run_id)
            steps = _step(key, "list_run_steps", thread_id, run_id)
            for step in steps["answer"].get("data", []):
                yield _step(key, "retrieve_run_step", thread_id, run_id, step["id"])
            yield steps
    for order in ("asc", "desc"):
        yield from _pages("list_assistants", order=order, limit=2)
        for thread_id in dict(over):
            yield from _pages("list_runs", thread_id, order=order, limit=4)


def _writes(items: list[Item], creates: list[Step]) -> Iterator[Step]:
    """Repeat the creates that must happen once, modify all objects, then delete all."""
    for made in creates:
        other = {"body": made["options"]["body"] | {"metadata": {"not": "the same"}}}
        for options in (made["options"], made["options"] | other):
            yield _step("plain", made["function"], *made["ids"], **options)
    yield from _writes_of_runs(items)
    for number, (thread_id, message_id) in enumerate(_messages(items)):
        for body in ({"metadata": {"number": f"{number}"}}, {"content": _REPETITIVE if number % 2 else "short"}):
            yield _step("plain", "modify_message", thread_id, message_id, body=body)
    for thread_id in _threads(items):
        moved = {"metadata": {_INDEXED: _MOVED}, "tool_resources": None}
        yield _step("plain", "modify_thread", thread_id, body=moved)
        yield _step("plain", "retrieve_thread", thread_id)
    for user in (_USER, _MOVED):
        yield _step("plain", "list_threads", query={f"metadata[{_INDEXED}]": user})
    yield from _deletions(items)


def _writes_of_runs(items: list[Item]) -> Iterator[Step]:
    outputs = {"tool_outputs": [{"tool_call_id": "call_1", "output": "sunny"}]}
    for run in _runs(items):
        yield _step("plain", "modify_run", *run, body={"metadata": {"c": "d"}})
        yield _step("plain", "submit_tool_outputs", *run, body=outputs)
        yield _step("plain", "cancel_run", *run)
    for assistant_id in _assistants(items):
        yield _step("plain", "modify_assistant", assistant_id, body={"instructions": "short", "metadata": None})
        for function in ("delete_assistant", "retrieve_assistant"):
            yield _step("plain", function, assistant_id)


def _deletions(items: list[Item]) -> Iterator[Step]:
    for thread_id, message_id in _messages(items):
        for _ in range(2):
            yield _step("plain", "delete_message", thread_id, message_id)
    for thread_id in _threads(items):
        yield _step("plain", "list_messages", thread_id, query={"limit": 2})
        yield _step("plain", "list_messages", thread_id, query={"run_id": _RUN})
        for key in ("other", "plain"):
            yield _step(key, "delete_thread", thread_id)
    for key in ("plain", "other"):
        yield _step(key, "list_threads")


@contextmanager
def _queued() -> Iterator[None]:
    """Queue the erasures that follow from the changes made here."""
    with stream.changes("QueueJobs") as records:
        yield
    queue_changes(*(record["dynamodb"] for record in records))


def _step(key: str, function: str, *ids: str, **options: Any) -> Step:
    """Make a call and return it with its response."""
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


def _assistants(items: list[Item]) -> list[str]:
    return [item["messageId"]["S"] for item in items if item["messageId"]["S"].startswith("asst_")]


def _runs(items: list[Item], by: float = math.inf) -> list[tuple[str, str]]:
    """Return thread and id of each run that has to be over at a moment."""
    runs = [item for item in items if item["messageId"]["S"].startswith("run_") and int(item["expiresAt"]["N"]) <= by]
    return [(item["threadId"]["S"].partition("#")[2], item["messageId"]["S"]) for item in runs]


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
    """Store a content in parts from 300 bytes on. The dump is then small, and the form of the parts is the same."""
    patch.setattr("shared.store.items._INLINE_BYTES", 300)
    patch.setattr("shared.store.items._CHUNK_BYTES", 250)
    patch.setattr("shared.runs.store.documents.INLINE_IN_A_RUN", 300)


if __name__ == "__main__":
    main(sys.argv[1])
