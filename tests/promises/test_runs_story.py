"""Many clients use the runs of one thread at once, and workers are killed. The engine isolates only as AWS promises.

In each seeded story some clients create runs. Others cancel them, submit outputs, poll, and follow the list of runs.
Workers take each run's queue message twice and are killed now and then. Each client and worker has a clock that is
wrong by up to five seconds. DynamoDB Local never shows a transaction half visible; tests/support/isolation.py does.
STORIES is the number of stories. PROMISES_SEED repeats them.
"""

import os
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from tests.promises.calls import KilledError
from tests.simulation import scheduler
from tests.simulation.scheduler import Scheduler
from tests.support.client import Answer, Client
from tests.support.isolation import Engine
from tests.support.runs import WEATHER, Runs

STORIES = int(os.environ.get("STORIES") or 12)
ENDS = {"completed", "cancelled", "expired"}
# Instead of ten minutes, because the scheduler needs a step for each millisecond.
EXPIRY_SECONDS = 40
Patch = pytest.MonkeyPatch
Run = dict[str, Any]


class Story:
    """The acknowledged creates, cancels and outputs of runs, and the ends of runs and pages that clients read."""

    def __init__(self, seed: int) -> None:
        self.scheduler = Scheduler(seed)
        self.draw = self.scheduler.random
        self.created: list[str] = []
        self.refused = 0
        self.cancelled: set[str] = set()
        self.taken: dict[str, str] = {}
        self.ended: dict[str, str] = {}
        self.followed: list[str] = []
        self.queue: list[str] = []
        self.creating = 0

    def run(self, patch: Patch) -> None:
        """Create an assistant and a thread, let all actors use the thread, and check the result."""
        from shared.runs.store import run_items

        with Engine(self.scheduler).serving(), patch.context() as here:
            here.setattr(scheduler, "_MOST_STEPS", 2_000_000)
            here.setattr(run_items, "SECONDS_TO_EXPIRY", EXPIRY_SECONDS)
            self.scheduler.patch(here)
            self.runs = Runs(Client())
            self.assistant_id = self.runs.assistant(tools=[WEATHER])
            self.thread_id = self.runs.thread()
            creators, others = [create] * 3, [work, work, cancel, submit, submit, poll, poll, follow]
            self.creating = len(creators)
            self.scheduler.run(*(lambda actor=actor: actor(self) for actor in (*creators, *others)))
            self.scheduler.steps += 2 * EXPIRY_SECONDS * 1000
            check(self)

    def call(self, operation: str, *ids: str, body: Any = None, **options: Any) -> Answer:
        answer = self.runs.call(operation, self.thread_id, *ids, body=body, **options)
        assert answer.status in (200, 400, 503), answer.text
        return answer

    def read(self, run_id: str) -> Run:
        seen = dict(self.ended)
        answer = self.call("retrieve_run", run_id)
        assert answer.status == 200, answer.text
        run: Run = answer.body
        note_end(self, run, seen)
        return run

    def answers_of(self, run_id: str) -> list[Run]:
        """Return the messages of a run. They are selected from all messages of the thread, newest first."""
        return [
            message
            for message in self.runs.client.page(self.thread_id, limit=100)["data"]
            if message["run_id"] == run_id
        ]

    def wait(self) -> None:
        self.scheduler.pause(self.draw.choice((0, 5, 30, 200, 1_500)))


def note_end(story: Story, run: Run, seen: dict[str, str]) -> None:
    """Record a run's end. Assert that a run does not change after its end. `seen` are the ends known before the read.

    A run that has expired by a fast clock is active by a slow clock. There it may be cancelled, but never completed.
    """
    before = seen.get(run["id"])
    is_expired = before == "expired" and run["status"] != "completed"
    assert is_expired or before in (None, run["status"]), (before, run)
    if run["status"] in ENDS:
        story.ended[run["id"]] = run["status"]


def create(story: Story) -> None:
    for _ in range(story.draw.randint(1, 4)):
        answer = story.call("create_run", body={"assistant_id": story.assistant_id})
        if answer.status == 200:
            story.created.append(answer.body["id"])
            story.queue += [answer.body["id"]] * 2
            assert story.read(answer.body["id"])["id"] in story.created
        else:
            assert answer.status == 503 or "already has an active run" in answer.body["error"]["message"]
            story.refused += 1
            story.scheduler.pause(story.draw.choice((10, 500, EXPIRY_SECONDS * 500)))
        story.wait()
    story.creating -= 1


def work(story: Story) -> None:
    """Take messages of the queue in any order. Now and then the worker is killed at one of its calls."""
    while story.creating or story.queue:
        if story.queue:
            run_id = story.queue.pop(story.draw.randrange(len(story.queue)))
            at = story.draw.randint(0, 5) if story.draw.random() < 0.3 else None
            with suppress(KilledError), killed(at):
                execute(story, run_id)
        story.wait()


