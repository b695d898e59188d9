"""Writers and readers of one thread. The scheduler runs them on the engine that isolates no more than AWS promises.

In every third story, runs also begin and end on the thread.
"""

from collections.abc import Callable
from typing import Any

import pytest

from tests.simulation.scheduler import Scheduler
from tests.support.client import Client
from tests.support.isolation import Engine
from tests.support.runs import Runs

RUN = "run_1"
HELLO = {"role": "user", "content": "hello"}
Page = dict[str, Any]


class Story:
    """One seeded run: a thread, the acknowledged changes (ids of messages), and every page that was read.

    Each writer creates up to `most` messages. `options` are the engine's.
    """

    def __init__(self, seed: int, most: int = 6, **options: Any) -> None:
        self.scheduler = Scheduler(seed)
        self.draw = self.scheduler.random
        self.engine = Engine(self.scheduler, **options)
        self.most = most
        self.created: list[str] = []
        self.of_run: set[str] = set()
        self.deleted: set[str] = set()
        self.writing = 0
        self.pages: list[tuple[dict[str, Any], list[str]]] = []

    def run(self, patch: pytest.MonkeyPatch, writers: int, *readers: Callable[["Story"], object]) -> None:
        """Create a thread, and run its writers and readers to their end."""
        with self.engine.serving(), patch.context() as here:
            self.scheduler.patch(here)
            self.client = Client(trusted=True)
            self.thread_id = self.client.thread()
            makers = [write] * writers + [use_runs] * (self.draw.random() < 0.33)
            self.writing = len(makers)
            self.scheduler.run(*(lambda actor=actor: actor(self) for actor in (*makers, *readers)))

    def page(self, **query: Any) -> Page:
        """List messages, and remember the page. It must have all messages that were acknowledged before.

        Now and then one of its messages is retrieved. It must exist.
        """
        acknowledged = self._of(query)
        page = self.client.page(self.thread_id, **query)
        found = [message["id"] for message in page["data"]]
        assert found == sorted(set(found), reverse=query["order"] == "desc")
        low, high = (
            query.get(name, "") for name in (("after", "before") if query["order"] == "asc" else ("before", "after"))
        )
        behind = {message for message in acknowledged if low < message < (high or "~")} - self.deleted
        assert page["has_more"] or behind <= {*found}
        self.pages.append((query, found))
        if found and self.draw.random() < 0.3:
            listed = self.draw.choice(page["data"])
            answer = self.client.call("retrieve_message", self.thread_id, listed["id"])
            assert answer.status == 200 or listed["id"] in self.deleted
        return page

    def _of(self, query: dict[str, Any]) -> set[str]:
        """Return the acknowledged messages that a query asks for."""
        return {*(self.of_run if "run_id" in query else self.created)}

    def passed_over(self) -> list[str]:
        """Return the messages that lie between the ends of a page, its cursor included, and are not in the page.

        They appeared at a position before a cursor that a client already had.
        """
        missing: set[str] = set()
        for query, found in self.pages:
            ends = [*found, *(query[name] for name in ("after", "before") if found and name in query)]
            missing |= {message for message in self._of(query) if ends and min(ends) < message < max(ends)} - {*ends}
        return sorted(missing - self.deleted)


def write(story: Story) -> None:
    """Create messages and delete a few. Each read of the same writer shows its own changes."""
    for _ in range(story.draw.randint(2, story.most)):
        run = {"run_id": RUN} if story.draw.random() < 0.5 else {}
        message_id = story.client.message(story.thread_id, role="assistant", **run)["id"]
        story.created.append(message_id)
        story.of_run |= {message_id} if run else set()
        if story.draw.random() < 0.3:
            assert message_id in _listed(story, run)
            assert story.client.call("retrieve_message", story.thread_id, message_id).status == 200
        if story.draw.random() < 0.1:
            story.deleted.add(message_id)
            story.client.create("delete_message", story.thread_id, message_id)
            assert message_id not in _listed(story, run)
            assert story.client.call("retrieve_message", story.thread_id, message_id).status == 404
    story.writing -= 1


