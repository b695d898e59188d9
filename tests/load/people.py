"""locust runs this for `make load`: people hold conversations and check each response. LOAD_LOG names the log."""

import os
import random
import time
import uuid
from typing import Any

import gevent
import psutil
from locust import FastHttpUser, LoadTestShape, between, events, task

_BUSY = {429, 503}
_WORDS = ["how", "does", "it", "work", "when", "messages", "are", "kept", "in", "order", "for", "all", "who", "read"]
_users, _steady, _burst, _after = map(int, os.environ["LOAD_STAGES"].split())
_log = os.open(os.environ["LOAD_LOG"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)


def _note(name: str, status: int = 0, figure: float = 0.0) -> None:
    os.write(_log, f"{time.time():.3f}\t{name}\t{status}\t{figure:.1f}\n".encode())


@events.test_start.add_listener
def _watch(**_: Any) -> None:
    """Log the memory in megabytes and the processor seconds of the processes that LOAD_PROCESSES names."""
    _note("start")
    processes = [
        (name, psutil.Process(int(pid))) for name, pid in map(str.split, os.environ["LOAD_PROCESSES"].split(","))
    ]

    def sample() -> None:
        while True:
            for name, process in processes:
                _note(f"memory {name}", figure=process.memory_info().rss / 1e6)
                _note(f"processor {name}", figure=sum(process.cpu_times()[:2]))
            gevent.sleep(5)

    gevent.spawn(sample)


@events.request.add_listener
def _requested(name: str, response_time: float, response: Any, **_: Any) -> None:
    _note(f"request {name}", getattr(response, "status_code", 0) or 0, response_time)


@events.user_error.add_listener
def _failed(exception: BaseException, **_: Any) -> None:
    _note(f"error {type(exception).__name__}: {exception}".replace("\n", " ").replace("\t", " "))


class Stages(LoadTestShape):
    """A steady number of people, ten times as many for a while, then as many as before."""

    def tick(self) -> tuple[int, float] | None:
        seconds = self.get_run_time()
        if seconds < _steady:
            return _users, 2
        if seconds < _steady + _burst:
            return 10 * _users, 10 * _users
        return (_users, 10 * _users) if seconds < _steady + _burst + _after else None


class _BusyError(Exception):
    """The service is busy, which is allowed in a burst. The text is its `retry-after`."""


class Person(FastHttpUser):
    """Has one conversation at a time, and begins another one now and then."""

    wait_time = between(2, 6)
    network_timeout = connection_timeout = 60.0

    def on_start(self) -> None:
        self._name, self._thread, self._assistant = uuid.uuid4().hex, "", ""
        self._threads: list[str] = []

    @task
    def turn(self) -> None:
        try:
            if not self._thread:
                self._begin()
            self._talk()
            actions = (self._list, self._retrieve, self._modify, self._delete, self._list_threads, self._rename)
            random.choice((*actions, self._run, self._run))()
            if random.random() < 0.1:
                self._end()
        except _BusyError as busy:
            self._thread = ""  # the request may or may not have been done, so the state of this conversation is unknown
            gevent.sleep(min(float(str(busy) or 1), 5.0))

    def _begin(self) -> None:
        self._thread = self._create("create thread", "/threads", {"metadata": {"user_id": self._name}})["id"]
        self._threads.append(self._thread)
        self._messages: list[dict[str, Any]] = []
        self._read = 0

    def _talk(self) -> None:
        """Write, let an assistant answer, and poll. The page must have each message since the last poll once."""
        for role in ("user", "assistant"):
            body = {"role": role, "content": _text(), "metadata": {"client": "load"}}
            self._messages.append(self._create("create message", f"{self._path}/messages", body))
        cursor = {"after": self._messages[self._read - 1]["id"]} if self._read else {}
        page = self._ask("poll after", "GET", f"{self._path}/messages", order="asc", limit=100, **cursor)
        assert (page["data"], page["has_more"]) == (self._messages[self._read :], False), "a poll shows other messages"
        self._read = len(self._messages)

    def _list(self) -> None:
        page = self._ask("list messages", "GET", f"{self._path}/messages", limit=20)
        assert page["data"] == self._messages[-20:][::-1], "a list shows other messages"

    def _retrieve(self) -> None:
        message = random.choice(self._messages)
        assert self._ask("retrieve message", "GET", self._of(message)) == message, "a message differs"

    def _modify(self) -> None:
        place = random.randrange(len(self._messages))
        wanted = self._messages[place] | {"metadata": {"seen": f"{random.random()}"}}
        modified = self._ask("modify message", "POST", self._of(wanted), json={"metadata": wanted["metadata"]})
        assert modified == wanted, "a modified message differs"
        self._messages[place] = wanted

    def _delete(self) -> None:
        message = self._messages.pop(random.randrange(len(self._messages) - 1))  # not the next poll's cursor
        self._read -= 1
        deleted = {"id": message["id"], "object": "thread.message.deleted", "deleted": True}
        assert self._ask("delete message", "DELETE", self._of(message)) == deleted, "a deletion differs"

    def _list_threads(self) -> None:
        query = {"metadata[user_id]": self._name, "limit": 100}
        listed = [thread["id"] for thread in self._ask("list threads", "GET", "/threads", **query)["data"]]
        # In a burst, a create without a response may have made a further message.
        known = [thread for thread in listed if thread in self._threads]
        assert known == self._threads[::-1][: len(listed)], "other threads are listed"

    def _rename(self) -> None:
        body = {"metadata": {"user_id": self._name, "title": _text()[:100]}}
        modified = self._ask("modify thread", "POST", self._path, json=body)
        assert self._ask("retrieve thread", "GET", self._path) == modified, "a thread differs"

    def _run(self) -> None:
        """Let the demo model answer. The completed run's message must be the newest."""
        if not self._assistant:
            body = {"model": "demo", "instructions": "Repeat."}
            self._assistant = self._ask("create assistant", "POST", "/assistants", json=body)["id"]
        path = f"{self._path}/runs"
        run = self._create("create run", path, {"assistant_id": self._assistant})
        while run["status"] in {"queued", "in_progress"}:
            gevent.sleep(0.5)
            run = self._ask("retrieve run", "GET", f"{path}/{run['id']}")
        (answer,) = self._ask("list messages", "GET", f"{self._path}/messages", limit=1)["data"]
        assert (run["status"], answer["run_id"]) == ("completed", run["id"]), "a run has no answer"
        self._messages.append(answer)

    def _end(self) -> None:
        if random.random() < 0.5:
            deleted = {"id": self._thread, "object": "thread.deleted", "deleted": True}
            assert self._ask("delete thread", "DELETE", self._path) == deleted, "a deletion differs"
            self._threads.remove(self._thread)
        self._thread = ""

    def _create(self, name: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Create an object, now and then with an Idempotency-Key. Some of the creates with a key are sent again."""
        if random.random() < 0.7:
            return self._ask(name, "POST", path, json=body)
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        created = self._ask(name, "POST", path, json=body, headers=headers)
        if random.random() < 0.3:
            again = self._ask(f"{name} again", "POST", path, json=body, headers=headers)
            assert again == created, "a repeated create differs"
        return created

    def _ask(self, name: str, method: str, path: str, **given: Any) -> dict[str, Any]:
        """Send a request and return the body of its response. Raises `_BusyError`."""
        options = {key: given.pop(key) for key in ("json", "headers") if key in given}
        options["headers"] = {"Authorization": "Bearer sk-load", **options.get("headers", {})}
        with self.client.request(method, path, name=name, params=given, catch_response=True, **options) as response:
            if response.status_code in _BUSY:
                response.success()  # the report counts it by its status
                raise _BusyError(response.headers.get("retry-after") or "")
            assert response.status_code == 200, f"{name}: status {response.status_code}"
            body: dict[str, Any] = response.json()
            return body

    @property
    def _path(self) -> str:
        return f"/threads/{self._thread}"

    def _of(self, message: dict[str, Any]) -> str:
        return f"{self._path}/messages/{message['id']}"


def _text() -> str:
    """Return some prose: mostly some hundred characters, now and then several thousand."""
    return " ".join(random.choices(_WORDS, k=max(1, min(int(random.lognormvariate(3.5, 1)), 3_000))))
