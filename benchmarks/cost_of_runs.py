"""The cost of runs in DynamoDB's units and in dollars, without the price of the model's endpoint."""

from collections.abc import Callable
from typing import Any, NamedTuple

from benchmarks import cost, figures
from benchmarks.figures import Report
from tests.support import chat_stub, expected
from tests.support.capacity import Call, recorded
from tests.support.client import Client
from tests.support.runs import WEATHER, Runs, calls_of, with_model, work

# How long each call of the model takes.
MODEL_SECONDS = 10
# A program polls at once, and then every 500 ms. The responses ask SDKs to wait that long.
POLLS = 1 + 2 * MODEL_SECONDS
# A message of the queue is sent, received and deleted.
SQS_REQUESTS = 3
MONTHS = {name: messages / 2 for name, messages in cost.MONTHS.items()}

_CREATE, _POLL, _SUBMIT, _LIST = "create run", "retrieve run", "submit tool outputs", "list messages"
_ANSWER, _CALLS, _LAST = "execute run: an answer", "execute run: function calls", "execute run: an answer after those"
# A run's requests except the polls, its executions, and the number of its events: one for each new status, one for the
# message.
KINDS = {
    "a text answer": ((_CREATE, _LIST), (_ANSWER,), 4),
    "one function call": ((_CREATE, _SUBMIT, _LIST), (_CALLS, _LAST), 7),
}


class Measured(NamedTuple):
    """The calls of each operation, and the bytes of a run in a response and in the table."""

    calls: dict[str, list[Call]]
    shown: int
    stored: int


def run() -> Report:
    """Return the units of each operation of runs, and the dollars for a thousand runs."""
    measured = _measured()
    units = [[name, len(calls), cost.units_of(calls, 1)] for name, calls in measured.calls.items()]
    prices = [_price(measured, kind) for kind in KINDS]
    rows = [[name, *(f"{price[name] / 1000:.3f}" for price in prices)] for name in prices[0]]
    rows.append(["**together**", *(f"**{sum(price.values()) / 1000:.3f}**" for price in prices)])
    dollars = figures.table(["USD for 1,000 runs", *KINDS], rows)
    return Report(text=f"{figures.table(['operation', 'calls', 'units'], units)}\n\n{dollars}")


def bill_of_runs() -> Report:
    """Return the dollars that runs with a text answer add to each bill of a month."""
    measured = _measured()
    price = _price(measured, "a text answer")
    price[cost.KEPT] = cost.MONTHS_KEPT * measured.stored / 1000 * (cost.STORED_GB + cost.BACKUP_GB)
    fixed = {
        "queue, empty receives": cost.EMPTY_RECEIVES / 1e6 * cost.RECEIVES,
        "alarms and their metric": cost.alarms("HasModel") * cost.ALARM + cost.METRIC,
    }
    bills = {
        f"{name}: {runs:,.0f} runs": {part: dollars * runs / 1e6 for part, dollars in price.items()} | fixed
        for name, runs in MONTHS.items()
    }
    return Report(text=cost.bill_table(bills))


def _price(measured: Measured, kind: str) -> dict[str, float]:
    """Return the dollars for a million runs of a kind, for each thing that is paid for."""
    requests, executions, events = KINDS[kind]
    polls = POLLS * len(executions)
    per_request = {name: cost.request_dollars("", calls, 1) for name, calls in measured.calls.items()}
    queued = cost.lambda_dollars(cost.PUBLISH_MILLISECONDS / 1000) + SQS_REQUESTS * cost.RECEIVES
    return {
        "worker, while the model writes": len(executions) * cost.lambda_dollars(MODEL_SECONDS),
        "polls": polls * sum(per_request[_POLL]),
        "other requests": sum(sum(per_request[name]) for name in requests),
        "worker, its reads and writes": sum(sum(per_request[name][:2]) - cost.INVOCATIONS for name in executions),
        "QueueJobs and SQS": len(executions) * queued,
        "events: PublishEvents and EventBridge": events * cost.event_dollars(),
        "logs and traces": (polls + len(requests) + len(executions)) * cost.LOG_OF_A_REQUEST,
        "data sent to clients": polls * measured.shown / 1000 * cost.SENT_GB,
    }


def _measured() -> Measured:
    """Call each operation once, as a program does, and measure it.

    The contents are small. The assistant has one function.
    """
    from shared.store import items, keys, table

    calls: dict[str, list[Call]] = {}

    def record(name: str, operation: Callable[[], Any]) -> Any:
        with recorded() as calls[name]:
            return operation()

    replies = chat_stub.calls(("call_1", "get_weather", '{"city":"Rome"}')), chat_stub.says("Sunny.")
    with with_model(*replies), cost.unhurried():
        runs = Runs(Client("default"))  # the length of the project's name changes the units
        project, thread_id = runs.client.project, runs.thread()
        assistant_id = record("create assistant", lambda: runs.assistant(tools=[WEATHER]))
        record("retrieve assistant", lambda: runs.create("retrieve_assistant", assistant_id))
        record("modify assistant", lambda: runs.create("modify_assistant", assistant_id, body={"name": "a"}))
        run = record(_CREATE, lambda: runs.run(thread_id, assistant_id))
        record(_CALLS, lambda: work(project, run))
        waiting = record(f"{_POLL} that waits for outputs", lambda: runs.read(run))
        record(_SUBMIT, lambda: runs.submit(run, {calls_of(waiting)[0]["id"]: "sunny"}))
        record(_LAST, lambda: work(project, run))
        shown = record(_POLL, lambda: runs.read(run))
        record("list steps, 2", lambda: runs.steps(run))
        record("modify run", lambda: runs.create("modify_run", thread_id, run["id"], body={"metadata": {"a": "b"}}))
        record(_LIST, lambda: runs.client.page(thread_id, limit=20))
        answered = runs.run(runs.thread(), assistant_id)
        record(_ANSWER, lambda: work(project, answered))
        body = {"assistant_id": assistant_id}
        more = body | {"additional_messages": [expected.ROLE_USER]}
        record(f"{_CREATE} with a message", lambda: runs.create("create_run", thread_id, body=more))
        new = record("create thread and run", lambda: runs.create("create_thread_and_run", body=body))
        record("cancel run", lambda: runs.create("cancel_run", new["thread_id"], new["id"]))
        record("delete assistant", lambda: runs.create("delete_assistant", assistant_id))
    table.set_deadline(60)
    partition = keys.thread_partition(project, answered["thread_id"])
    stored = table.query(partition, keys.RUN_PREFIX, "step#~")
    return Measured(
        calls, len(expected.compact(shown)), sum(items.weight(item) + cost.ITEM_OVERHEAD_BYTES for item in stored)
    )
