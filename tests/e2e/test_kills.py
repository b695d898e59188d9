"""Acknowledged changes survive a kill -9 of the local API and its engine, at random moments of conversations and runs.

KILLS is the number of kills. KILLS_SEED repeats their moments. `make kills` kills 50 times.
"""

import os
import random
import signal
import sys
import threading
import time
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
import pytest

from tests.e2e import runs_under_kills
from tests.promises.threads import check_ends, incompressible
from tests.support import processes, program
from tests.support.chat_stub import chatting
from tests.support.local_api import LocalApi, serving
from tools import environment
from tools.local import template
from tools.local.dynamodb import engine

Json = dict[str, Any]

KILLS = int(os.environ.get("KILLS") or 2)
SEED = int(os.environ.get("KILLS_SEED") or random.randrange(1_000_000))
VICTIMS = ("api", "engine", "both")
OWNERS = ("owner-0", "owner-1")
WORKERS = (
    *OWNERS,
    *(f"writer-{thread}-{number}" for thread in range(2) for number in range(3)),
    "follower-0",
    "follower-1",
)
LARGE = incompressible(1)  # it is stored in chunks
# The local API starts in a few seconds, but may be killed again before it processes a request.
SECONDS_TO_COME_BACK = 600.0


@dataclass
class Sent:
    """A create. Its unique name is in the sent object. `metadata` has the values that the object may have when read."""

    name: str
    keyed: bool
    metadata: list[Json]
    began: float = field(default_factory=time.monotonic)
    ended: float = 0.0
    response: Json = field(default_factory=dict)  # empty until it is acknowledged
    deleted: bool = False


@dataclass
class Work:
    """The creates that one worker sent. If the worker follows a thread, also the ids that it read there."""

    name: str
    draw: random.Random
    sent: list[Sent] = field(default_factory=list)
    read: list[str] = field(default_factory=list)

    def next(self) -> Sent:
        name = f"{self.name}-{len(self.sent)}"
        metadata = [{"user_id": self.name, "name": name} if self.name in OWNERS else {}]
        self.sent.append(Sent(name, self.draw.random() < 0.5, metadata))
        return self.sent[-1]


class Service:
    """The API for clients that continue while it is killed. `ended` makes them stop; `given_up` makes them fail."""

    def __init__(self, base_url: str) -> None:
        headers = {"Authorization": "Bearer sk-alpha"}
        self.http = httpx.Client(base_url=base_url, headers=headers, timeout=15.0)
        self.ended, self.given_up = threading.Event(), threading.Event()

    def attempt(self, method: str, path: str, **options: Any) -> httpx.Response | None:
        """Send a request once. Without a response or with a 503, return None: the request may or may not be done."""
        try:
            response = self.http.request(method, path, **options)
        except httpx.TransportError:
            response = None
        if response is None or response.status_code == 503:
            time.sleep(0.05)
            return None
        return response

    def insist(self, method: str, path: str, **options: Any) -> httpx.Response:
        end = time.monotonic() + SECONDS_TO_COME_BACK
        while (response := self.attempt(method, path, **options)) is None:
            assert not self.given_up.is_set()
            assert time.monotonic() < end, f"{method} {path} does not succeed any more"
        return response

    def create(self, path: str, sent: Sent, body: Json) -> None:
        """Send a create once. With an Idempotency-Key, send it until there is a response."""
        if sent.keyed:
            response = self.insist("POST", path, json=body, headers={"Idempotency-Key": f"key {sent.name}"})
        elif (attempted := self.attempt("POST", path, json=body)) is None:
            return
        else:
            response = attempted
        assert response.status_code == 200, response.text
        sent.response, sent.ended = response.json(), time.monotonic()

    def modify(self, path: str, sent: Sent, metadata: Json) -> None:
        metadata = sent.metadata[0] | metadata
        sent.metadata.append(metadata)
        response = self.attempt("POST", f"{path}/{sent.response['id']}", json={"metadata": metadata})
        if response is not None:
            assert (response.status_code, response.json()["metadata"]) == (200, metadata)
            sent.metadata = [metadata]

    def delete(self, path: str, sent: Sent) -> None:
        response = self.insist("DELETE", f"{path}/{sent.response['id']}")
        assert response.status_code in {200, 404}, response.text  # 404: an earlier attempt has deleted it
        sent.deleted = True

    def page(self, path: str, **query: Any) -> Json:
        response = self.insist("GET", path, params=query)
        assert response.status_code == 200, response.text
        page: Json = response.json()
        assert page["data"] or not page["has_more"]
        return page

    def pages(self, path: str, cursor: str = "after", **query: Any) -> list[Json]:
        """Read all pages of a list and return the objects. Page forwards with `after`, backwards with `before`."""
        found: list[Json] = []
        while True:
            page = self.page(path, **query)
            found = found + page["data"] if cursor == "after" else page["data"] + found
            if not page["has_more"]:
                return found
            query[cursor] = page["last_id" if cursor == "after" else "first_id"]


