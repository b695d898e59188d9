"""Converts runs and their steps to items, and back. A run's small item changes. Large settings are in chunks."""

import json
import time
from typing import Any

from shared import ids
from shared.runs.records import ACTIVE, SECONDS_TO_EXPIRY, Failure, Run, RunSettings, Step, ToolCall, Usage
from shared.runs.store import documents
from shared.store import head, keys
from shared.store.head import check_schema
from shared.store.table import Item, Write

# This run is the newest run of the head's thread. It has not ended, and will not expire before `:until`.
_IS_ACTIVE = "lastRun = :run AND runUntil > :until"


def new_run(thread_id: str, ulid: str, assistant_id: str, settings: RunSettings, metadata: str) -> Run:
    """Return a new queued run. The time in its ULID is its creation time."""
    created_at = ids.milliseconds(ulid) // 1000
    return Run(
        id=keys.RUN_PREFIX + ulid,
        thread_id=thread_id,
        assistant_id=assistant_id,
        status="queued",
        created_at=created_at,
        expires_at=created_at + SECONDS_TO_EXPIRY,
        settings=settings,
        metadata=metadata,
    )


def run_items(partition: str, run: Run) -> list[Item]:
    """Return the items of a new run: the run's item, then the chunks of its settings. Raises `TooLargeError`."""
    attributes: Item = {
        "version": {"N": "1"},
        "status": {"S": run.status},
        "assistantId": {"S": run.assistant_id},
        "expiresAt": {"N": str(run.expires_at)},
        "metadata": {"S": run.metadata},
        "bodyHash": {"S": run.body_hash},
        "lastUlid": {"S": run.last_ulid},
        "steps": {"L": []},
        "waitsFor": {"L": []},
    }
    return documents.write(
        keys.key(partition, run.id), attributes, run.settings._asdict(), inline=documents.INLINE_IN_A_RUN
    )


def run_of(item: Item, settings: dict[str, Any], thread_id: str, newest: str = "") -> Run:
    """Return the run of an item and its settings, with its status at this moment. Raises `NewerItemError`.

    `newest` is the ULID of the thread's newest run. An older run is not active, even if the local clock is slow.
    """
    check_schema(item)
    run_id, status = item["messageId"]["S"], item["status"]["S"]
    expires_at = int(item["expiresAt"]["N"])
    is_expired = status in ACTIVE and (expires_at <= int(time.time()) or ulid_of(run_id) < newest)
    return Run(
        id=run_id,
        thread_id=thread_id,
        assistant_id=item["assistantId"]["S"],
        status="expired" if is_expired else status,
        created_at=ids.milliseconds(ulid_of(run_id)) // 1000,
        expires_at=expires_at,
        settings=RunSettings(**settings | {"tools": tuple(settings["tools"])}),
        metadata=item["metadata"]["S"],
        version=int(item["version"]["N"]),
        attempt=_text(item, "attempt"),
        started_at=_number(item, "startedAt"),
        ended_at=_number(item, "endedAt"),
        usage=Usage(_number(item, "promptTokens") or 0, _number(item, "completionTokens") or 0),
        steps=tuple(entry["S"] for entry in item["steps"]["L"]),
        waits_for=tuple(entry["S"] for entry in item["waitsFor"]["L"]),
        last_ulid=_text(item, "lastUlid"),
        last_error=Failure(_text(item, "errorCode"), _text(item, "errorMessage")) if "errorCode" in item else None,
        incomplete_reason=_text(item, "incompleteReason") or None,
        body_hash=_text(item, "bodyHash"),
        outputs_hash=_text(item, "outputsHash"),
    )


def update(partition: str, run_id: str, *, when: str, sets: Item, values: Item) -> dict[str, Any]:
    """Return the update of a run's item that sets attributes and the next version, if the condition `when` holds.

    `when` may use `#status` and the names in `values`.
    """
    assignments = [f"#{name} = :{name}" for name in sets]
    names = {*sets, "version"} | ({"status"} if "#status" in when else set())
    return {
        "Key": keys.key(partition, run_id),
        "ConditionExpression": when,
        "UpdateExpression": f"SET {', '.join([*assignments, '#version = #version + :one'])}",
        "ExpressionAttributeNames": {f"#{name}": name for name in sorted(names)},
        "ExpressionAttributeValues": {
            ":one": {"N": "1"},
            **values,
            **{f":{name}": value for name, value in sets.items()},
        },
    }


