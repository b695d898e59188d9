"""A consumer of events, as docs/events.md tells to write one: it rebuilds threads and messages from what it is told.

Events may come in any order and more than once. What it relies on: an event id is of one change, and the version of an
object grows with each change of it.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

Json = dict[str, Any]
_OF_AN_EVENT = ("event_id", "project", "version", "content_omitted", "previous_metadata", "content_changed")


class _State(NamedTuple):
    """An object in the latest version that was published; None when that is its deletion."""

    version: int
    shown: Json | None


class Consumer:
    """`retrieve` is asked for the content of a message (thread id, message id) that was left out of an event."""

    def __init__(self, retrieve: Callable[[str, str], list[Any]]) -> None:
        self._retrieve = retrieve
        self._seen: set[str] = set()
        self._threads: dict[str, _State] = {}
        self._messages: dict[str, dict[str, _State]] = {}
        self._deleted: set[str] = set()

    def take(self, kind: str, detail: Json) -> None:
        """Take an event, by detail type and detail."""
        if detail["event_id"] in self._seen:
            return
        self._seen.add(detail["event_id"])
        if kind.startswith("thread.run."):
            return
        if kind == "thread.deleted":
            # Nothing of it is told any more; what is still on its way is older.
            self._deleted.add(detail["id"])
            self._threads.pop(detail["id"], None)
            self._messages.pop(detail["id"], None)
        elif kind.startswith("thread.message."):
            if detail["thread_id"] not in self._deleted:
                self._keep(self._messages.setdefault(detail["thread_id"], {}), detail)
        elif detail["id"] not in self._deleted:
            self._keep(self._threads, detail)

    def threads(self) -> dict[str, tuple[Json, list[Json]]]:
        """Return each thread with its messages, oldest first."""
        return {
            thread_id: (thread.shown, self._of(thread_id))
            for thread_id, thread in self._threads.items()
            if thread.shown
        }

    def _of(self, thread_id: str) -> list[Json]:
        states = sorted(self._messages.get(thread_id, {}).items())
        shown = [self._whole(state.shown) for _, state in states if state.shown]
        return [{name: value for name, value in message.items() if name not in _OF_AN_EVENT} for message in shown]

    def _whole(self, message: Json) -> Json:
        if not message["content_omitted"]:
            return message
        return message | {"content": self._retrieve(message["thread_id"], message["id"])}

    def _keep(self, states: dict[str, _State], detail: Json) -> None:
        known = states.get(detail["id"])
        if known and known.version >= detail["version"]:
            return
        if detail.get("deleted"):
            shown = None
        elif detail["object"] == "thread":
            shown = {name: value for name, value in detail.items() if name not in _OF_AN_EVENT}
        else:
            shown = detail
        states[detail["id"]] = _State(detail["version"], shown)
