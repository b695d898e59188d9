"""The answer of a model: collects the chunks of its stream and makes the outcome of the call."""

import json
import secrets
from dataclasses import dataclass, field

from shared.models import MAX_CONTENT
from shared.runs.records import Json, Outcome, ToolCall, Usage


@dataclass
class _Call:
    id: str
    name: str = ""
    arguments: str = ""


@dataclass
class Answer:
    """The part of an answer that has arrived. If there are several choices, only the first one is used.

    `has_begun` is set when a chunk has arrived. `is_full` is set when the answer has the greatest length of a message.
    The rest of the stream is then not read.
    """

    finish_reason: str | None = None
    has_begun: bool = False
    is_full: bool = False
    usage: Usage = field(default_factory=Usage)
    _room: int = MAX_CONTENT
    _texts: list[str] = field(default_factory=list)
    _refusals: list[str] = field(default_factory=list)
    _calls: list[_Call] = field(default_factory=list)
    _latest: dict[int, _Call] = field(default_factory=dict)

    @property
    def has_text(self) -> bool:
        """Return whether any text has arrived."""
        return any(self._texts)

    @property
    def has_nameless_call(self) -> bool:
        """Return whether the model calls a function without naming it. A program could not tell which one to run."""
        return not all(call.name for call in self._calls)

    def add(self, chunk: Json) -> str:
        """Add a chunk; return the text in it. Raises any Python error if it is no chunk of a chat completion."""
        self.has_begun = True
        self.usage = _usage(chunk.get("usage")) or self.usage
        return "".join(self._add_choice(choice) for choice in chunk.get("choices") or () if not choice.get("index"))

    def outcome(self, request: Json) -> Outcome:
        """Return the outcome of the call. The answer must be complete."""
        text = _repaired("".join(self._texts))
        refusal = _repaired("".join(self._refusals)) or None
        found = Outcome("completed", text if text or not refusal else None, refusal, usage=self.usage)
        kept = self._calls[:1] if request.get("parallel_tool_calls") is False else self._calls
        if kept and (self.finish_reason != "length" or _is_json(kept[-1].arguments)):
            return found._replace(status="requires_action", text=text or None, calls=_tool_calls(kept, request))
        if self.finish_reason == "length":
            found = found._replace(status="incomplete", text=text or None, message_reason="max_tokens")
            return found._replace(incomplete_reason="max_completion_tokens")
        if self.finish_reason == "content_filter":
            return found._replace(status="incomplete", message_reason="content_filter")
        return found

    def _add_choice(self, choice: Json) -> str:
        delta = choice.get("delta") or {}
        text = self._cut(delta.get("content") or "")
        self._texts.append(text)
        self._refusals.append(self._cut(delta.get("refusal") or ""))
        for call in delta.get("tool_calls") or ():
            self._add_call(call)
        self.finish_reason = "length" if self.is_full else choice.get("finish_reason") or self.finish_reason
        return _repaired(text)

    def _add_call(self, delta: Json) -> None:
        function = delta.get("function") or {}
        index, call_id, name = delta.get("index") or 0, delta.get("id") or "", function.get("name") or ""
        call = self._latest.get(index)
        # Some endpoints give every call the index 0. A chunk with a name and another id therefore begins a new call.
        if not call or (name and call_id not in ("", call.id)):
            call = self._latest[index] = _Call(self._cut(call_id))
            self._calls.append(call)
        call.name = call.name or self._cut(name)
        call.arguments += self._cut(function.get("arguments") or "")

    def _cut(self, text: str) -> str:
        """Return the beginning of a text that still fits into the answer."""
        self.is_full = self.is_full or len(text) > self._room
        kept = text[: self._room]
        self._room -= len(kept)
        return kept


def _usage(value: object) -> Usage | None:
    """Return the tokens that an endpoint counts, or None for any other value. An answer is complete without them."""
    if not isinstance(value, dict):
        return None
    try:
        return Usage(int(value.get("prompt_tokens") or 0), int(value.get("completion_tokens") or 0))
    except (OverflowError, TypeError, ValueError):
        return None


def _tool_calls(calls: list[_Call], request: Json) -> tuple[ToolCall, ...]:
    """Return the calls with ids that are unique in the run: some endpoints start at call_0 in each answer."""
    taken = {call["id"] for message in request["messages"] for call in message.get("tool_calls", ())}
    found = []
    for call in calls:
        call_id = _repaired(call.id)
        if not call_id or call_id in taken:
            call_id = f"call_{secrets.token_hex(12)}"
        taken.add(call_id)
        found.append(ToolCall(call_id, _repaired(call.name), _repaired(call.arguments) or "{}"))
    return tuple(found)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _repaired(text: str) -> str:
    """Return a text that UTF-8 can hold: a stream may cut a pair of surrogates in two, or leave a lone one."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
