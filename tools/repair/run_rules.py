"""The rules of a thread's runs: the run, its steps and its outputs agree, and all of them have their content.

A walk yields only one problem of each run. Each repair changes the run's item, and the next walk finds the rest.
"""

import time
from collections.abc import Iterator
from typing import Any

from shared import ids
from shared.runs.records import ACTIVE
from shared.runs.store import documents, run_items
from shared.store import items, keys
from tools.repair.problem import Item, Problem, Write, delete

Items = dict[str, Item]

_LOST = "Part of this run was lost when its table was restored. Create another run."


def run_ids(stored: Items) -> list[str]:
    """Return the ids of a thread's runs, oldest first."""
    return sorted(sort for sort in stored if sort.startswith(keys.RUN_PREFIX))


def head_fields(stored: Items) -> Item:
    """Return the attributes that the head of a thread must have for its runs."""
    found = run_ids(stored)
    if not found:
        return {}
    newest = stored[found[-1]]
    until = newest["expiresAt"]["N"] if newest["status"]["S"] in ACTIVE else "0"
    return {"lastRun": {"S": found[-1].removeprefix(keys.RUN_PREFIX)}, "runUntil": {"N": until}}


def problems_of_head(partition: str, stored: Items) -> Iterator[Problem]:
    """Yield the problem of a head that does not agree with the newest run. Such a head could keep a thread locked."""
    seen, wanted = stored[keys.HEAD], head_fields(stored)
    if {name: seen[name] for name in ("lastRun", "runUntil") if name in seen} == wanted:
        return
    update: dict[str, Any] = {
        "Key": keys.key(partition, keys.HEAD),
        "ConditionExpression": "lastRun = :seen" if "lastRun" in seen else "attribute_not_exists(lastRun)",
        "UpdateExpression": "SET lastRun = :lastRun, runUntil = :runUntil" if wanted else "REMOVE lastRun, runUntil",
    }
    values = {f":{name}": value for name, value in wanted.items()}
    values |= {":seen": seen["lastRun"]} if "lastRun" in seen else {}
    yield Problem(partition, "has a head that does not know its newest run", (_update(update, values),))


def problems(partition: str, stored: Items) -> Iterator[Problem]:
    """Yield the problems of a thread's runs, and of steps and outputs whose runs do not exist."""
    runs = run_ids(stored)
    for run_id in runs:
        for rule in (_settings, _lost_steps, _unnamed_steps, _lost_outputs, _lost_message):
            if problem := rule(partition, stored, run_id):
                yield problem
                break
    orphans = [sort for sort in stored if sort.startswith(("step#", "output#")) and not _has_owner(sort, stored)]
    if orphans:
        writes = [write for sort in orphans for write in _erased(partition, stored, sort)]
        yield Problem(partition, f"has {len(orphans)} steps or outputs of no run", tuple(writes))


def _settings(partition: str, stored: Items, run_id: str) -> Problem | None:
    """A run without its settings cannot be shown. The repair deletes the run and its steps, but not its messages."""
    if _is_whole(stored, run_id):
        return None
    owned = [run_id, *(sort for kind in ("step", "output") for sort in stored if sort.startswith(f"{kind}#{run_id}#"))]
    writes = [write for sort in owned for write in _erased(partition, stored, sort)]
    return Problem(partition, f"has lost the settings of {run_id}, which nobody can read", tuple(writes))


def _lost_steps(partition: str, stored: Items, run_id: str) -> Problem | None:
    """Find lost steps. The repair makes the step of a message again, and removes a step of calls from the run.

    A run that waits for such calls fails.
    """
    run, named = stored[run_id], _named(stored, run_id)
    broken = [step_id for step_id in _stored_steps(stored, run_id) if not _is_whole(stored, keys.step(run_id, step_id))]
    gone = [step_id for step_id in named if step_id in broken or keys.step(run_id, step_id) not in stored]
    if not gone and not broken:
        return None
    answers = _unnamed_messages(stored, run_id)
    if len(gone) == len(answers) == 1 and not broken:
        step = _step_of_message(partition, keys.step(run_id, gone[0]), answers[0])
        return Problem(partition, f"has lost the step {gone[0]} of {answers[0]}", ({"Put": {"Item": step}},))
    sets: Item = {"steps": {"L": [{"S": step_id} for step_id in named if step_id not in gone]}}
    if run["waitsFor"]["L"] and named[-1:] == gone[-1:]:
        sets |= _failed()
    writes = [_run_update(partition, run, sets)]
    for step_id in {*gone, *broken}:
        writes += _erased(partition, stored, keys.step(run_id, step_id))
        writes += _erased(partition, stored, keys.outputs(run_id, step_id))
    return Problem(partition, f"has lost the steps {sorted({*gone, *broken})} of {run_id}", tuple(writes))


def _unnamed_steps(partition: str, stored: Items, run_id: str) -> Problem | None:
    named, found = _named(stored, run_id), _stored_steps(stored, run_id)
    if {*found} <= {*named}:
        return None
    steps = {"L": [{"S": step_id} for step_id in sorted({*found, *named})]}
    update = _run_update(partition, stored[run_id], {"steps": steps})
    return Problem(partition, f"has steps that {run_id} does not name", (update,))


