"""Checks what must always hold for a project's items, whatever happened to the calls that wrote them."""

import json
import re
import time
from collections.abc import Iterable
from typing import Any

from shared.settings import settings

Item = dict[str, Any]
_PART = re.compile(r"part#(msg_[0-9A-Z]{26})#([0-9]{8})#([0-9]{2})")
_ACTIVE = {"queued", "in_progress", "requires_action"}
_RUN = re.compile(r"run#([A-Za-z0-9_-]{1,128})#(msg_[0-9A-Z]{26})")
_OF_A_THREAD = re.compile(r"head|thread|msg_[0-9A-Z]{26}|once#[0-9a-f]{64}|part#.*|run#.*|run_.*|(step|output)#run_.*")


def check_project(project: str, partitions: Iterable[str] = ()) -> None:
    """Read all of a project's threads, and also these partitions, and assert that they are whole.

    `partitions` are those that calls have named. Items in a partition that is in no list are orphans.
    """
    from shared.store import keys

    prefix = f"{project}#"
    entries = {name: _read(name) for name in keys.threads_partitions(project, settings().list_shards)}
    listed = {prefix + item["thread"]["S"] for items in entries.values() for item in items}
    named = {name for name in partitions if name.startswith(f"{prefix}thread_")}
    indexed = {name for name in partitions if name.startswith(f"{prefix}threads#")} - entries.keys()
    expected: set[tuple[str, str]] = set()
    for partition in sorted(listed | named):
        expected |= _check_thread(partition, _read(partition))
    indexed |= {name for name, _ in expected} - entries.keys()
    found = {(name, item["messageId"]["S"]) for name, items in entries.items() for item in items}
    found |= {(name, item["messageId"]["S"]) for name in indexed for item in _read(name)}
    assert found == expected, f"lists and threads differ: {found ^ expected}"


def _check_thread(partition: str, items: list[Item]) -> set[tuple[str, str]]:
    """Assert that a thread is whole. Return the entries that lists must have for it, as (partition, ULID)."""
    by_key = {item["messageId"]["S"]: item for item in items}
    assert all(item["v"]["N"] == "1" for item in items)
    assert all(_OF_A_THREAD.fullmatch(name) for name in by_key), [*by_key]
    if not items:
        return set()
    assert "head" in by_key, f"without a head: {[*by_key]}"
    head = by_key["head"]
    state = head["state"]["S"]
    if state == "open":
        _check_head(head, by_key)
        _check_messages(by_key)
        _check_runs(head, by_key)
    assert state in {"open", "pending", "erasing"}
    assert "thread" in by_key or state != "open"
    entries = [entry["S"] for entry in by_key.get("thread", head)["entries"]["L"]]
    if state == "open":
        _check_entries(partition, by_key["thread"], entries)
    return {(entry, partition[-26:]) for entry in entries}


def _check_head(head: Item, by_key: dict[str, Item]) -> None:
    """Assert that the head has the ids of the 17 newest messages in their order, including deleted ones."""
    recent = [head[name]["S"] for name in ("lastUlid", *(f"r{number}" for number in range(1, 17)))]
    known = [ulid for ulid in recent if ulid]
    assert recent == known + [""] * (17 - len(known))
    assert known == sorted(set(known), reverse=True)
    stored = {name[4:] for name in by_key if name.startswith("msg_")}
    oldest = known[-1] if len(known) == 17 else ""
    assert {ulid for ulid in stored if ulid >= oldest} <= {*known}, "a message that the head does not know"


def _check_messages(by_key: dict[str, Item]) -> None:
    """Assert that each message has its parts and its run's entry, and that each part and entry has its message."""
    items = [*by_key.values()]
    missing = _owned(items) - by_key.keys()
    assert not missing, f"missing: {sorted(missing)}"
    for name in by_key.keys() - _owned(items):
        match = _PART.fullmatch(name)
        assert match, f"of no message: {name}"
        current = by_key.get(match[1], {}).get("parts", {}).get("M", {}).get("generation", {}).get("N")
        # The parts of a deleted or edited message are removed later, by the function that reads the stream.
        assert match[1] not in by_key or int(current or 1 << 31) > int(match[2]), f"a part that no edit left: {name}"
    for name, item in by_key.items():
        if name.startswith("once#"):
            last = max(by_key["head"]["lastUlid"]["S"], by_key["head"].get("lastRun", {"S": ""})["S"])
            assert item["ulid"]["S"] <= last, "a marker of no create"


