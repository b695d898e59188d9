"""The operations of the API: parameters, bodies, responses and errors. Their routes come from the template."""

from dataclasses import dataclass
from typing import Any

from tools.openapi import refusals
from tools.openapi.responses import MESSAGE_ID, PLAIN_ID, THREAD_ID

EXTENSION = {"x-extension": "Not in the Assistants v2 API."}
_ALL_PARAMETERS = "#/components/parameters/"


@dataclass(frozen=True)
class Operation:
    """`bodies` and `response` are names of schemas."""

    summary: str
    tag: str
    response: str
    refusals: tuple[str, ...]
    parameters: tuple[str, ...] = ()
    bodies: tuple[str, ...] = ()
    needs_body: bool = False
    extension: bool = False


_ONCE = ("IdempotencyKey",)
_RANGE = ("Limit", "Order")
_OF_MESSAGES = (*refusals.OF_A_BODY, *refusals.OF_CONTENT)

OPERATIONS = {
    "create_message": Operation(
        "Append a message to a thread.",
        "Messages",
        "MessageObject",
        (*refusals.OF_A_THREAD, *_OF_MESSAGES, *refusals.OF_A_REPEAT, "run_active"),
        _ONCE,
        ("CreateMessage", "AssistantMessage"),
        needs_body=True,
    ),
    "list_messages": Operation(
        "List the messages of a thread, or those of one run.",
        "Messages",
        "MessageList",
        (
            *refusals.OF_A_THREAD,
            *refusals.OF_A_PAGE,
            "malformed_message_cursor",
            "message_not_found",
            "invalid_run_id",
        ),
        (*_RANGE, "MessageAfter", "MessageBefore", "RunId"),
    ),
    "retrieve_message": Operation("Retrieve a message.", "Messages", "MessageObject", refusals.OF_A_MESSAGE),
    "modify_message": Operation(
        "Replace the metadata of a message, its content, or both.",
        "Messages",
        "MessageObject",
        (*refusals.OF_A_MESSAGE, *_OF_MESSAGES),
        (),
        ("ModifyMessage", "ModifyTrustedMessage"),
    ),
    "delete_message": Operation("Delete a message.", "Messages", "DeletedMessage", refusals.OF_A_MESSAGE),
    "create_thread": Operation(
        "Create a thread, with its first messages if there are any.",
        "Threads",
        "ThreadObject",
        (*_OF_MESSAGES, "invalid_tool_resources", "number_out_of_range", *refusals.OF_A_REPEAT),
        _ONCE,
        ("CreateThread",),
    ),
    "list_threads": Operation(
        "List the threads of the key's project, newest first, or those with one value of the indexed metadata key.",
        "Threads",
        "ThreadList",
        (
            *refusals.OF_A_PAGE,
            "malformed_thread_cursor",
            "thread_not_found",
            "unknown_query_parameter",
            "metadata_not_indexed",
            "empty_filter",
        ),
        (*_RANGE, "ThreadAfter", "ThreadBefore", "IndexedMetadata"),
        extension=True,
    ),
    "retrieve_thread": Operation("Retrieve a thread.", "Threads", "ThreadObject", refusals.OF_A_THREAD),
    "modify_thread": Operation(
        "Replace the metadata of a thread, its tool resources, or both.",
        "Threads",
        "ThreadObject",
        (*refusals.OF_A_THREAD, *refusals.OF_A_BODY, "invalid_tool_resources", "number_out_of_range"),
        (),
        ("ModifyThread",),
    ),
    "delete_thread": Operation(
        "Delete a thread with all its messages.", "Threads", "DeletedThread", refusals.OF_A_THREAD
    ),
}


def _of_query(name: str, description: str, schema: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": description, "schema": schema} | more


def _cursor(name: str, pattern: str) -> dict[str, Any]:
    descriptions = {
        "after": "The page continues past this id, in the requested order.",
        "before": "The page ends just before this id, in the requested order.",
    }
    more = "An id is a position: it stays valid when its object is deleted."
    return _of_query(name, f"{descriptions[name]} {more}", {"type": "string", "pattern": _or_empty(pattern)})


def _or_empty(pattern: str) -> str:
    """Return the pattern of a query parameter that may be empty, which means absent: some SDKs send it empty."""
    return f"^({pattern.strip('^$')})?$"


def _of_path(name: str, pattern: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "pattern": pattern}}


PARAMETERS: dict[str, dict[str, Any]] = {
    "ThreadId": _of_path("threadId", THREAD_ID),
    "MessageId": _of_path("messageId", MESSAGE_ID),
    "Limit": _of_query(
        "limit",
        "The largest size of a page.",
        {"type": "integer", "minimum": 1, "maximum": 100, "default": 20},
    ),
    "Order": _of_query("order", "By time of creation.", {"type": "string", "enum": ["asc", "desc"], "default": "desc"}),
    "MessageAfter": _cursor("after", MESSAGE_ID),
    "MessageBefore": _cursor("before", MESSAGE_ID),
    "ThreadAfter": _cursor("after", THREAD_ID),
    "ThreadBefore": _cursor("before", THREAD_ID),
    "RunId": _of_query("run_id", "Only the messages of this run.", {"type": "string", "pattern": _or_empty(PLAIN_ID)}),
    "IndexedMetadata": _of_query(
        "metadata",
        "Only the threads with this value of the metadata key that the deployment indexes, `user_id` by default: "
        "`metadata[user_id]=u-17`. Other keys and an empty value are refused.",
        {
            "type": "object",
            "properties": {"user_id": {"type": "string", "minLength": 1}},
            "additionalProperties": False,
        },
        style="deepObject",
        explode=True,
        **EXTENSION,
    ),
    "IdempotencyKey": EXTENSION
    | {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "For 24 hours, a request with the same key and an equal body gets the first response again.",
        "schema": {"type": "string", "pattern": "^[ -~]{1,255}$"},
    },
}


def parameters(path: str, operation: Operation) -> list[dict[str, str]]:
    """Return references to the parameters of an operation, those of its path first."""
    of_path = [name for name in ("ThreadId", "MessageId") if f"{{{name[0].lower()}{name[1:]}}}" in path]
    return [{"$ref": f"{_ALL_PARAMETERS}{name}"} for name in (*of_path, *operation.parameters)]