def write(service: Service, path: str, work: Work) -> None:
    """Create messages, or threads of two messages, with this worker's name. Modify and delete some of them."""
    draw, of_threads = work.draw, path == "/threads"
    while not service.ended.is_set():
        sent = work.next()
        content = sent.name if of_threads or draw.random() < 0.95 else f"{sent.name} {LARGE}"
        message = {"role": "user", "content": content}
        service.create(path, sent, {"messages": [message] * 2, "metadata": sent.metadata[0]} if of_threads else message)
        if sent.response and draw.random() < 0.3:
            shown = service.insist("GET", f"{path}/{sent.response['id']}")
            assert (shown.status_code, shown.json()) == (200, sent.response)
        known = [before for before in work.sent[-20:] if before.response and not before.deleted]
        if known and draw.random() < 0.2:
            service.modify(path, draw.choice(known), {"number": f"{draw.random()}"})
        elif known and draw.random() < 0.15:
            service.delete(path, draw.choice(known))
        time.sleep(draw.uniform(0, 0.1))


def follow(service: Service, path: str, work: Work, writers: list[Future[None]]) -> None:
    """Read a thread from its beginning until its writers have ended and there are no more messages."""
    while True:
        ended = all(writer.done() for writer in writers)
        cursor = {"after": work.read[-1]} if work.read else {}
        page = service.page(path, order="asc", limit=work.draw.randint(1, 30), **cursor)
        work.read += [message["id"] for message in page["data"]]
        if not page["data"]:
            if ended:
                return
            time.sleep(0.1)


def check_thread(service: Service, path: str, writers: list[Work], read: list[str]) -> Counter[str]:
    """Compare all of a thread with the requests that were sent to it. Count how the creates ended."""
    messages = service.pages(path, order="asc", limit=50)
    ids = [message["id"] for message in messages]
    assert ids == sorted({*ids})
    assert [message["created_at"] for message in messages] == sorted(message["created_at"] for message in messages)
    assert service.pages(path, order="desc", limit=13) == messages[::-1]
    assert service.pages(path, "before", order="asc", limit=17, before=ids[-1]) == messages[:-1]
    assert read == sorted({*read})
    assert {*ids} <= {*read}
    shown = [(message["content"][0]["text"]["value"].split(" ", 1)[0], message) for message in messages]
    stored = {name: message["id"] for name, message in shown}
    for writer in writers:
        order = [stored[sent.name] for sent in writer.sent if sent.name in stored]
        assert order == sorted(order)
    acknowledged = [sent for writer in writers for sent in writer.sent if sent.response]
    acknowledged.sort(key=lambda sent: str(sent.response["id"]))
    # A create with a key may have been stored long before it was acknowledged, never before it began.
    check_ends((sent.began, sent.ended) for sent in acknowledged)
    return endings([sent for writer in writers for sent in writer.sent], shown)


def check_threads(service: Service, owner: Work) -> Counter[str]:
    """Check the threads of an owner, and the list of them."""
    threads = service.pages("/threads", limit=20, **{"metadata[user_id]": owner.name})
    for thread in threads:
        messages = service.pages(f"/threads/{thread['id']}/messages", order="asc", limit=1)
        assert [message["content"][0]["text"]["value"] for message in messages] == [thread["metadata"]["name"]] * 2
    for sent in owner.sent:
        if sent.deleted:
            assert service.insist("GET", f"/threads/{sent.response['id']}").status_code == 404
    return endings(owner.sent, [(thread["metadata"]["name"], thread) for thread in threads])


def endings(creates: list[Sent], shown: list[tuple[str, Json]]) -> Counter[str]:
    """Assert that each create is read as often as it may be, and as acknowledged. Count how the creates ended."""
    assert {name for name, _ in shown} <= {sent.name for sent in creates}
    times, objects, ended = Counter(name for name, _ in shown), dict(shown), Counter[str]()
    for sent in creates:
        if sent.deleted:
            assert times[sent.name] == 0
            ended["deleted"] += 1
        elif not sent.response:
            assert times[sent.name] <= (not sent.keyed)
            ended["unacknowledged, there" if times[sent.name] else "unacknowledged, not there"] += 1
        else:
            assert times[sent.name] == 1
            assert objects[sent.name] in [sent.response | {"metadata": metadata} for metadata in sent.metadata]
            ended["acknowledged, with a key" if sent.keyed else "acknowledged"] += 1
    return ended