def update_unchanged(partition: str, run: Run, sets: Item) -> dict[str, Any]:
    """Return the update of a run's item that sets attributes, if the run has not changed since it was read."""
    return update(partition, run.id, when="#version = :seen", sets=sets, values={":seen": {"N": str(run.version)}})


def head_of_run(partition: str, run_id: str, *, ends: bool, message_ulid: str = "", for_seconds: int = 0) -> Write:
    """Return the part of a transaction that changes a thread's head, if this run is its active run.

    The run must not expire within `for_seconds`. `ends` frees the thread. `message_ulid` is the ULID of the run's
    message in the same transaction, or empty.
    """
    return head.change(
        partition,
        [message_ulid] if message_ulid else [],
        when=_IS_ACTIVE,
        sets={"runUntil": {"N": "0"}} if ends else {},
        values={":run": {"S": ulid_of(run_id)}, ":until": {"N": str(int(time.time()) + for_seconds)}},
    )


def new_step(run: Run, ulid: str) -> Step:
    """Return a new step of a run. The time in its ULID is its creation time."""
    created_at = ids.milliseconds(ulid) // 1000
    return Step(keys.STEP_PREFIX + ulid, run.id, run.thread_id, run.assistant_id, created_at, run.expires_at)


def step_items(partition: str, step: Step) -> list[Item]:
    """Return the items of a new step: the step's item, then the chunks of its calls. Raises `TooLargeError`."""
    attributes: Item = {"version": {"N": "1"}}
    if step.message_id:
        attributes["message"] = {"S": step.message_id}
    if step.completed_at is not None:
        attributes["completedAt"] = {"N": str(step.completed_at)}
    attributes |= usage_attributes(step.usage)
    calls = [call._asdict() for call in step.calls]
    return documents.write(keys.key(partition, keys.step(step.run_id, step.id)), attributes, calls)


def step_of(item: Item, calls: list[dict[str, Any]], outputs: dict[str, str], run: Run) -> Step:
    """Return the step of an item and its calls. The status of a step that has not ended follows from its run."""
    check_schema(item)
    step_id = step_id_of(item)
    completed_at = _number(item, "completedAt")
    is_open = completed_at is None
    return Step(
        id=step_id,
        run_id=run.id,
        thread_id=run.thread_id,
        assistant_id=run.assistant_id,
        created_at=ids.milliseconds(step_id.removeprefix(keys.STEP_PREFIX)) // 1000,
        expires_at=run.expires_at,
        status=("in_progress" if run.status in ACTIVE else run.status) if is_open else "completed",
        completed_at=completed_at,
        cancelled_at=run.ended_at if is_open and run.status == "cancelled" else None,
        usage=Usage(int(item["promptTokens"]["N"]), int(item["completionTokens"]["N"])),
        message_id=_text(item, "message") or None,
        calls=tuple(ToolCall(**call | {"output": outputs.get(call["id"])}) for call in calls),
    )


def step_id_of(item: Item) -> str:
    """Return the id of the step that an item holds."""
    return str(item["messageId"]["S"]).rpartition("#")[2]


def usage_attributes(usage: Usage) -> Item:
    """Return the attributes that hold a number of tokens."""
    return {"promptTokens": {"N": str(usage.prompt)}, "completionTokens": {"N": str(usage.completion)}}


def strings(values: list[str]) -> dict[str, Any]:
    """Return a list of texts as an attribute."""
    return {"L": [{"S": value} for value in values]}


def ulid_of(run_id: str) -> str:
    """Return the ULID in a run's id."""
    return run_id.removeprefix(keys.RUN_PREFIX)


def content_json(text: str | None, refusal: str | None) -> str:
    """Return the content of an answer as JSON, in the stored form."""
    parts: list[dict[str, Any]] = []
    if text is not None:
        parts.append({"type": "text", "text": {"value": text, "annotations": []}})
    if refusal is not None:
        parts.append({"type": "refusal", "refusal": refusal})
    return json.dumps(parts, ensure_ascii=False, separators=(",", ":"))


def _text(item: Item, name: str) -> str:
    return str(item[name]["S"]) if name in item else ""


def _number(item: Item, name: str) -> int | None:
    return int(item[name]["N"]) if name in item else None
