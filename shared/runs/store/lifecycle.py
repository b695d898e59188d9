"""The changes of a run's status: claim, finish, submit and cancel, each one conditional write or transaction.

A run is active while its thread's head names it as active. Each transaction below has this condition. A late outcome,
of a slow model or a worker that seemed dead, therefore changes nothing. No worker takes over a claimed run. If the
worker of a run is killed, the run expires.
"""

import time
import uuid
from typing import NamedTuple

from shared import ids
from shared.records import MessageData
from shared.runs.errors import OutputsMismatchError, RunStatusError
from shared.runs.records import ACTIVE, Outcome, Run, Step, Usage
from shared.runs.store import documents, run_items, runs
from shared.runs.store.run_items import strings, update, update_unchanged
from shared.store import head, items, keys, table
from shared.store.messages import writes_of
from shared.store.table import CancelledError, ConditionFailedError, Item, Write

_IS_CLAIMED = "#status = :claimed AND attempt = :attempt"
# An outcome is stored only if the run expires at least this much later. The clocks of two instances differ by at most
# ten seconds, so no reader has seen the run as expired.
SECONDS_BEFORE_EXPIRY = 10
# The place of the outputs in the transaction that stores them.
_SUBMITTED = 3


class Outputs(NamedTuple):
    """Submitted tool outputs: (call id, output) in the order of the request, and the hash of all outputs.

    `resent` means that an SDK has marked the request as sent again.
    """

    by_call: tuple[tuple[str, str], ...]
    hash: str
    resent: bool = False


def claim(partition: str, run_id: str, attempt: str) -> bool:
    """Claim a queued run for this attempt. Return False if the run is not queued any more, erased or expired."""
    now = int(time.time())
    request = update(
        partition,
        run_id,
        when="#status = :queued AND expiresAt > :startedAt",
        sets={"status": {"S": "in_progress"}, "attempt": {"S": attempt}},
        values={":queued": {"S": "queued"}, ":startedAt": {"N": str(now)}},
    )
    request["UpdateExpression"] += ", startedAt = if_not_exists(startedAt, :startedAt)"
    try:
        table.update(request.pop("Key"), **request)
    except ConditionFailedError as failed:
        # The claim may be this attempt's own, if the response to it was lost.
        return failed.item is not None and failed.item.get("attempt", {}).get("S") == attempt
    return True


def finish(project: str, run: Run, outcome: Outcome, ulids: tuple[str, str] = ("", "")) -> bool:
    """Store the outcome of a model call, for a run that this attempt has claimed; return whether it was stored.

    `ulids` are the ULIDs of the message and the step that streams have shown, or empty. The message gets another ULID
    if a newer message was stored meanwhile.

    One transaction stores the message, its step and the run's new status. The outcome is not stored if the run was
    cancelled or has expired, or if its thread was deleted. Raises `TooLargeError`, `BusyError`.
    """
    partition = keys.thread_partition(project, run.thread_id)
    ulid, step_ulid = ulids[0] or ids.new_ulid(), ulids[1]
    while True:
        writes = _finishing(partition, run, outcome, ulid, step_ulid)
        try:
            table.transact(writes)
        except CancelledError as cancelled:
            stored = cancelled.failed.get(1)
            if stored and stored.get("attempt", {}).get("S") == run.attempt:
                return bool(stored["status"]["S"] == outcome.status)  # stored already, if a response was lost
            current = cancelled.failed.get(0)
            if 1 in cancelled.failed or current is None or not _may_finish(current, run.id):
                return False
            ulid = ids.new_ulid(above=head.last_ulid(current))
            table.count_retries()
            continue
        return True


def submit(project: str, thread_id: str, run_id: str, outputs: Outputs) -> Run:
    """Store the outputs that a run waits for, and queue the run again; return the run.

    Raises `RunStatusError`, `OutputsMismatchError`, `ThreadNotFoundError`, `RunNotFoundError`, `TooLargeError`,
    `BusyError`.
    """
    partition = keys.thread_partition(project, thread_id)
    submission = uuid.uuid4().hex
    while True:
        run = runs.retrieve(project, thread_id, run_id)
        if outputs.resent and run.outputs_hash == outputs.hash:
            return run
        if run.status != "requires_action":
            raise RunStatusError("submit", run.status)
        got = [call_id for call_id, _ in outputs.by_call]
        if sorted(got) != sorted(run.waits_for):
            raise OutputsMismatchError([*run.waits_for], got)
        try:
            table.transact(_submitting(partition, run, outputs, submission))
        except CancelledError as cancelled:
            stored = cancelled.failed.get(_SUBMITTED)
            if not stored or stored["submission"]["S"] != submission:
                table.count_retries()
                continue  # it moved on since it was read
            # It is its own: a response was lost and the call sent again.
        return run._replace(status="queued", waits_for=(), outputs_hash=outputs.hash)


def cancel(project: str, thread_id: str, run_id: str) -> Run:
    """End an active run at once and free its thread; return the run in its state before.

    Raises `RunStatusError`, `ThreadNotFoundError`, `RunNotFoundError`, `BusyError`.
    """
    partition = keys.thread_partition(project, thread_id)
    cancellation = uuid.uuid4().hex
    while True:
        run = runs.retrieve(project, thread_id, run_id)
        if run.status not in ACTIVE:
            raise RunStatusError("cancel", run.status)
        # The cancellation replaces the attempt. A worker that lost the response to its claim then does not own the run.
        sets: Item = {
            "status": {"S": "cancelled"},
            "attempt": {"S": cancellation},
            "endedAt": _now(),
            "waitsFor": strings([]),
        }
        ending = update_unchanged(partition, run, sets)
        try:
            table.transact([run_items.head_of_run(partition, run_id, ends=True), {"Update": ending}])
        except CancelledError as cancelled:
            stored = cancelled.failed.get(1)
            if not stored or stored.get("attempt", {}).get("S") != cancellation:
                table.count_retries()
                continue  # it moved on since it was read
            # It is its own: a response was lost and the call sent again.
        return run


