"""Conversations over HTTP that go on while the service is killed, and all that was sent and acknowledged in them."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.promises.threads import incompressible

Json = dict[str, Any]

_SECONDS_FOR_AN_ATTEMPT = 15.0
_PAUSE = 0.05
# It starts in a few seconds, and may be killed again before it comes to a request.
_SECONDS_TO_COME_BACK = 600.0
_LARGE = incompressible(1, 150_000)  # it is stored in parts


@dataclass
class Sent:
    """A create: `name` is told by what was sent, and no other create has it.

    `answer` is what acknowledged it, `began` and `ended` are when it was sent and acknowledged.
    """

    name: str
    keyed: bool
    began: float = field(default_factory=time.monotonic)
    ended: float = 0.0
    answer: Json | None = None
    deleted: bool = False
    # What its metadata may be: what was acknowledged last, and what was sent since.
    metadata: list[Json] = field(default_factory=lambda: [{}])

    def acknowledge(self, answer: Json) -> None:
        self.answer, self.ended = answer, time.monotonic()


class Caller:
    """A client that says what is known of an attempt, until `given_up`; `draw` is its own random generator."""

    def __init__(self, base_url: str, key: str, seed: str, given_up: threading.Event) -> None:
        self.draw = random.Random(seed)
        self._given_up = given_up
        self.failures: Counter[str] = Counter()  # of the request that is insisted on
        headers = {"Authorization": f"Bearer {key}"}
        self._http = httpx.Client(base_url=base_url, headers=headers, timeout=_SECONDS_FOR_AN_ATTEMPT)

    def close(self) -> None:
        self._http.close()

    def attempt(self, method: str, path: str, **options: Any) -> httpx.Response | None:
        """Send a request once; None when it was not answered, or with a 503: it may have been done or not."""
        try:
            answer = self._http.request(method, path, **options)
        except httpx.TransportError as error:
            self.failures[type(error).__name__] += 1
        else:
            if answer.status_code != 503:
                return answer
            self.failures[answer.text] += 1
        time.sleep(_PAUSE)
        return None

    def insist(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send a request until it is answered."""
        end = time.monotonic() + _SECONDS_TO_COME_BACK
        self.failures.clear()
        while (answer := self.attempt(method, path, **options)) is None:
            assert not self._given_up.is_set()
            assert time.monotonic() < end, f"{method} {path} does not succeed any more: {self.failures}"
        return answer

    def create(self, path: str, sent: Sent, body: Json) -> Json | None:
        """Create once, with an Idempotency-Key as often as it takes; return what was acknowledged."""
        if sent.keyed:
            answer: httpx.Response | None = self.insist(
                "POST", path, json=body, headers={"Idempotency-Key": f"key {sent.name}"}
            )
        else:
            answer = self.attempt("POST", path, json=body)
        if answer is None:
            return None
        assert answer.status_code == 200, answer.text
        sent.acknowledge(answer.json())
        return sent.answer

    def page(self, path: str, **query: Any) -> Json:
        """Return one page of a list."""
        answer = self.insist("GET", path, params=query)
        assert answer.status_code == 200, answer.text
        page: Json = answer.json()
        assert page["data"] or not page["has_more"]
        return page

    def pages(self, path: str, cursor: str = "after", **query: Any) -> list[Json]:
        """Return all of a list, page by page: forwards by `after`, backwards by `before`."""
        found: list[Json] = []
        while True:
            page = self.page(path, **query)
            found = found + page["data"] if cursor == "after" else page["data"] + found
            if not page["has_more"]:
                return found
            query = query | {cursor: page["last_id" if cursor == "after" else "first_id"]}


@dataclass
class Thread:
    """A thread in which several write; `read` is what a follower of it saw, in order."""

    id: str
    writers: list[list[Sent]] = field(default_factory=list)
    read: list[str] = field(default_factory=list)

    @property
    def path(self) -> str:
        return f"/threads/{self.id}/messages"


