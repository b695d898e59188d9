"""The contract as a plain model in memory. It returns the whole responses of any server that keeps the contract.

The server chooses ids. So a create of the model gets the server's response, and returns whether such a response is
allowed. The model computes all other responses itself, from the earlier requests.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tests.support import expected
from tests.support.client import Answer
from tests.support.expected import compact, text

DAY = 86_400
INDEXED = "user_id"
Body = dict[str, Any]


class Reply(NamedTuple):
    """The expected response: the status, the text of the body, and whether it is a replay."""

    status: int
    text: str
    replayed: bool = False


class Came(NamedTuple):
    """The response that came, and the times before and after its request, in seconds since 1970."""

    answer: Answer
    began: float
    ended: float


@dataclass
class Thread:
    """A thread: its wire object, its messages in their order, and the second of its last create."""

    shown: Body
    active: int
    messages: list[Body] = field(default_factory=list)
    deleted: bool = False
    # This remains if the last message is deleted, because later ids and times are never lower.
    last_id: str = ""
    last_second: int = 0

    def find(self, message_id: str) -> Body | None:
        return next((message for message in self.messages if message["id"] == message_id), None)


class _Once(NamedTuple):
    body: str
    text: str
    expires: int


class Model:
    """All projects. Times are seconds since 1970; `retention` is in seconds, 0 keeps everything."""

    def __init__(self, retention: int = 0) -> None:
        self._retention = retention
        self._threads: dict[tuple[str, str], Thread] = {}
        self._once: dict[tuple[str, ...], _Once] = {}

    # Threads

    def create_thread(self, project: str, body: Body, key: str | None, came: Came) -> Reply:
        scope = (project, "", key or "")
        if repeat := self._repeat(scope, body, came.began):
            return repeat
        own_id, created = str(came.answer.body["id"]), created_at(came, 0)
        assert (project, own_id) not in self._threads
        given = {"metadata": body.get("metadata") or {}, "tool_resources": body.get("tool_resources") or {}}
        thread = Thread(expected.thread(own_id, created, **ordered(given)), int(came.ended))
        thread.last_second = created if body.get("messages") else 0
        # No response has shown the ids of these messages yet. `adopt` learns them.
        thread.messages = [new_message(own_id, "", created, message) for message in body.get("messages") or ()]
        self._threads[project, own_id] = thread
        return self._first(scope, body, came.began, compact(thread.shown))

    def adopt(self, project: str, thread_id: str, listed: list[Body]) -> None:
        """Learn the ids and times of new messages, whose ids no create has returned, from a list, oldest first."""
        thread = self._threads[project, thread_id]
        new = [message for message in thread.messages if not message["id"]]
        for message, found in zip(new, listed[len(listed) - len(new) :], strict=True):
            message["id"] = self._next_id(thread, found["id"])
            # A new second may have begun between these creates.
            assert thread.last_second <= found["created_at"] <= max(thread.active, thread.last_second)
            message["created_at"] = thread.last_second = found["created_at"]
            if message["completed_at"]:
                assert thread.active <= found["completed_at"] <= thread.active + 1
                message["completed_at"] = found["completed_at"]

    def retrieve_thread(self, project: str, thread_id: str, now: float) -> Reply:
        thread = self._open(project, thread_id, now)
        return Reply(200, compact(thread.shown)) if thread else no_thread(thread_id)

    def modify_thread(self, project: str, thread_id: str, body: Body, now: float) -> Reply:
        thread = self._open(project, thread_id, now)
        if not thread:
            return no_thread(thread_id)
        thread.shown |= ordered({name: value or {} for name, value in body.items()})
        return Reply(200, compact(thread.shown))

    def delete_thread(self, project: str, thread_id: str, now: float) -> Reply:
        thread = self._open(project, thread_id, now)
        if not thread:
            return no_thread(thread_id)
        thread.deleted = True
        return Reply(200, compact({"id": thread_id, "object": "thread.deleted", "deleted": True}))

    def list_threads(self, project: str, query: dict[str, str], now: float) -> Reply:
        value = query.get(f"metadata[{INDEXED}]")
        shown = [
            thread.shown
            for (owner, thread_id), thread in sorted(self._threads.items())
            if owner == project and self._open(project, thread_id, now)
            if value is None or thread.shown["metadata"].get(INDEXED) == value
        ]
        return page_of(shown, query)

    # Messages

    def create_message(self, project: str, thread_id: str, body: Body, key: str | None, came: Came) -> Reply:
        thread = self._open(project, thread_id, came.began)
        if not thread:
            return no_thread(thread_id)
        scope = (project, thread_id, key or "")
        if repeat := self._repeat(scope, body, came.began):
            return repeat
        created = created_at(came, thread.last_second)
        message = new_message(thread_id, self._next_id(thread, came.answer.body["id"]), created, body)
        thread.messages.append(message)
        thread.last_second, thread.active = created, int(came.ended)
        return self._first(scope, body, came.began, compact(message))

    def retrieve_message(self, project: str, thread_id: str, message_id: str, now: float) -> Reply:
        return self._on_message(project, thread_id, message_id, now) or Reply(200, compact(self._found))

    def modify_message(self, project: str, thread_id: str, message_id: str, body: Body, now: float) -> Reply:
        if missing := self._on_message(project, thread_id, message_id, now):
            return missing
        if "metadata" in body:
            self._found |= ordered({"metadata": body["metadata"] or {}})
        if "content" in body:
            self._found["content"] = stored_content(body["content"])
        return Reply(200, compact(self._found))

    def delete_message(self, project: str, thread_id: str, message_id: str, now: float) -> Reply:
        if missing := self._on_message(project, thread_id, message_id, now):
            return missing
        self._threads[project, thread_id].messages.remove(self._found)
        return Reply(200, compact({"id": message_id, "object": "thread.message.deleted", "deleted": True}))

    def list_messages(self, project: str, thread_id: str, query: dict[str, str], now: float) -> Reply:
        thread = self._open(project, thread_id, now)
        if not thread:
            return no_thread(thread_id)
        run = query.get("run_id")
        return page_of([message for message in thread.messages if run in (None, message["run_id"])], query)

    # What a test may point at

    @property
    def threads(self) -> list[tuple[str, str]]:
        """Return the project and the id of every thread, including deleted ones."""
        return [*self._threads]

    def open_threads(self, now: float) -> list[tuple[str, str]]:
        """Return the project and the id of every open thread."""
        return [found for found in self._threads if self._open(*found, now)]

    def messages(self, project: str, thread_id: str) -> list[str]:
        """Return the ids of a thread's messages, even if no key can read them."""
        return [message["id"] for message in self._threads[project, thread_id].messages]

    # What all share

    def _open(self, project: str, thread_id: str, now: float) -> Thread | None:
        thread = self._threads.get((project, thread_id))
        if thread is None or thread.deleted or (self._retention and thread.active <= int(now) - self._retention):
            return None
        return thread

    def _on_message(self, project: str, thread_id: str, message_id: str, now: float) -> Reply | None:
        """Return the refusal if there is no such message. Otherwise the message is in `_found`."""
        thread = self._open(project, thread_id, now)
        if not thread:
            return no_thread(thread_id)
        found = thread.find(message_id)
        if not found:
            return Reply(404, compact_error(expected.no_message(message_id)))
        self._found = found
        return None

    def _next_id(self, thread: Thread, own_id: str) -> str:
        assert own_id.removeprefix("msg_") > thread.last_id
        thread.last_id = own_id.removeprefix("msg_")
        return own_id

    def _repeat(self, scope: tuple[str, ...], body: Body, now: float) -> Reply | None:
        once = self._once.get(scope) if scope[-1] else None
        if once is None or once.expires <= int(now):
            return None
        if once.body != _canonical(body):
            return Reply(409, compact_error(expected.KEY_REUSED))
        return Reply(200, once.text, replayed=True)

    def _first(self, scope: tuple[str, ...], body: Body, now: float, answer: str) -> Reply:
        if scope[-1]:
            self._once[scope] = _Once(_canonical(body), answer, int(now) + DAY)
        return Reply(200, answer)