def _check_runs(head: Item, by_key: dict[str, Item]) -> None:
    """Assert that the head has the newest run, and whether it has ended.

    The items that a run names exist, and there are no other items of runs.
    """
    found = [item for name, item in sorted(by_key.items()) if name.startswith("run_")]
    newest = head.get("lastRun", {"S": ""})["S"]
    assert newest == (found[-1]["messageId"]["S"].removeprefix("run_") if found else "")
    assert [run["messageId"]["S"] for run in found[:-1] if run["status"]["S"] in _ACTIVE] == _expired(found[:-1])
    if found:
        is_active = found[-1]["status"]["S"] in _ACTIVE
        assert head["runUntil"]["N"] == (found[-1]["expiresAt"]["N"] if is_active else "0"), "runUntil"
    owned = {name for run in found for name in _owned_by_run(run, by_key)}
    stored = {name for name in by_key if name.startswith(("step#", "output#"))}
    assert stored == owned, f"steps and runs differ: {sorted(stored ^ owned)}"


def _owned_by_run(run: Item, by_key: dict[str, Item]) -> set[str]:
    """Check a run's steps and outputs, and return their sort keys. Each call has one output, or waits for it."""
    run_id, step_ids = run["messageId"]["S"], [step["S"] for step in run["steps"]["L"]]
    assert step_ids == sorted(set(step_ids))
    answers = [item["messageId"]["S"] for item in by_key.values() if item.get("runId", {}).get("S") == run_id]
    steps = {step_id: by_key[f"step#{run_id}#{step_id}"] for step_id in step_ids}
    assert {step["message"]["S"] for step in steps.values() if "message" in step} >= {*answers}, "a message of no step"
    of_calls = [step_id for step_id, step in steps.items() if "message" not in step]
    assert bool(run["waitsFor"]["L"]) == (run["status"]["S"] == "requires_action")
    if run["status"]["S"] == "completed":
        assert of_calls != step_ids[-1:], "completed without its answer"
    taken = [step_id for step_id in of_calls if f"output#{run_id}#{step_id}" in by_key]
    assert [step_id for step_id in of_calls if "completedAt" in steps[step_id]] == taken
    # Only the last step may lack outputs: it waits, or the run ended while it waited.
    assert taken in (of_calls, of_calls[:-1])
    return {f"step#{run_id}#{step_id}" for step_id in step_ids} | {f"output#{run_id}#{step_id}" for step_id in taken}


def _expired(runs: list[Item]) -> list[str]:
    """Return the ids of the expired runs that are still stored as active."""
    now = time.time()
    return [
        run["messageId"]["S"] for run in runs if run["status"]["S"] in _ACTIVE and int(run["expiresAt"]["N"]) <= now
    ]


def check_assistants(project: str) -> None:
    """Assert that each of a project's assistants is whole and listed once, and that deleted ones have left no items."""
    from shared.store import keys
    from shared.store.items import chunk_keys

    items = {item["messageId"]["S"]: item for item in _read(keys.assistants_partition(project))}
    found = {name: item for name, item in items.items() if name.startswith("asst_")}
    assert {f"list#{item['ulid']['S']}": name for name, item in found.items()} == {
        name: item["assistant"]["S"] for name, item in items.items() if name.startswith("list#")
    }
    chunks = {key["messageId"]["S"] for item in found.values() for key in chunk_keys(item)}
    assert chunks <= {name for name in items if name.startswith("part#")}


def _owned(items: list[Item]) -> set[str]:
    """Return the sort keys of the head, the thread, the markers and all that belongs to a message that exists."""
    from shared.store.items import chunk_keys

    owned: set[str] = set()
    for item in items:
        name = item["messageId"]["S"]
        if name in {"head", "thread"} or name.startswith(("once#", "msg_", "run_", "step#", "output#")):
            owned.add(name)
        if name.startswith(("msg_", "run_", "step#", "output#")):
            owned |= {key["messageId"]["S"] for key in chunk_keys(item)}
        if name.startswith("msg_"):
            owned |= {f"run#{item['runId']['S']}#{name}"} if "runId" in item else set()
    return owned


def _check_entries(partition: str, thread: Item, entries: list[str]) -> None:
    """Assert that a thread is in its project's list, and in the list of its indexed metadata value."""
    from shared.store import keys

    project = partition.partition("#")[0]
    value = json.loads(thread.get("metadata", {"S": "{}"})["S"]).get(settings().indexed_key)
    indexed = [] if value is None else [keys.indexed_partition(project, settings().indexed_key, value)]
    assert entries[1:] == indexed


def _read(partition: str) -> list[Item]:
    from shared.store import table

    table.set_deadline(60)
    return list(table.query(partition, "!", "~"))
