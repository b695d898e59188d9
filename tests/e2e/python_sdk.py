"""Tests with the official Python SDK. pytest runs them in the SDK's own environment (see test_python_sdk.py).

Every test runs with the synchronous and with the asynchronous client, both with strict response validation.
"""

import os
import uuid
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import openai
import pytest
from openai.pagination import AsyncCursorPage, SyncCursorPage
from openai.types.beta import Thread

from tests.e2e.python_client import ROOT_URL, Sdk, sdk, test_this_is_the_version_that_was_asked_for

__all__ = ["sdk", "test_this_is_the_version_that_was_asked_for"]

BASE_URL = os.environ["OPENAI_BASE_URL"]
API_KEY = os.environ["OPENAI_API_KEY"]
LOSSY_BASE_URL = os.environ["LOSSY_BASE_URL"]
LONG_THREAD_ID = os.environ["LONG_THREAD_ID"]
OTHER_API_KEY = os.environ["OTHER_API_KEY"]


@pytest.fixture
def thread_id(sdk: Sdk) -> str:
    return str(sdk.run(sdk.threads.create()).id)


def say(sdk: Sdk, thread_id: str, content: Any = "Hello", **fields: Any) -> Any:
    return sdk.run(sdk.messages.create(thread_id, role="user", content=content, **fields))


def test_a_thread_is_created_retrieved_updated_and_deleted(sdk: Sdk) -> None:
    thread = sdk.run(
        sdk.threads.create(
            messages=[{"role": "user", "content": "One"}, {"role": "assistant", "content": "Two"}],
            metadata={"user_id": "u-1"},
            tool_resources={"code_interpreter": {"file_ids": ["file-1"]}},
        )
    )
    assert thread.object == "thread"
    assert thread.metadata == {"user_id": "u-1"}
    assert thread.tool_resources.code_interpreter.file_ids == ["file-1"]
    assert sdk.run(sdk.threads.retrieve(thread.id)) == thread
    texts = [message.content[0].text.value for message in sdk.walk(sdk.messages.list(thread.id, order="asc"))]
    assert texts == ["One", "Two"]
    updated = sdk.run(sdk.threads.update(thread.id, metadata={"user_id": "u-2"}))
    assert (updated.id, updated.metadata) == (thread.id, {"user_id": "u-2"})
    assert updated.tool_resources == thread.tool_resources
    deleted = sdk.run(sdk.threads.delete(thread.id))
    assert (deleted.id, deleted.object, deleted.deleted) == (thread.id, "thread.deleted", True)
    with pytest.raises(openai.NotFoundError, match="No thread found with id"):
        sdk.run(sdk.threads.retrieve(thread.id))


def test_a_thread_without_anything_is_empty(sdk: Sdk, thread_id: str) -> None:
    thread = sdk.run(sdk.threads.retrieve(thread_id))
    assert thread.metadata == {}
    assert sdk.walk(sdk.messages.list(thread_id)) == []


def test_threads_are_listed_newest_first_and_by_user(sdk: Sdk) -> None:
    user = f"u-{uuid.uuid4()}"
    created = [sdk.run(sdk.threads.create(metadata={"user_id": user})) for _ in range(5)]
    page: Any = AsyncCursorPage[Thread] if sdk.runner else SyncCursorPage[Thread]
    options = {"params": {"limit": 2, "metadata[user_id]": user}}
    found = sdk.walk(sdk.client.get_api_list("/threads", model=Thread, page=page, options=options))
    assert found == created[::-1]


def test_the_five_message_operations(sdk: Sdk, thread_id: str) -> None:
    message = say(sdk, thread_id, "How does AI work?", metadata={"a": "1"})
    assert message.object == "thread.message"
    assert (message.thread_id, message.role, message.status) == (thread_id, "user", "completed")
    assert message.content[0].model_dump() == {
        "type": "text",
        "text": {"value": "How does AI work?", "annotations": []},
    }
    assert sdk.walk(sdk.messages.list(thread_id)) == [message]
    assert sdk.run(sdk.messages.retrieve(message.id, thread_id=thread_id)) == message
    updated = sdk.run(sdk.messages.update(message.id, thread_id=thread_id, metadata={"b": "2"}))
    assert updated == message.model_copy(update={"metadata": {"b": "2"}})
    deleted = sdk.run(sdk.messages.delete(message.id, thread_id=thread_id))
    assert (deleted.id, deleted.object, deleted.deleted) == (message.id, "thread.message.deleted", True)
    with pytest.raises(openai.NotFoundError, match="No message found with id"):
        sdk.run(sdk.messages.retrieve(message.id, thread_id=thread_id))
    assert sdk.walk(sdk.messages.list(thread_id)) == []


