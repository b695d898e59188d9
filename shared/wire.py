"""Threads, messages and lists as responses show them: all keys, in the contract's order, as JSON text."""

import json
import re
from collections.abc import Callable

from shared.records import NO_ATTACHMENTS, Message, Page, Record, Thread

# An attachment without tools, as earlier versions stored it.
_WITHOUT_TOOLS = re.compile(r'{("file_id":"(?:[^"\\]|\\.)*")?}')


def message_json(message: Message) -> str:
    """Return a message object. Fields that are JSON text are copied, not parsed, so a page takes only microseconds."""
    data = message.data
    incomplete_at = message.created_at if data.status == "incomplete" else "null"
    return (
        f'{{"id":"{message.id}","object":"thread.message","created_at":{message.created_at},'
        f'"assistant_id":{_or_null(data.assistant_id)},"thread_id":"{message.thread_id}",'
        f'"run_id":{_or_null(data.run_id)},"role":"{data.role}","content":{data.content},'
        f'"attachments":{_attachments(data.attachments)},"metadata":{data.metadata},"status":"{data.status}",'
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
    """Return the response of a delete; `kind` is the object's name, such as `thread.deleted`."""
    return f'{{"id":"{deleted_id}","object":"{kind}","deleted":true}}'


def list_json(page: Page[Record], element_json: Callable[[Record], str]) -> str:
    """Return a page as a list object; `element_json` returns the object of a record."""
    ids = [f'"{record.id}"' for record in page.records]
    first, last = (ids[0], ids[-1]) if ids else ("null", "null")
    return (
        f'{{"object":"list","data":[{",".join(map(element_json, page.records))}],"first_id":{first},"last_id":{last},'
        f'"has_more":{"true" if page.has_more else "false"}}}'
    )


def _attachments(stored: str) -> str:
    """Return attachments that all have `tools`. Most attachments are stored in this form and only copied."""
    if stored == NO_ATTACHMENTS or not _WITHOUT_TOOLS.search(stored):
        return stored
    attachments = [{**attachment, "tools": attachment.get("tools", [])} for attachment in json.loads(stored)]
    return json.dumps(attachments, ensure_ascii=False, separators=(",", ":"))


def _or_null(plain_id: str | None) -> str:
    return f'"{plain_id}"' if plain_id else "null"
