"""Threads and messages as records, between the store and the JSON of the API.

Content, attachments, metadata and tool resources stay JSON text. The text is made once, after a request has been
validated. From then on it is only copied into items and responses.
"""

from typing import Generic, NamedTuple, Protocol, TypeVar


class _HasId(Protocol):
    @property
    def id(self) -> str: ...


Record = TypeVar("Record", bound=_HasId)

NO_ATTACHMENTS = "[]"
NO_METADATA = "{}"
NO_TOOL_RESOURCES = "{}"


class MessageData(NamedTuple):
    """A message without its id and time. `content`, `attachments`, `metadata` and `incomplete_details` are JSON.

    Only the answer of a run has `completed_at`, in seconds since 1970.
    """

    role: str
    content: str
    attachments: str = NO_ATTACHMENTS
    metadata: str = NO_METADATA
    assistant_id: str | None = None
    run_id: str | None = None
    status: str = "completed"
    incomplete_details: str | None = None
    completed_at: int | None = None


class Message(NamedTuple):
    """A message in its thread; `created_at` in seconds since 1970."""

    id: str
    thread_id: str
    created_at: int
    data: MessageData


class Thread(NamedTuple):
    """A thread without its messages; `metadata` and `tool_resources` are JSON, `created_at` in seconds since 1970."""

    id: str
    created_at: int
    metadata: str = NO_METADATA
    tool_resources: str = NO_TOOL_RESOURCES


class ThreadData(NamedTuple):
    """All data that a client gives for a new thread.

    `metadata` and `tool_resources` are JSON. `messages` are the thread's first messages.
    """

    metadata: str = NO_METADATA
    tool_resources: str = NO_TOOL_RESOURCES
    messages: tuple[MessageData, ...] = ()


class Page(NamedTuple, Generic[Record]):
    """One page of a list, in the requested order."""

    records: list[Record]
    has_more: bool


class PageRequest(NamedTuple):
    """The requested page. `limit` is 1 to 100.

    `after` and `before` are each the ULID of an id of this API, a whole id that was made elsewhere, or empty.
    """

    limit: int
    ascending: bool
    after: str
    before: str
