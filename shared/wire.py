"""Threads, messages and lists as the wire shows them: all keys, in the contract's order, as JSON text."""

from collections.abc import Callable

from shared.records import Message, Page, Record, Thread


def message_json(message: Message) -> str:
    """Return a message object. What is JSON already is copied, not parsed: a page is put together in microseconds."""
    data = message.data
    incomplete_at = message.created_at if data.status == "incomplete" else "null"
    return (
        f'{{"id":"{message.id}","object":"thread.message","created_at":{message.created_at},'
        f'"assistant_id":{_or_null(data.assistant_id)},"thread_id":"{message.thread_id}",'
        f'"run_id":{_or_null(data.run_id)},"role":"{data.role}","content":{data.content},'
        f'"attachments":{data.attachments},"metadata":{data.metadata},"status":"{data.status}",'
        f'"incomplete_details":{data.incomplete_details or "null"},"completed_at":{data.completed_at or "null"},'
        f'"incomplete_at":{incomplete_at}}}'
    )


def thread_json(thread: Thread) -> str:
    """Return a thread object."""
    return (
        f'{{"id":"{thread.id}","object":"thread","created_at":{thread.created_at},'
        f'"metadata":{thread.metadata},"tool_resources":{thread.tool_resources}}}'
    )


def deleted_json(deleted_id: str, kind: str) -> str:
    """Return what a delete answers; `kind` is the object's name, such as `thread.deleted`."""
    return f'{{"id":"{deleted_id}","object":"{kind}","deleted":true}}'


def list_json(page: Page[Record], element_json: Callable[[Record], str]) -> str:
    """Return a list object of a page; `element_json` returns the object of one of its records."""
    ids = [f'"{record.id}"' for record in page.records]
    first, last = (ids[0], ids[-1]) if ids else ("null", "null")
    return (
        f'{{"object":"list","data":[{",".join(map(element_json, page.records))}],"first_id":{first},"last_id":{last},'
        f'"has_more":{"true" if page.has_more else "false"}}}'
    )


def _or_null(plain_id: str | None) -> str:
    return f'"{plain_id}"' if plain_id else "null"