def _lost_outputs(partition: str, stored: Items, run_id: str) -> Problem | None:
    """Calls that a run waits for have no outputs. All other calls have outputs, which may be empty."""
    named = _named(stored, run_id)
    waits_for = named[-1] if named and stored[run_id]["waitsFor"]["L"] else ""
    for step_id in named:
        step, sort = stored[keys.step(run_id, step_id)], keys.outputs(run_id, step_id)
        is_taken, has_outputs = "completedAt" in step, sort in stored and _is_whole(stored, sort)
        if "message" in step or is_taken == has_outputs == (is_taken and step_id != waits_for):
            continue
        writes = _erased(partition, stored, sort)
        if step_id == waits_for:
            writes.append(_completed(partition, step, None))
            text = f"has outputs of {step_id}, for which {run_id} waits"
        elif not has_outputs:
            (empty,) = documents.write(keys.key(partition, sort), {"submission": {"S": ""}}, {})
            writes = [*writes[1:], {"Put": {"Item": empty}}]
            text = f"has lost the outputs of {step_id}"
        else:
            writes = [_completed(partition, step, ids.milliseconds(step_id.removeprefix(keys.STEP_PREFIX)) // 1000)]
            text = f"does not know that it has the outputs of {step_id}"
        return Problem(partition, text, tuple(writes))
    return None


def _lost_message(partition: str, stored: Items, run_id: str) -> Problem | None:
    """Find a run whose message is newer than the head's last. Each read of such a run would look for the message."""
    messages = [sort.removeprefix(keys.MESSAGE_PREFIX) for sort in stored if sort.startswith(keys.MESSAGE_PREFIX)]
    last = max([stored[keys.HEAD]["lastUlid"]["S"], *messages])
    if stored[run_id]["lastUlid"]["S"] <= last:
        return None
    update = _run_update(partition, stored[run_id], {"lastUlid": {"S": last}})
    return Problem(partition, f"has lost the newest message of {run_id}", (update,))


def _has_owner(sort: str, stored: Items) -> bool:
    """Return whether the run of a step, or the step of outputs, exists."""
    kind, run_id, step_id = sort.split("#")
    return (run_id if kind == "step" else keys.step(run_id, step_id)) in stored


def _is_whole(stored: Items, sort: str) -> bool:
    return all(key["messageId"]["S"] in stored for key in items.chunk_keys(stored[sort]))


def _named(stored: Items, run_id: str) -> list[str]:
    return [str(step["S"]) for step in stored[run_id]["steps"]["L"]]


def _stored_steps(stored: Items, run_id: str) -> list[str]:
    prefix = keys.step(run_id, "")
    return sorted(sort.removeprefix(prefix) for sort in stored if sort.startswith(prefix))


def _unnamed_messages(stored: Items, run_id: str) -> list[str]:
    """Return the messages of a run that no step of the run names."""
    named = {
        stored[keys.step(run_id, step_id)].get("message", {}).get("S") for step_id in _stored_steps(stored, run_id)
    }
    own = [sort for sort, item in stored.items() if item.get("runId", {}).get("S") == run_id]
    return sorted(sort for sort in own if sort not in named)


def _step_of_message(partition: str, sort: str, message_id: str) -> Item:
    second = {"N": str(ids.milliseconds(message_id.removeprefix(keys.MESSAGE_PREFIX)) // 1000)}
    attributes = {"version": {"N": "1"}, "message": {"S": message_id}, "completedAt": second}
    no_tokens = {"promptTokens": {"N": "0"}, "completionTokens": {"N": "0"}}
    (item,) = documents.write(keys.key(partition, sort), attributes | no_tokens, [])
    return item


def _failed() -> Item:
    """Return the attributes of a run that cannot go on."""
    return {
        "status": {"S": "failed"},
        "waitsFor": {"L": []},
        "endedAt": {"N": str(int(time.time()))},
        "errorCode": {"S": "server_error"},
        "errorMessage": {"S": _LOST},
    }


def _run_update(partition: str, run: Item, sets: Item) -> Write:
    """Return the write that sets attributes of a run, if the run has not changed since it was read."""
    seen = {":seen": run["version"]}
    return {
        "Update": run_items.update(partition, run["messageId"]["S"], when="#version = :seen", sets=sets, values=seen)
    }


def _completed(partition: str, step: Item, second: int | None) -> Write:
    """Return the write that makes a step completed at a second, or not completed for None."""
    expression = "REMOVE completedAt" if second is None else "SET completedAt = :second"
    values = {} if second is None else {":second": {"N": str(second)}}
    key = keys.key(partition, step["messageId"]["S"])
    condition = "attribute_exists(threadId)"
    return _update({"Key": key, "UpdateExpression": expression, "ConditionExpression": condition}, values)


def _update(update: dict[str, Any], values: Item) -> Write:
    return {"Update": update | ({"ExpressionAttributeValues": values} if values else {})}


def _erased(partition: str, stored: Items, sort: str) -> list[Write]:
    """Return the writes that delete an item, which may not exist, and its chunks that exist."""
    chunks = [key["messageId"]["S"] for key in items.chunk_keys(stored.get(sort, {}))]
    return [*delete(partition, sort, *(name for name in chunks if name in stored))]
