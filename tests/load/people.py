"""What locust runs for `make load`: people who hold conversations and check each answer; LOAD_LOG gets the times."""

import os
import random
import time
import uuid
from typing import Any

import gevent
from locust import FastHttpUser, LoadTestShape, between, events, task

_HEADERS = {"Authorization": "Bearer sk-load"}
_BUSY = {429, 503}
_LONGEST_WAIT = 5.0
_WORDS = ["how", "does", "it", "work", "when", "messages", "are", "kept", "in", "order", "for", "all", "who", "read"]

_log = os.open(os.environ["LOAD_LOG"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
_users, _steady, _burst, _after = (int(os.environ[f"LOAD_{name}"]) for name in ("USERS", "STEADY", "BURST", "AFTER"))


class Stages(LoadTestShape):
    """A steady number of people, ten times as many for a while, then as many as before; seconds."""

    def tick(self) -> tuple[int, float] | None:
        """Return how many people there are to be now, and how many may come or go in a second."""
        seconds = self.get_run_time()
        if seconds < _steady:
            return _users, 2
        if seconds < _steady + _burst:
            return 10 * _users, 10 * _users
        return (_users, 10 * _users) if seconds < _steady + _burst + _after else None


class _BusyError(Exception):
    """The service asked to come again later, as it may in a burst; the text is its `retry-after`."""


class Person(FastHttpUser):
    """Somebody with a conversation, who begins another one now and then."""

    wait_time = between(2, 6)
    network_timeout = 60.0
    connection_timeout = 60.0

    def on_start(self) -> None:
        """Be known by a name of one's own; have no conversation yet."""
        self._draw = random.Random()
        self._name = uuid.uuid4().hex
        self._threads: list[str] = []
        self._thread = ""

    @task
    def turn(self) -> None:
        """Say something, get an answer, and look at what there is."""
        try:
            if not self._thread:
                self._begin()
            self._talk()
            look = (self._list, self._retrieve, self._modify, self._delete, self._threads_of_mine, self._the_thread)
            self._draw.choice(look)()
            if self._draw.random() < 0.1:
                self._end()
        except _BusyError as busy:
            # What was sent may have been done or not: this conversation is over.
            self._thread = ""
            gevent.sleep(min(float(str(busy) or 1), _LONGEST_WAIT))

    def _begin(self) -> None:
        thread = self._create("create thread", "/threads", {"metadata": {"user_id": self._name}})
        self._thread = thread["id"]
        self._threads.append(self._thread)
        self._messages: list[dict[str, Any]] = []
        self._read = 0

    def _talk(self) -> None:
        """Write, let an assistant answer, and poll for what is new: it is what was written since, each once."""
        for role in ("user", "assistant"):
            body = {"role": role, "content": self._text(), "metadata": {"client": "load"}}
            self._messages.append(self._create("create message", f"{self._thread_path}/messages", body))
        new = self._messages[self._read :]
        cursor = {"after": self._messages[self._read - 1]["id"]} if self._read else {}
        page = self._ask("poll after", "GET", f"{self._thread_path}/messages", order="asc", limit=100, **cursor)
        assert page["data"] == new, "a poll shows something else than what was written"
        assert not page["has_more"]
        self._read = len(self._messages)

    def _list(self) -> None:
        page = self._ask("list messages", "GET", f"{self._thread_path}/messages", limit=20)
        assert page["data"] == self._messages[-20:][::-1]

    def _retrieve(self) -> None:
        message = self._draw.choice(self._messages)
        assert self._ask("retrieve message", "GET", self._path_of(message)) == message

    def _modify(self) -> None:
        place = self._draw.randrange(len(self._messages))
        wanted = self._messages[place] | {"metadata": {"seen": f"{self._draw.random()}"}}
        body = {"metadata": wanted["metadata"]}
        assert self._ask("modify message", "POST", self._path_of(wanted), json=body) == wanted
        self._messages[place] = wanted

    def _delete(self) -> None:
        # Not the last one, whose id is the cursor of the next poll: that would hold too, but be another thing to check.
        message = self._messages.pop(self._draw.randrange(len(self._messages) - 1))
        self._read -= 1
        answer = self._ask("delete message", "DELETE", self._path_of(message))
        assert answer == {"id": message["id"], "object": "thread.message.deleted", "deleted": True}

    def _threads_of_mine(self) -> None:
        query = {"metadata[user_id]": self._name, "limit": 100}
        page = self._ask("list threads", "GET", "/threads", **query)
        listed = [thread["id"] for thread in page["data"]]
        # Of a create that was not answered in a burst nothing is known.
        assert [thread for thread in listed if thread in self._threads] == self._threads[::-1][: len(listed)]

    def _the_thread(self) -> None:
        body = {"metadata": {"user_id": self._name, "title": self._text()[:100]}}
        modified = self._ask("modify thread", "POST", self._thread_path, json=body)
        assert self._ask("retrieve thread", "GET", self._thread_path) == modified

    def _end(self) -> None:
        if self._draw.random() < 0.5:
            answer = self._ask("delete thread", "DELETE", self._thread_path)
            assert answer == {"id": self._thread, "object": "thread.deleted", "deleted": True}
            self._threads.remove(self._thread)
        self._thread = ""

    def _create(self, name: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Create something; now and then with an Idempotency-Key, and some of these are sent again."""
        if self._draw.random() < 0.7:
            return self._ask(name, "POST", path, json=body)
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        created = self._ask(name, "POST", path, json=body, headers=headers)
        if self._draw.random() < 0.3:
            assert self._ask(f"{name} again", "POST", path, json=body, headers=headers) == created
        return created

    def _ask(self, name: str, method: str, path: str, **given: Any) -> dict[str, Any]:
        """Send a request and return the body of its answer. Raises `_BusyError`."""
        options = {key: given.pop(key) for key in ("json", "headers") if key in given}
        options["headers"] = _HEADERS | options.get("headers", {})
        with self.client.request(method, path, name=name, params=given, catch_response=True, **options) as answer:
            if answer.status_code in _BUSY:
                answer.success()  # it is counted by its status
                raise _BusyError(answer.headers.get("retry-after") or "")
            assert answer.status_code == 200, f"{name} was answered {answer.status_code}"
            body: dict[str, Any] = answer.json()
            return body

    @property
    def _thread_path(self) -> str:
        return f"/threads/{self._thread}"

    def _path_of(self, message: dict[str, Any]) -> str:
        return f"{self._thread_path}/messages/{message['id']}"

    def _text(self) -> str:
        """Return some prose: mostly some hundred characters, now and then several thousand."""
        words = min(int(self._draw.lognormvariate(3.5, 1)), 3_000)
        return " ".join(self._draw.choices(_WORDS, k=max(words, 1)))


@events.test_start.add_listener
def _started(**_: Any) -> None:
    _note("start", 0, 0)


@events.request.add_listener
def _requested(name: str, response_time: float, response: Any, **_: Any) -> None:
    _note(name, getattr(response, "status_code", 0) or 0, response_time)


@events.user_error.add_listener
def _failed(exception: BaseException, **_: Any) -> None:
    _note(f"error: {type(exception).__name__}: {exception}", 0, 0)


def _note(name: str, status: int, milliseconds: float) -> None:
    os.write(_log, f"{time.time():.3f}\t{status}\t{milliseconds:.1f}\t{name}\n".encode())