def _finishing(partition: str, run: Run, outcome: Outcome, ulid: str, step_ulid: str) -> list[Write]:
    """Return the transaction that stores an outcome. Its message and the message's step get `ulid` and `step_ulid`."""
    data = _answer(run, outcome)
    ends = outcome.status != "requires_action"
    steps = _steps(run, outcome, keys.MESSAGE_PREFIX + ulid if data else None, step_ulid)
    sets = _result(run, outcome) | {"steps": strings([*run.steps, *(step.id for step in steps)])}
    if data:
        sets["lastUlid"] = {"S": ulid}
    claimed = {":claimed": {"S": "in_progress"}, ":attempt": {"S": run.attempt}}
    writes: list[Write] = [
        run_items.head_of_run(
            partition, run.id, ends=ends, message_ulid=ulid if data else "", for_seconds=SECONDS_BEFORE_EXPIRY
        ),
        {"Update": update(partition, run.id, when=_IS_CLAIMED, sets=sets, values=claimed)},
    ]
    if data:
        writes += writes_of(partition, ulid, data, items.pack(data.content))
    for step in steps:
        writes += documents.puts(run_items.step_items(partition, step))
    return writes


def _answer(run: Run, outcome: Outcome) -> MessageData | None:
    """Return the message of an outcome. A failed run has none: a program could mistake its text for a whole answer."""
    if outcome.status == "failed" or (outcome.text is None and outcome.refusal is None):
        return None
    reason = outcome.message_reason
    return MessageData(
        role="assistant",
        content=run_items.content_json(outcome.text, outcome.refusal),
        assistant_id=run.assistant_id,
        run_id=run.id,
        status="incomplete" if reason else "completed",
        incomplete_details=f'{{"reason":"{reason}"}}' if reason else None,
        completed_at=None if reason else int(time.time()),
    )


def _steps(run: Run, outcome: Outcome, message_id: str | None, step_ulid: str) -> list[Step]:
    """Return the steps of an outcome. Its tokens count only once: in the step of its calls, if it has calls."""
    steps: list[Step] = []
    above = run.steps[-1].removeprefix(keys.STEP_PREFIX) if run.steps else ""
    now = int(time.time())
    if message_id:
        above = step_ulid or ids.new_ulid(above)
        usage = Usage() if outcome.calls else outcome.usage
        steps.append(run_items.new_step(run, above)._replace(completed_at=now, usage=usage, message_id=message_id))
    if outcome.calls:
        steps.append(run_items.new_step(run, ids.new_ulid(above))._replace(usage=outcome.usage, calls=outcome.calls))
    return steps


def _result(run: Run, outcome: Outcome) -> Item:
    """Return the attributes that an outcome sets in a run, except for its steps and its message."""
    usage = Usage(run.usage.prompt + outcome.usage.prompt, run.usage.completion + outcome.usage.completion)
    sets: Item = {
        "status": {"S": outcome.status},
        "waitsFor": strings([call.id for call in outcome.calls]),
        **run_items.usage_attributes(usage),
    }
    if outcome.status != "requires_action":
        sets["endedAt"] = _now()
    if outcome.failure:
        sets |= {"errorCode": {"S": outcome.failure.code}, "errorMessage": {"S": outcome.failure.message}}
    if outcome.incomplete_reason:
        sets["incompleteReason"] = {"S": outcome.incomplete_reason}
    return sets


def _submitting(partition: str, run: Run, outputs: Outputs, submission: str) -> list[Write]:
    """Return the transaction that stores outputs; `submission` identifies the call that does it."""
    step_id = run.steps[-1]
    sets: Item = {"status": {"S": "queued"}, "waitsFor": strings([]), "outputsHash": {"S": outputs.hash}}
    step_key = keys.key(partition, keys.step(run.id, step_id))
    output_key = keys.key(partition, keys.outputs(run.id, step_id))
    submitted = documents.puts(documents.write(output_key, {"submission": {"S": submission}}, dict(outputs.by_call)))
    submitted[0]["Put"]["ConditionExpression"] = head.IS_NEW
    return [
        run_items.head_of_run(partition, run.id, ends=False),
        {"Update": update_unchanged(partition, run, sets)},
        {
            "Update": {
                "Key": step_key,
                "ConditionExpression": "attribute_exists(threadId)",
                "UpdateExpression": "SET completedAt = :now",
                "ExpressionAttributeValues": {":now": _now()},
            }
        },
        *submitted,
    ]


def _may_finish(current: Item, run_id: str) -> bool:
    """Return whether a head's thread is open and this is its active run, with time left to store an outcome."""
    return (
        head.is_open(current)
        and head.last_run(current) == run_items.ulid_of(run_id)
        and int(current["runUntil"]["N"]) > int(time.time()) + SECONDS_BEFORE_EXPIRY
    )


def _now() -> dict[str, str]:
    return {"N": str(int(time.time()))}