def execute(story: Story, run_id: str) -> None:
    """Execute a run as shared.runs.execution does. The model takes its time, sometimes more than the run has."""
    from shared.runs.records import Outcome, ToolCall
    from shared.runs.store import lifecycle, runs
    from shared.store import keys, table

    table.set_deadline(20)
    partition = keys.thread_partition(story.runs.client.project, story.thread_id)
    if not lifecycle.claim(partition, run_id, uuid.uuid4().hex):
        return
    run = runs.retrieve(story.runs.client.project, story.thread_id, run_id)
    if run.status != "in_progress":
        return
    story.scheduler.pause(story.draw.choice((1, 100, 3_000, (EXPIRY_SECONDS - 3) * 1000, EXPIRY_SECONDS * 1000)))
    calls = () if run.steps else story.draw.choice(((), (ToolCall("call_1", "get_weather", "{}"),)))
    outcome = Outcome("requires_action" if calls else "completed", None if calls else "Hello", calls=calls)
    table.set_deadline(20)
    if lifecycle.finish(story.runs.client.project, run, outcome) and not calls:
        assert len(story.answers_of(run_id)) == 1


def cancel(story: Story) -> None:
    while story.creating:
        if story.created and story.draw.random() < 0.2:
            run_id = story.draw.choice(story.created[-2:])
            if story.call("cancel_run", run_id).status == 200:
                story.cancelled.add(run_id)
                assert story.read(run_id)["status"] == "cancelled"
        story.wait()


def submit(story: Story) -> None:
    while story.creating or story.queue:
        for run_id in story.created[-2:]:
            run = story.read(run_id)
            if run["status"] == "requires_action":
                assert run["required_action"]["submit_tool_outputs"]["tool_calls"][0]["id"] == "call_1"
                output = f"{story.draw.random()}"
                answer = story.runs.submit(run, {"call_1": output})
                if answer.status == 200:
                    assert run_id not in story.taken
                    story.taken[run_id] = output
                    story.queue += [run_id] * 2
        story.wait()


def poll(story: Story) -> None:
    """Poll a run until its end. A client that reads it as completed also finds its step and its message.

    The message is the newest one unless another run followed.
    """
    while story.creating or story.queue:
        for run_id in story.created[-3:]:
            if story.draw.random() < 0.5:
                listed = story.call("list_runs", query={"limit": 3}).body["data"]
                run = next((run for run in listed if run["id"] == run_id), None)
                assert run or len(listed) == 3, f"{run_id} is not listed"
            else:
                run = story.read(run_id)
            if run and run["status"] == "completed":
                (answer,) = story.answers_of(run_id)
                if story.created[-1] == run_id:
                    assert story.runs.client.page(story.thread_id)["data"][0]["run_id"] in (run_id, story.created[-1])
                steps = story.call("list_run_steps", run_id).body["data"]
                assert steps[0]["step_details"] == {
                    "type": "message_creation",
                    "message_creation": {"message_id": answer["id"]},
                }
        story.wait()


def follow(story: Story) -> None:
    """Follow the list with `after` until no more runs are created. Assert that no run is missed."""
    while True:
        is_over = not story.creating
        after = {"after": story.followed[-1]} if story.followed else {}
        seen = dict(story.ended)
        answer = story.call("list_runs", query={"order": "asc", "limit": story.draw.randint(1, 3), **after})
        for run in answer.body["data"]:
            note_end(story, run, seen)
            story.followed.append(run["id"])
        if is_over and not answer.body["data"]:
            return
        story.wait()


def check(story: Story) -> None:
    """Assert that the runs have one order, and that each has ended. Only a completed run has an answer."""
    assert story.followed == sorted(story.created)
    listed = story.call("list_runs", query={"order": "asc", "limit": 100}).body["data"]
    assert [run["id"] for run in listed] == story.followed
    assert {run["status"] for run in listed} <= ENDS
    for run in listed:
        note_end(story, run, story.ended)
        assert len(story.answers_of(run["id"])) == (1 if run["status"] == "completed" else 0), run["status"]
        assert (run["status"] == "cancelled") == (run["id"] in story.cancelled)
        steps = story.call("list_run_steps", run["id"]).body["data"]
        found = [
            step["step_details"]["tool_calls"][0]["function"]["output"]
            for step in steps
            if "tool_calls" in step["step_details"]
        ]
        assert [output for output in found if output] == [
            output for taken, output in story.taken.items() if taken == run["id"]
        ]
    story.runs.client.message(story.thread_id, "free")


@contextmanager
def killed(step: int | None) -> Iterator[None]:
    """Kill the process of this Python thread at its call number `step`, before or after AWS has processed the call."""
    from shared.store import table

    me, counter = threading.current_thread(), iter(range(1_000))

    def count(**_: Any) -> None:
        if threading.current_thread() is me and next(counter) == step:
            raise KilledError

    events = table.client().meta.events
    moment = "before-call.dynamodb" if step is None or step % 2 else "after-call.dynamodb"
    events.register_first(moment, count)
    try:
        yield
    finally:
        events.unregister(moment, count)


def test_a_run_ends_once_with_one_answer_and_readers_see_no_half_of_it(monkeypatch: Patch, seed: int) -> None:
    ends: list[str] = []
    refused = 0
    for number in range(seed, seed + STORIES):
        story = Story(number)
        story.run(monkeypatch)
        ends += story.ended.values()
        refused += story.refused
    assert {*ends} == ENDS
    assert refused
