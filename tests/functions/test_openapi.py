"""openapi.json describes the responses that the functions return and the bodies that they accept."""

from typing import Any

import pytest

from tests.shared.test_schemas import MESSAGES, WRONG
from tests.support import fault_injection, openapi, refusals
from tests.support.client import Answer, Client, invoke
from tests.support.clock import Clock
from tests.support.refusals import IDS

_CALLS = ("BatchGetItem", "DeleteItem", "GetItem", "Query", "TransactWriteItems", "UpdateItem")
_USER = {"role": "user", "content": "hello"}
_METADATA = [{"a": 1}, {"a": "x" * 513}, {"": "a"}, {"a" * 65: "a"}, {str(number): "" for number in range(17)}, 1]
_ANNOTATION = {"type": "file_path", "text": "a", "file_path": {"file_id": "f"}, "start_index": 0, "end_index": 1}
# Errors of a command that other requests can also have.
_WRONG = [change for change in WRONG if not {"command_id", "project", "thread_id"} & change.keys()]
_MESSAGES = [{name: value for name, value in (_USER | change).items() if value is not ...} for change in _WRONG]
BODIES: list[tuple[str, Any]] = [
    *(("create_message", message) for message in _MESSAGES),
    *(("create_thread", {"messages": [change]}) for change in _MESSAGES),
    *(
        ("modify_message", {"content": change["content"]})
        for change in _WRONG
        if change.get("content", ...) is not ... and "role" not in change  # only a user is not allowed to write this
    ),
    *((function, {"metadata": value}) for function in refusals.BODIES for value in _METADATA),
    *((function, {"unknown": 1}) for function in refusals.BODIES),
    *(
        ("modify_message", {"content": [{"type": "text", "text": text}]})
        for text in ("", {"value": "", "annotations": []})
    ),
    ("modify_message", {"content": [{"type": "refusal", "refusal": ""}]}),
    *((function, [{}]) for function in refusals.BODIES),
    ("modify_message", {"content": [{"type": "text", "text": {"value": "a", "annotations": [{}]}, "more": 1}]}),
    *(
        ("modify_message", {"content": [{"type": "text", "text": {"value": "a", "annotations": [annotation]}}]})
        for annotation in (_ANNOTATION | {"start_index": -1}, _ANNOTATION | {"end_index": 10_000_001})
    ),
    ("create_thread", {"messages": [_USER] * 33}),
    ("create_thread", {"tool_resources": []}),
    ("modify_thread", {"tool_resources": "x"}),
]


@pytest.fixture(scope="module")
def failing(on_the_table: None) -> Client:
    client = Client()
    client.call("list_threads")  # looks the key up
    return client


def call(client: Client, function: str, *ids: str, **options: Any) -> Answer:
    return openapi.check(function, client.call(function, *ids, **options))


@pytest.mark.parametrize(
    "body", [*MESSAGES, _USER | {"content": [{"type": "text", "text": text} for text in ("", "a")]}]
)
def test_every_success_is_as_the_document_says(trusted: Client, body: dict[str, Any]) -> None:
    assert openapi.body_errors("create_message", body) == []
    assert openapi.body_errors("create_thread", {"messages": [body]}) == []

    thread_id = call(trusted, "create_thread", body={"messages": [body], "tool_resources": {"a": []}}).body["id"]
    message_id = call(trusted, "create_message", thread_id, body=body).body["id"]
    answers = [
        call(trusted, "modify_message", thread_id, message_id, body={"metadata": {"a": "b"}}),
        call(trusted, "modify_message", thread_id, message_id, body={"content": body["content"]}),
        call(trusted, "retrieve_message", thread_id, message_id),
        call(trusted, "list_messages", thread_id),
        call(trusted, "list_messages", thread_id, query={"after": message_id, "order": "asc"}),
        call(trusted, "delete_message", thread_id, message_id),
        call(trusted, "modify_thread", thread_id, body={"metadata": {"user_id": "u"}}),
        call(trusted, "retrieve_thread", thread_id),
        call(trusted, "list_threads", query={"metadata[user_id]": "u"}),
        call(trusted, "delete_thread", thread_id),
        call(trusted, "list_threads"),
    ]

    assert [answer.status for answer in answers] == [200] * len(answers)