TEXT = {"type": "text", "text": "Look:"}
STORED_TEXT = {"type": "text", "text": {"value": "Look:", "annotations": []}}


def test_a_message_is_edited(sdk: Sdk, thread_id: str) -> None:
    message = say(sdk, thread_id)
    change = sdk.messages.update(message.id, thread_id=thread_id, extra_body={"content": "Edited"})
    edited = sdk.run(change)
    assert edited.content[0].text.value == "Edited"
    assert sdk.run(sdk.messages.retrieve(message.id, thread_id=thread_id)) == edited


@pytest.mark.parametrize(
    ("content", "stored"),
    [
        ("Look:", [STORED_TEXT]),
        ("é\u0000\U0001f600\n", [{"type": "text", "text": {"value": "é\u0000\U0001f600\n", "annotations": []}}]),
        ([TEXT, TEXT], [STORED_TEXT, STORED_TEXT]),
        (
            [{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}],
            [{"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "auto"}}],
        ),
        (
            [TEXT, {"type": "image_file", "image_file": {"file_id": "file-1", "detail": "low"}}],
            [STORED_TEXT, {"type": "image_file", "image_file": {"file_id": "file-1", "detail": "low"}}],
        ),
    ],
    ids=["text", "characters", "parts", "image_url", "image_file"],
)
def test_every_form_of_content_comes_back(sdk: Sdk, thread_id: str, content: Any, stored: list[Any]) -> None:
    message = say(sdk, thread_id, content)
    assert [part.model_dump() for part in message.content] == stored
    assert sdk.run(sdk.messages.retrieve(message.id, thread_id=thread_id)) == message


def test_attachments_come_back(sdk: Sdk, thread_id: str) -> None:
    attachments = [{"file_id": "file-1", "tools": [{"type": "file_search"}, {"type": "code_interpreter"}]}]
    message = say(sdk, thread_id, attachments=attachments)
    assert [attachment.model_dump() for attachment in message.attachments] == attachments
    assert say(sdk, thread_id, attachments=None).attachments == []


def test_metadata_is_replaced_cleared_by_null_and_kept_when_absent(sdk: Sdk, thread_id: str) -> None:
    message = say(sdk, thread_id, metadata={"a": "1", "b": "2"})

    def update(**fields: Any) -> Any:
        return sdk.run(sdk.messages.update(message.id, thread_id=thread_id, **fields)).metadata

    assert update() == {"a": "1", "b": "2"}
    assert update(metadata={"c": "3"}) == {"c": "3"}
    assert update(metadata=None) == {}
    assert say(sdk, thread_id, metadata=None).metadata == {}


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_iterating_meets_each_of_100_messages_once(sdk: Sdk, order: str) -> None:
    messages = sdk.walk(sdk.messages.list(LONG_THREAD_ID, limit=7, order=order))
    expected = [f"message {number}" for number in range(100)]
    texts = [message.content[0].text.value for message in messages]
    assert texts == (expected if order == "asc" else expected[::-1])
    assert len({message.id for message in messages}) == 100


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_before_walks_the_same_way_back(sdk: Sdk, order: str) -> None:
    ids = [message.id for message in sdk.walk(sdk.messages.list(LONG_THREAD_ID, limit=100, order=order))]
    pages: list[list[str]] = []
    before = ids[-1]
    while True:
        page = sdk.run(sdk.messages.list(LONG_THREAD_ID, limit=7, order=order, before=before))
        pages.insert(0, [message.id for message in page.data])
        before = page.data[0].id
        if not page.has_more:
            break
    assert [message_id for page in pages for message_id in page] == ids[:-1]
    assert {len(page) for page in pages[1:]} == {7}


def test_iterating_between_two_cursors_stays_between_them(sdk: Sdk) -> None:
    ids = [message.id for message in sdk.walk(sdk.messages.list(LONG_THREAD_ID, limit=100))]
    between = sdk.walk(sdk.messages.list(LONG_THREAD_ID, limit=7, after=ids[10], before=ids[50]))
    assert [message.id for message in between] == ids[11:50]


def test_a_page_has_at_most_the_limit(sdk: Sdk) -> None:
    page = sdk.run(sdk.messages.list(LONG_THREAD_ID))
    assert len(page.data) == 20
    assert page.has_more
    created = [message.created_at for message in page.data]
    assert all(newer >= older for newer, older in pairwise(created))


def test_a_given_idempotency_key_makes_one_message(sdk: Sdk, thread_id: str) -> None:
    key = {"Idempotency-Key": str(uuid.uuid4())}
    first = say(sdk, thread_id, "Once", extra_headers=key)
    assert say(sdk, thread_id, "Once", extra_headers=key) == first
    assert sdk.walk(sdk.messages.list(thread_id)) == [first]


def test_a_given_idempotency_key_holds_when_the_answer_is_lost(sdk: Sdk, thread_id: str) -> None:
    client = sdk.new_client(base_url=LOSSY_BASE_URL)
    headers = {"Idempotency-Key": str(uuid.uuid4()), "x-lose": str(uuid.uuid4())}
    create = client.beta.threads.messages.create
    message = sdk.run(create(thread_id, role="user", content="Once", extra_headers=headers))
    assert sdk.walk(sdk.messages.list(thread_id)) == [message]


@pytest.mark.skipif(openai.__version__.startswith("1.35."), reason="1.35 draws another key for each attempt")
def test_the_clients_own_idempotency_header_holds_when_the_answer_is_lost(sdk: Sdk, thread_id: str) -> None:
    client = sdk.new_client(base_url=LOSSY_BASE_URL)
    client._idempotency_header = "Idempotency-Key"
    create = client.beta.threads.messages.create
    messages = [
        sdk.run(create(thread_id, role="user", content="Same", extra_headers={"x-lose": str(uuid.uuid4())}))
        for _ in range(2)
    ]
    assert sdk.walk(sdk.messages.list(thread_id, order="asc")) == messages


def test_without_a_key_a_lost_answer_makes_a_second_message(sdk: Sdk, thread_id: str) -> None:
    create = sdk.new_client(base_url=LOSSY_BASE_URL).beta.threads.messages.create
    sdk.run(create(thread_id, role="user", content="Twice", extra_headers={"x-lose": str(uuid.uuid4())}))
    assert len(sdk.walk(sdk.messages.list(thread_id))) == 2


def test_a_key_used_for_something_else_is_refused_and_not_retried(sdk: Sdk, thread_id: str) -> None:
    create = sdk.new_client(base_url=LOSSY_BASE_URL).beta.threads.messages.create
    key = {"Idempotency-Key": str(uuid.uuid4())}
    sdk.run(create(thread_id, role="user", content="One", extra_headers=key))
    headers = key | {"x-lose": f"only-count {uuid.uuid4()}"}
    with pytest.raises(openai.ConflictError) as refused:
        sdk.run(create(thread_id, role="user", content="Another", extra_headers=headers))
    assert refused.value.code == "idempotency_key_reused"
    assert refused.value.response.headers["x-attempt"] == "1"


Call = Callable[[Sdk, str], Any]
KINDS = {400: openai.BadRequestError, 401: openai.AuthenticationError, 404: openai.NotFoundError}
# Each entry: status, param and code of an error, and the call that gets it.
ERRORS: dict[str, tuple[int, str | None, str | None, Call]] = {
    "role": (400, "role", "invalid_value", lambda s, t: s.messages.create(t, role="human", content="x")),
    "content": (400, "content", None, lambda s, t: s.messages.create(t, role="user", content="")),
    "metadata": (400, "metadata.k", "invalid_type", lambda s, t: s.threads.update(t, metadata={"k": True})),
    "limit": (400, "limit", "integer_above_max_value", lambda s, t: s.messages.list(t, limit=101)),
    "cursor": (400, "after", "invalid_value", lambda s, t: s.messages.list(t, after="nonsense")),
    "malformed id": (400, "thread_id", "invalid_value", lambda s, _: s.threads.retrieve("nonsense")),
    "no thread": (404, None, None, lambda s, _: s.threads.retrieve("thread_none")),
    "no message": (404, None, None, lambda s, t: s.messages.retrieve("msg_none", thread_id=t)),
    "no assistant": (404, None, None, lambda s, t: s.threads.runs.create(t, assistant_id="asst_1")),
    "key": (401, None, "invalid_api_key", lambda s, t: s.new_client(api_key="sk-wrong-1").beta.threads.retrieve(t)),
}


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_is_the_sdks_own_exception(sdk: Sdk, thread_id: str, name: str) -> None:
    status, *expected, call = ERRORS[name]
    with pytest.raises(KINDS[status]) as raised:
        sdk.run(call(sdk, thread_id))
    error = raised.value
    assert [error.param, error.code] == expected
    assert error.type == "invalid_request_error"
    assert isinstance(error.body, dict)
    assert set(error.body) == {"message", "type", "param", "code"}
    assert (error.request_id or "").startswith("req_")


@pytest.mark.parametrize("status", [413, 429, 500, 503])
def test_what_api_gateway_answers_by_itself_is_an_exception_too(sdk: Sdk, status: int) -> None:
    kinds = {413: openai.APIStatusError, 429: openai.RateLimitError}
    client = sdk.new_client(max_retries=0)
    with pytest.raises(kinds.get(status, openai.InternalServerError)) as raised:
        sdk.run(client.beta.threads.create(extra_headers={"x-local-gateway": str(status)}))
    assert raised.value.status_code == status
    assert list(dict(raised.value.response.json())) == ["message"]


@pytest.mark.parametrize("base_url", [ROOT_URL, f"{ROOT_URL}/", BASE_URL, f"{BASE_URL}/"])
def test_the_base_url_may_end_in_v1_or_a_slash(sdk: Sdk, thread_id: str, base_url: str) -> None:
    threads = sdk.new_client(base_url=base_url).beta.threads
    message = sdk.run(threads.messages.create(thread_id, role="user", content="x"))
    assert sdk.walk(threads.messages.list(thread_id)) == [message]


AZURE: dict[str, Callable[[Sdk], Any]] = {
    "AzureOpenAI with api-key": lambda sdk: sdk.new_azure_client(api_key=API_KEY),
    "AzureOpenAI with a token": lambda sdk: sdk.new_azure_client(azure_ad_token=API_KEY),
    "OpenAI at openai/v1": lambda sdk: sdk.new_client(base_url=f"{ROOT_URL}/openai/v1"),
}


@pytest.mark.parametrize("connect", AZURE.values(), ids=AZURE)
def test_all_operations_answer_where_azure_has_them(sdk: Sdk, connect: Callable[[Sdk], Any]) -> None:
    threads = connect(sdk).beta.threads
    messages = threads.messages
    thread = sdk.run(threads.create(metadata={"a": "1"}))
    assert sdk.run(threads.retrieve(thread.id)) == thread
    assert sdk.run(threads.update(thread.id, metadata={"a": "2"})).metadata == {"a": "2"}
    said = [sdk.run(messages.create(thread.id, role="user", content=str(number))) for number in range(5)]
    assert sdk.walk(messages.list(thread.id, limit=2, order="asc")) == said
    assert sdk.run(messages.retrieve(said[0].id, thread_id=thread.id)) == said[0]
    assert sdk.run(messages.update(said[0].id, thread_id=thread.id, metadata={"b": "1"})).metadata == {"b": "1"}
    assert sdk.run(messages.delete(said[0].id, thread_id=thread.id)).deleted
    assert sdk.run(sdk.threads.retrieve(thread.id)).metadata == {"a": "2"}
    assert sdk.run(threads.delete(thread.id)).deleted


def test_a_wrong_key_of_azures_is_an_authentication_error(sdk: Sdk) -> None:
    with pytest.raises(openai.AuthenticationError) as raised:
        sdk.run(sdk.new_azure_client(api_key="sk-wrong-one").beta.threads.create())
    assert raised.value.code == "invalid_api_key"


def test_another_project_sees_and_changes_nothing(sdk: Sdk, thread_id: str) -> None:
    message = say(sdk, thread_id)
    thread = sdk.run(sdk.threads.retrieve(thread_id))
    client = sdk.new_client(api_key=OTHER_API_KEY)
    threads, messages = client.beta.threads, client.beta.threads.messages
    calls: list[Callable[[], Any]] = [
        lambda: threads.retrieve(thread_id),
        lambda: threads.update(thread_id, metadata={"a": "1"}),
        lambda: threads.delete(thread_id),
        lambda: messages.create(thread_id, role="user", content="x"),
        lambda: messages.list(thread_id),
        lambda: messages.retrieve(message.id, thread_id=thread_id),
        lambda: messages.update(message.id, thread_id=thread_id, metadata={"a": "1"}),
        lambda: messages.delete(message.id, thread_id=thread_id),
    ]
    for call in calls:
        with pytest.raises(openai.NotFoundError) as hidden:
            sdk.run(call())
        assert f"No thread found with id '{thread_id}'." in hidden.value.message
    page: Any = AsyncCursorPage[Thread] if sdk.runner else SyncCursorPage[Thread]
    listed = sdk.walk(client.get_api_list("/threads", model=Thread, page=page, options={}))
    assert thread_id not in {thread.id for thread in listed}
    own = sdk.run(threads.create()).id
    with pytest.raises(openai.NotFoundError, match="No message found with id"):
        sdk.run(messages.retrieve(message.id, thread_id=own))
    assert sdk.walk(sdk.messages.list(thread_id)) == [message]
    assert sdk.run(sdk.threads.retrieve(thread_id)) == thread