def use_runs(story: Story) -> None:
    """Begin runs with a message each; answer them, as the worker does, or cancel them. Each message is seen at once."""
    from shared.runs.records import Outcome
    from shared.runs.store import lifecycle
    from shared.runs.store import runs as stored
    from shared.store import keys, table

    runs, project = Runs(story.client), story.client.project
    assistant_id = runs.assistant()
    for _ in range(3):
        asked = {"role": "user", "content": f"{story.draw.random()}"}
        run_id = runs.run(story.thread_id, assistant_id, additional_messages=[asked])["id"]
        texts = {
            one["content"][0]["text"]["value"]: one["id"]
            for one in story.client.page(story.thread_id, limit=100)["data"]
        }
        story.created.append(texts[asked["content"]])
        table.set_deadline(20)
        assert lifecycle.claim(keys.thread_partition(project, story.thread_id), run_id, run_id)
        run = stored.retrieve(project, story.thread_id, run_id)
        if story.draw.random() < 0.3:
            runs.create("cancel_run", story.thread_id, run_id)
        table.set_deadline(20)
        is_answered = lifecycle.finish(project, run, Outcome("completed", "Hello"))
        answers = story.client.page(story.thread_id, run_id=run_id)["data"]
        assert len(answers) == is_answered
        story.created += [one["id"] for one in answers]
    story.writing -= 1


def _listed(story: Story, run: dict[str, str]) -> list[str]:
    page = story.page(order="desc", limit=100, **run)
    return [message["id"] for message in page["data"]]


def make_threads(story: Story) -> None:
    """Create, modify and delete threads. Each read of the same writer shows its own changes."""
    client = story.client
    for _ in range(3):
        user = f"{story.draw.random()}"
        thread = client.create("create_thread", body={"metadata": {"user_id": user}, "messages": [HELLO] * 2})
        assert client.create("retrieve_thread", thread["id"]) == thread
        assert len(client.page(thread["id"])["data"]) == 2
        for query in ({}, {"metadata[user_id]": user}):
            assert thread in client.create("list_threads", query=query)["data"]
        moved = client.create("modify_thread", thread["id"], body={"metadata": {"user_id": "other"}})
        assert client.create("list_threads", query={"metadata[user_id]": user})["data"] == []
        assert moved in client.create("list_threads", query={"metadata[user_id]": "other"})["data"]
        client.create("delete_thread", thread["id"])
        assert moved not in client.create("list_threads")["data"]
        assert client.call("list_messages", thread["id"]).status == 404


def follow(story: Story, idle: int = 0, **query: Any) -> list[str]:
    """Follow `after` in small pages until the writers are done and no messages are left. Return the messages read.

    `idle` is the number of steps that the follower sleeps before each page.
    """
    read: list[str] = []
    while True:
        story.scheduler.pause(idle)
        ended = not story.writing
        after = {"after": read[-1]} if read else {}
        page = story.page(order="asc", limit=story.draw.randint(1, 4), **after, **query)
        read += [message["id"] for message in page["data"]]
        if not page["data"]:
            if ended:
                return read
            story.scheduler.pause(20)


def browse(story: Story) -> None:
    """Page through the thread, or its run, in every way there is, until the writers are done."""
    while story.writing:
        query: dict[str, Any] = {"order": story.draw.choice(("asc", "desc")), "limit": story.draw.randint(1, 6)}
        if story.draw.random() < 0.4:
            query["run_id"] = RUN
        cursor, end = story.draw.choice((("after", "last_id"), ("before", "first_id")))
        page = story.page(**query)
        while page["data"] and story.draw.random() < 0.8:
            story.scheduler.pause(story.draw.choice((0, 0, 5)))
            page = story.page(**query, **{cursor: page[end]})
        story.scheduler.pause(20)