def test_a_repeated_create_is_as_the_document_says(client: Client) -> None:
    thread_id = client.thread()
    headers = {"idempotency-key": "k"}

    answers = [
        call(client, function, *ids, body=body, headers=headers)
        for function, ids, others in (
            ("create_message", (thread_id,), {**_USER, "content": "other"}),
            ("create_thread", (), {"metadata": {"a": "b"}}),
        )
        for body in (_USER if ids else {}, _USER if ids else {}, others)
    ]

    assert [answer.status for answer in answers] == [200, 200, 409] * 2
    assert [answer.headers.get("idempotent-replayed") for answer in answers] == [None, "true", None] * 2


@pytest.mark.parametrize("function", IDS)
def test_every_refusal_is_as_the_document_says(client: Client, function: str) -> None:
    ids = IDS[function]
    paths = [["runs", "x"][: len(ids)], ["x"] * len(ids), [*ids[:-1], "x"]] if ids else []
    queries = (
        "limit=0",
        "limit=101",
        "limit=x",
        "order=up",
        "after=x",
        "before=x",
        "run_id=%20",
        "metadata[x]=y",
        "x=y",
        "limit=1&limit=2",
        "run_id=r&run_id=r",
        "a=b",
    )
    answers = [
        call(Client(project="", secret="sk-wrong"), function, *ids),
        call(client, function, *ids, headers={"authorization": ""}),
        call(client, function, *ids, body={}),
        *(call(client, function, *path) for path in paths),
        *(call(client, function, *ids, body=body) for body in ("{", "[]", "[" * 1000)),
        *(call(client, function, *ids, query=query) for query in (*queries, "after=msg_x", "after=thread_x")),
        call(client, function, *ids, body=_USER, headers={"idempotency-key": "é"}),
    ]

    assert {401} <= {answer.status for answer in answers} <= {200, 400, 401, 404, 405}


@pytest.mark.parametrize(("function", "wrong"), BODIES, ids=range(len(BODIES)))
def test_what_the_document_refuses_in_a_body_is_refused(trusted: Client, function: str, wrong: Any) -> None:
    answer = call(trusted, function, *IDS[function], body=wrong)

    assert (answer.status, openapi.body_errors(function, wrong) != []) == (400, True)


@pytest.mark.parametrize("function", IDS)
def test_a_fault_and_a_busy_table_are_as_the_document_says(clock: Clock, failing: Client, function: str) -> None:
    for effect, status in ((fault_injection.error("AccessDeniedException"), 500), (fault_injection.throttle, 503)):
        with fault_injection.inject(*(fault_injection.Fault(name, effect, times=0) for name in _CALLS)):
            assert call(failing, function, *IDS[function], body=refusals.BODIES.get(function)).status == status


def test_a_message_that_cannot_be_stored_is_as_the_document_says(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shared.store import items

    thread_id = client.thread()
    message_id = client.message(thread_id)["id"]
    monkeypatch.setattr(items, "_STORED_BYTES", 100)
    content = "".join(map(chr, range(1000, 2000)))

    answers = [
        call(client, "create_message", thread_id, body=_USER | {"content": content}),
        call(client, "modify_message", thread_id, message_id, body={"content": content}),
        call(client, "create_thread", body={"messages": [_USER | {"content": content}]}),
    ]

    assert [answer.status for answer in answers] == [413] * 3


@pytest.mark.parametrize(
    ("path", "method", "response"), [("/threads", "PUT", "MethodNotAllowed"), ("/assistants", "GET", "NotFound")]
)
def test_what_is_no_operation_is_as_the_document_says(client: Client, path: str, method: str, response: str) -> None:
    event = client.event("list_threads") | {"rawPath": path}
    event["requestContext"]["http"]["method"] = method

    answer = invoke("unknown_route", event)

    openapi.check_response(openapi.DOCUMENT["components"]["responses"][response], answer)
