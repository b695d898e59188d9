"""The events of runs: one for each new status of a run. An expiry has no event, because nothing writes the status."""

import json
from typing import Any

from shared.runs.store import documents, run_items, steps
from shared.runs.wire import run_object
from shared.store.table import Item

# Fields that are long and never change. A consumer that needs them retrieves the run.
_LEFT_OUT = ("instructions", "tools")
# Further fields that are omitted if an event would be too large.
_OMITTED = ("required_action", "tool_resources")


def has_new_status(new: Item, old: Item | None) -> bool:
    """Return whether a change of a run's item changes its status."""
    return old is None or old["status"] != new["status"]


def run_event(item: Item, limit: int) -> tuple[str, str] | None:
    """Return the detail type and the detail of a run's event, or None if its thread is being erased.

    If the detail had more than `limit` bytes, it omits the calls that the run waits for and its tool resources. Raises
    `NewerItemError`, `BusyError`.
    """
    project, _, thread_id = item["threadId"]["S"].partition("#")
    (settings,) = documents.read([item])
    if settings is None:
        return None
    # The event has the stored status, even if the run has expired since.
    run = run_items.run_of(item, settings, thread_id)._replace(status=item["status"]["S"])
    calls = steps.waiting_calls(project, run)
    if run.status == "requires_action" and not calls:
        return None
    shown = run_object(run, calls)
    detail: dict[str, Any] = {name: value for name, value in shown.items() if name not in _LEFT_OUT}
    detail |= {
        "event_id": f"{project}/{thread_id}/{run.id}/{run.version}",
        "project": project,
        "version": run.version,
        "content_omitted": False,
    }
    text = json.dumps(detail, ensure_ascii=False, separators=(",", ":"))
    if len(text.encode()) > limit:
        detail |= dict.fromkeys(_OMITTED) | {"tool_resources": {}, "content_omitted": True}
        text = json.dumps(detail, ensure_ascii=False, separators=(",", ":"))
    return f"thread.run.{run.status}", text
