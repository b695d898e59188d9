"""Writers and readers of one thread, run by the scheduler on the engine that isolates no more than AWS promises."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.client import Client
from tests.isolation import Engine
from tests.scheduler import Scheduler

RUN = "run_1"


@dataclass
class Story:
    """One seeded run: a thread, what was acknowledged (message ids, and which of them are of the run), what was read."""

    seed: int
    patch: pytest.MonkeyPatch
    hang: int = 16
    slow_reads: bool = False
    most_creates: int = 6
    thread_id: str = ""
    acknowledged: list[str] = field(default_factory=list)
    of_run: set[str] = field(default_factory=set)
    writers: int = 0
    pages: list[tuple[dict[str, Any], dict[str, Any]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.scheduler = Scheduler(self.seed)
        self.engine = Engine(self.scheduler, self.hang, slow_reads=self.slow_reads)

    def run(self, *actors: Any) -> None:
        """Make a thread and run the actors, each of which is a function of the story."""
        with self.engine.serving(), self.patch.context() as patch:
            self.scheduler.patch(patch)
            self.client = Client(trusted=True)
            self.thread_id = self.client.thread()
            self.writers = actors.count(writer)
            self.scheduler.run(*(lambda actor=actor: actor(self) for actor in actors))

    def page(self, **query: Any) -> dict[str, Any]:
        """List, remember the page, and retrieve one of its messages."""
        page = self.client.page(self.thread_id, **query)
        self.pages.append((query, page))
        if page["data"] and self.scheduler.random.random() < 0.3:
            listed = self.scheduler.random.choice(page["data"])
            answer = self.client.call("retrieve_message", self.thread_id, listed["id"])
            assert (answer.status, answer.text and answer.body) == (200, listed)
        return page

    def lost(self) -> list[str]:
        """Return what lies between the ends of a page, its cursor included, and is not in the page.

        Such a message appears, or has appeared, behind a cursor that was handed out.
        """
        lost: list[str] = []
        for query, page in self.pages:
            found = [message["id"] for message in page["data"]]
            if not found:
                continue
            among = self.of_run if "run_id" in query else self.acknowledged
            ends = {*found, *(query[name] for name in ("after", "before") if name in query)}
            between = {message for message in among if min(ends) <= message <= max(ends)}
            cursors = ends - set(found)
            lost += sorted(between - ends - cursors - set(found))
        return lost


def writer(story: Story) -> None:
    """Create messages; every one is seen by the next reads of the same writer."""
    draw = story.scheduler.random
    for _ in range(draw.randint(2, story.most_creates)):
        run = {"role": "assistant", "run_id": RUN} if draw.random() < 0.5 else {}
        message_id = story.client.message(story.thread_id, **run)["id"]
        story.acknowledged.append(message_id)
        if run:
            story.of_run.add(message_id)
        if draw.random() < 0.3:
            query = {**({"run_id": RUN} if run else {}), "limit": 100, "order": draw.choice(("asc", "desc"))}
            assert message_id in [message["id"] for message in story.page(**query)["data"]]
    story.writers -= 1


def follower(story: Story, **query: Any) -> list[str]:
    """Follow `after` in small pages until the writers are done and nothing is left; return what was read."""
    read: list[str] = []
    while True:
        written = not story.writers
        after = {"after": read[-1]} if read else {}
        page = story.page(order="asc", limit=story.scheduler.random.randint(1, 4), **after, **query)
        read += [message["id"] for message in page["data"]]
        if not page["data"]:
            if written:
                return read
            story.scheduler.pause(10)


def reader(story: Story) -> None:
    """Page through the thread, or its run, in every way there is, until the writers are done."""
    draw = story.scheduler.random
    while story.writers:
        query: dict[str, Any] = {"order": draw.choice(("asc", "desc")), "limit": draw.randint(1, 6)}
        if draw.random() < 0.4:
            query["run_id"] = RUN
        cursor = draw.choice(("after", "before"))
        page = story.page(**query)
        while page["has_more"] or (cursor == "before" and page["data"] and draw.random() < 0.7):
            story.scheduler.pause(draw.choice((0, 0, 5)))
            page = story.page(**query, **{cursor: page["last_id" if cursor == "after" else "first_id"]})
        story.scheduler.pause(10)