def refusal(message: str, code: str | None = None, status: int = 400) -> Reply:
    """Return the reply that refuses a request."""
    return Reply(status, compact_error(expected.error(message, code=code)))


def compact_error(error: Body) -> str:
    """Return an error's text as the API writes it: with JSON's usual separators, in ASCII."""
    return json.dumps(error)


def stored_content(content: Any) -> list[Body]:
    """Return the content of a request's body in the form of responses."""
    if isinstance(content, str):
        return [text(content)]
    return [text(part["text"]) if part["type"] == "text" else _image(part) for part in content]


def _image(part: Body) -> Body:
    kind = part["type"]
    (name,) = part[kind].keys() - {"detail"}
    return {"type": kind, kind: {name: part[kind][name], "detail": part[kind].get("detail", "auto")}}


def new_message(thread_id: str, own_id: str, created: int, body: Body) -> Body:
    """Return a new message as in responses."""
    own: Body = {
        name: body[name] for name in ("assistant_id", "run_id", "role", "status", "incomplete_details") if name in body
    }
    own["attachments"] = [{**file, "tools": file.get("tools", [])} for file in body.get("attachments") or []]
    own |= ordered({"metadata": body.get("metadata") or {}})
    if own.get("status") == "incomplete":
        own["incomplete_at"] = created
    return expected.message(thread_id, own_id, created, stored_content(body["content"]), **own)


def ordered(maps: Body) -> Body:
    """Return a client's maps as in responses: with sorted keys at every level."""
    return {name: json.loads(_canonical(value)) for name, value in maps.items()}


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def created_at(came: Came, last: int) -> int:
    """Return the `created_at` of the response, after a check: times never go back in a thread."""
    created: int = came.answer.body["created_at"]
    assert max(int(came.began), last) <= created <= max(int(came.ended), last)
    return created


def page_of(shown: Iterable[Body], query: dict[str, str]) -> Reply:
    """Return the page of a list (oldest first) that a query asks for."""
    ascending = query.get("order", "desc") == "asc"
    after, before = query.get("after", ""), query.get("before", "")
    low, high = (after, before) if ascending else (before, after)
    found = [one for one in shown if low < one["id"] and (not high or one["id"] < high)]
    ordered = found if ascending else found[::-1]
    limit = int(query.get("limit", "20"))
    more = len(ordered) > limit
    data = ordered[-limit:] if before and not after else ordered[:limit]
    return Reply(200, compact(expected.page(data, has_more=more)))


def no_thread(thread_id: str) -> Reply:
    """Return the refusal of a thread that does not exist."""
    return Reply(404, compact_error(expected.no_thread(thread_id)))