def kill(victim: str, api: LocalApi, folder: Path) -> None:
    """Kill the engine, the local API, or both, and wait until the local API has ended."""
    if victim != "api":
        os.kill(int((folder / "engine.pid").read_text()), signal.SIGKILL)
    if victim != "engine":
        api.process.kill()
    api.process.wait(30)


def wait_for(more: int, workers: list[Work], running: list[Future[None]]) -> None:
    """Wait until this many more creates have been acknowledged."""

    def acknowledged() -> int:
        return sum(bool(sent.response) for work in workers for sent in work.sent)

    enough, end = acknowledged() + more, time.monotonic() + 300
    while acknowledged() < enough:
        assert time.monotonic() < end, "nothing is acknowledged any more"
        for worker in (worker for worker in running if worker.done()):
            worker.result()  # raises the worker's exception
        time.sleep(0.02)


def test_what_was_acknowledged_outlives_every_kill_and_is_there_once(
    dynamodb_local: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw = random.Random(SEED)
    variables = {"API_KEYS": "alpha=sk-alpha", "DATA": str(tmp_path), "PORT": str(engine._free_port())}
    of_runs = [runs_under_kills.Work(name, random.Random(f"{SEED} {name}")) for name in ("runner-0", "runner-1")]
    service = Service(f"http://127.0.0.1:{variables['PORT']}/v1")
    works = {name: Work(name, random.Random(f"{SEED} {name}")) for name in WORKERS}
    paths: list[str] = []
    running: list[Future[None]] = []
    victims = [*VICTIMS, *draw.choices(VICTIMS, k=KILLS)][:KILLS]
    with chatting(runs_under_kills.model(random.Random(SEED))) as chat, ThreadPoolExecutor(len(works) + 2) as pool:
        variables["MODEL_URL"] = chat.base_url
        try:
            for victim in (*victims, ""):
                with serving(**variables) as api:
                    if not running:
                        paths = [f"/threads/{service.insist('POST', '/threads').json()['id']}/messages" for _ in "12"]
                        running = begin(pool, service, paths, works)
                        running += [pool.submit(runs_under_kills.use_runs, service, work) for work in of_runs]
                    wait_for(draw.randint(1, 20), [*works.values()], running)
                    time.sleep(draw.uniform(0, 3))  # a run takes a second
                    if victim:
                        kill(victim, api, tmp_path)
                        assert "Traceback" not in api.errors
                        continue
                    service.ended.set()
                    for worker in running:
                        worker.result()
                    messages = Counter[str]()
                    for number, path in enumerate(paths):
                        writers = [work for name, work in works.items() if name.startswith(f"writer-{number}")]
                        messages += check_thread(service, path, writers, works[f"follower-{number}"].read)
                    threads = sum((check_threads(service, works[name]) for name in OWNERS), Counter[str]())
        finally:
            service.ended.set()
            service.given_up.set()
            pool.shutdown()
            service.http.close()
    with engine.running(tmp_path) as url, patch.dict(os.environ):
        environment.lead_to(template.load(), url)
        (runs,) = processes.together([600.0], runs_under_kills.ten_minutes_later, of_runs)
        checked = program.run("check", "--table", os.environ["TABLE_NAME"], "--endpoint-url", url)
    assert runs["completed"] or KILLS < 20
    # A killed local API loses records of the stream. Then nothing removes the chunks of the messages deleted in them.
    assert [line for line in checked[1].splitlines()[:-1] if not line.endswith("chunks of no message")] == [], checked
    with capsys.disabled():
        killed = dict(Counter(victims))
        sys.stdout.write(f"\nseed {SEED}, {killed=}\nmessages: {dict(messages)}\nthreads: {dict(threads)}\n")
        sys.stdout.write(f"runs: {dict(runs)}\n")


def begin(pool: ThreadPoolExecutor, service: Service, paths: list[str], works: dict[str, Work]) -> list[Future[None]]:
    """Start three writers and a follower for each path, and the owners."""
    running = [pool.submit(write, service, "/threads", works[name]) for name in OWNERS]
    for number, path in enumerate(paths):
        names = [name for name in works if name.startswith(f"writer-{number}")]
        writers = [pool.submit(write, service, path, works[name]) for name in names]
        running += [*writers, pool.submit(follow, service, path, works[f"follower-{number}"], writers)]
    return running
