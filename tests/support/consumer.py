"""A consumer of events, written as docs/events.md recommends. It rebuilds threads and messages from their events.

Events may come in any order and more than once. The consumer relies on two rules: an event id belongs to one change,
and the version of an object grows with each of its changes.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

Json = dict[str, Any]
_OF_AN_EVENT = ("event_id", "project", "version", "content_omitted", "previous_metadata", "content_changed")


class _State(NamedTuple):
    """An object in its latest published version. `shown` is None if this version is the deletion."""

    version: int
    shown: Json | None


class Consumer:
    """`retrieve` takes a thread id and a message id. It returns a message's content that an event omitted."""

    def __init__(self, retrieve: Callable[[str, str], list[Any]]) -> None:
        self._retrieve = retrieve
        self._seen: set[str] = set()
        self._threads: dict[str, _State] = {}
        self._messages: dict[str, dict[str, _State]] = {}
        self._deleted: set[str] = set()

    def take(self, kind: str, detail: Json) -> None:
        """Process an event, given by its detail type and its detail."""
        if detail["event_id"] in self._seen:
            return
        self._seen.add(detail["event_id"])
        if kind.startswith("thread.run."):
            return
        if kind == "thread.deleted":
            # There are no later events of this thread. Events that are still on their way are older.
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