class Conversations:
    """Writers and followers of a few threads, and people who make threads and delete them, until `end` is called."""

    def __init__(self, base_url: str, key: str, seed: int) -> None:
        self.threads: list[Thread] = []
        self.owners: list[list[Sent]] = []
        self._given_up = threading.Event()
        self._made = (Caller(base_url, key, f"{seed} {number}", self._given_up) for number in range(1_000))
        self._ended, self._written = threading.Event(), threading.Event()
        self._errors: list[BaseException] = []
        self._writing: list[threading.Thread] = []
        self._following: list[threading.Thread] = []
        self.caller = next(self._made)

    def begin(self, threads: int, writers: int, owners: int) -> None:
        """Begin with so many threads, writers and one follower in each, and people who make threads of their own."""
        for number in range(threads):
            thread = Thread(self.caller.insist("POST", "/threads", json={}).json()["id"])
            self.threads.append(thread)
            self._following.append(self._run(self._follow, thread))
            for writer in range(writers):
                thread.writers.append([])
                self._writing.append(self._run(self._write, thread, thread.writers[-1], f"{number}-{writer}"))
        for number in range(owners):
            self.owners.append([])
            self._writing.append(self._run(self._own, self.owners[-1], f"owner-{number}"))

    def end(self) -> None:
        """Let all come to their ends, which they reach when the service is there. Raises what went wrong in them."""
        self._ended.set()
        for thread in self._writing:
            thread.join()
        self._written.set()
        for thread in self._following:
            thread.join()
        self._raise()

    def close(self) -> None:
        """Let all end, without the service if need be."""
        self._given_up.set()
        self._ended.set()
        self._written.set()
        for thread in self._writing + self._following:
            thread.join()
        self.caller.close()

    def acknowledged(self) -> int:
        """Return how many creates of messages were acknowledged so far. Raises what went wrong meanwhile."""
        self._raise()
        return sum(sent.answer is not None for thread in self.threads for own in thread.writers for sent in own)

    def _raise(self) -> None:
        if self._errors:
            raise self._errors[0]

    def _run(self, work: Callable[..., None], *arguments: Any) -> threading.Thread:
        def run() -> None:
            try:
                work(next_caller, *arguments)
            except BaseException as error:  # noqa: BLE001 - it is raised again where the test waits
                self._errors.append(error)
            finally:
                next_caller.close()

        next_caller = next(self._made)
        thread = threading.Thread(target=run)
        thread.start()
        return thread

    def _write(self, caller: Caller, thread: Thread, own: list[Sent], name: str) -> None:
        while not self._ended.is_set():
            sent = Sent(f"{name}-{len(own)}", keyed=caller.draw.random() < 0.5)
            own.append(sent)
            text = sent.name if caller.draw.random() < 0.95 else f"{sent.name} {_LARGE}"
            created = caller.create(thread.path, sent, {"role": "user", "content": text})
            if created and caller.draw.random() < 0.3:
                shown = caller.insist("GET", f"{thread.path}/{created['id']}")
                assert (shown.status_code, shown.json()) == (200, created), f"{created} is shown as {shown.text}"
            known = [before for before in own[-20:] if before.answer and not before.deleted]
            if known and caller.draw.random() < 0.2:
                _modify(caller, thread, caller.draw.choice(known))
            elif known and caller.draw.random() < 0.1:
                _delete(caller, thread, caller.draw.choice(known))
            time.sleep(caller.draw.uniform(0, 0.1))

    def _follow(self, caller: Caller, thread: Thread) -> None:
        while True:
            written = self._written.is_set()
            after = {"after": thread.read[-1]} if thread.read else {}
            query = {"order": "asc", "limit": caller.draw.randint(1, 30), **after}
            page = caller.page(thread.path, **query)
            thread.read += [message["id"] for message in page["data"]]
            if not page["data"]:
                if written:
                    return
                time.sleep(0.1)

    def _own(self, caller: Caller, own: list[Sent], name: str) -> None:
        """Make threads, each listed under this name, with two messages; delete some of them."""
        while not self._ended.is_set():
            sent = Sent(f"{name}-{len(own)}", keyed=caller.draw.random() < 0.5)
            sent.metadata = [{"user_id": name, "name": sent.name}]
            own.append(sent)
            first = [{"role": "user", "content": sent.name}] * 2
            body = {"metadata": sent.metadata[0], "messages": first}
            created = caller.create("/threads", sent, body)
            if created and caller.draw.random() < 0.3:
                answer = caller.insist("DELETE", f"/threads/{created['id']}")
                assert answer.status_code in {200, 404}, answer.text  # 404: an attempt before had done it
                sent.deleted = True
            time.sleep(caller.draw.uniform(0, 0.2))


def _modify(caller: Caller, thread: Thread, sent: Sent) -> None:
    metadata = {"number": f"{caller.draw.random()}"}
    sent.metadata.append(metadata)
    path = f"{thread.path}/{(sent.answer or {})['id']}"
    answer = caller.attempt("POST", path, json={"metadata": metadata})
    if answer is not None:
        assert (answer.status_code, answer.json().get("metadata")) == (200, metadata), answer.text
        sent.metadata = [metadata]


def _delete(caller: Caller, thread: Thread, sent: Sent) -> None:
    answer = caller.insist("DELETE", f"{thread.path}/{(sent.answer or {})['id']}")
    assert answer.status_code in {200, 404}, answer.text  # 404: an attempt before had done it
    sent.deleted = True
