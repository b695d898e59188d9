"""Paths that have no route, paths with a route for another method, and the form of the ids in a path."""

import re
from typing import Any

import pytest

from tests.support import expected
from tests.support.client import Answer, Client, invoke
from tests.support.expected import malformed_id
from tests.support.refusals import NOWHERE, refused
from tests.support.variables import VARIABLES
from tools.local import template
from tools.openapi.routes import ROUTES

_ABOUT = {
    "off": "This service stores threads and their messages. Assistants and runs are off: to turn them on, set the "
    "parameter ModelUrl (locally MODEL_URL) to the URL of a model's endpoint. Files and vector stores do not exist "
    "here. See docs/runs.md.",
    "on": "This service has threads, messages, assistants and runs. It has no files and no vector stores.",
}
_STEMS = ["", "/v1", "/openai", "/openai/v1"]
_BODIES: dict[str, Any] = {"create_message": "{", "modify_message": "{", "modify_thread": "{"}


def _default(client: Client, method: str, path: str) -> Answer:
    event = client.event("list_threads")
    event |= {"routeKey": "$default", "rawPath": path, "requestContext": {"http": {"method": method, "path": path}}}
    return invoke("unknown_route", event)


def _unknown(method: str, path: str, runs: str) -> dict[str, Any]:
    return expected.error(f"Unknown request URL: {method} {path}. {_ABOUT[runs]}", code="unknown_url")


@pytest.fixture(params=_ABOUT)
def runs(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Turn runs off, then on."""
    monkeypatch.setitem(VARIABLES, "RUNS", request.param)
    return str(request.param)


@pytest.mark.parametrize("stem", _STEMS)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/assistants"),
        ("POST", "/assistants/asst_1"),
        ("POST", "/files"),
        ("GET", "/vector_stores/vs_1/files"),
        ("PUT", "/threads//runs"),
        ("POST", "/threads/thread_1/runs"),
        ("GET", "/threads/thread_1/runs/run_1/steps"),
        ("POST", "/threads/thread_1/runs/run_1/submit_tool_outputs"),
        ("POST", "/chat/completions"),
        ("GET", "/threads/thread_1/messages/msg_1/files"),
        ("POST", "/deployments/gpt/chat/completions"),
        ("GET", "/v2/threads"),
        ("GET", "/openai/openai/threads"),
        ("GET", "/threads//messages"),
        ("GET", "/Threads"),
        ("GET", "/v1/runs"),
        ("GET", "/threads/v1"),
        ("GET", "/threads/thread_1/runs//steps"),
        ("POST", "/threads/thread_1/runs//cancel"),
        ("POST", "/threads//runs/run_1/cancel"),
        ("GET", "/threads//messages/msg_1"),
        ("PATCH", "/"),
        ("GET", "/é\n"),
    ],
)
def test_what_is_no_route_is_unknown_and_says_what_is(
    anybody: Client, runs: str, method: str, path: str, stem: str
) -> None:
    answer = _default(anybody, method, stem + path)

    assert (answer.status, answer.body) == (404, _unknown(method, stem + path, runs))
    assert "allow" not in answer.headers


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("//threads", "/threads"),
        ("/v1//threads", "/v1/threads"),
        ("/v1/v1/threads", "/v1/threads"),
        ("/v1//v1/v1/threads/", "/v1/threads"),
        ("/openai/v1/v1/threads/thread_1", "/openai/v1/threads/thread_1"),
        ("/openai//threads", "/openai/threads"),
        ("/threads/", "/threads"),
        ("/v1/threads/thread_1/", "/v1/threads/thread_1"),
        ("/threads/thread_1//messages", "/threads/thread_1/messages"),
        ("/threads/thread_1/messages/", "/threads/thread_1/messages"),
        ("/v1/v1/threads/thread_1/messages/msg_1//", "/v1/threads/thread_1/messages/msg_1"),
        ("/v1/v1/openapi.json", "/v1/openapi.json"),
        ("/v1//assistants", "/v1/assistants"),
        ("/assistants/", "/assistants"),
        ("/v1/v1/assistants/asst_1", "/v1/assistants/asst_1"),
        ("/threads/runs/", "/threads/runs"),
        ("/v1//threads/runs", "/v1/threads/runs"),
        ("/threads/thread_1/runs//", "/threads/thread_1/runs"),
        ("/openai/v1/v1/threads/thread_1/runs/run_1", "/openai/v1/threads/thread_1/runs/run_1"),
        ("/threads/thread_1//runs/run_1/cancel", "/threads/thread_1/runs/run_1/cancel"),
        ("/v1/v1/threads/thread_1/runs/run_1/steps/", "/v1/threads/thread_1/runs/run_1/steps"),
    ],
)
def test_a_path_with_a_slash_or_a_version_too_many_names_the_path_that_was_meant(
    anybody: Client, runs: str, path: str, meant: str
) -> None:
    """Paths of assistants and runs are named only if runs are on."""
    is_known = runs == "on" or not re.search("assistants|runs", path)
    for method in ("GET", "POST", "PUT"):
        answer = _default(anybody, method, path)
        error = _misspelt(method, path, meant) if is_known else _unknown(method, path, runs)
        assert (answer.status, answer.body) == (404, error)
        assert "allow" not in answer.headers


@pytest.mark.parametrize(
    ("function", "path", "meant"),
    [
        ("assistants", "/assistants/asst_1/", "/assistants/asst_1"),
        ("runs", "/v1/threads/thread_1/runs/run_1//", "/v1/threads/thread_1/runs/run_1"),
        ("runs", "/threads/thread_1/runs/run_1//cancel", "/threads/thread_1/runs/run_1/cancel"),
    ],
)
def test_so_does_such_a_path_of_runs_that_reaches_the_function_of_its_route(
    anybody: Client, function: str, path: str, meant: str
) -> None:
    answer = invoke(function, anybody.event_at("POST", path, {}))

    assert (answer.status, answer.body) == (404, _misspelt("POST", path, meant))


def _misspelt(method: str, path: str, meant: str) -> dict[str, Any]:
    message = (
        f"Unknown request URL: {method} {path}. Use '{meant}' instead: there is a '/' or a '/v1' too many, "
        "perhaps in the base URL of the client."
    )
    return expected.error(message, code="unknown_url")


def test_each_path_names_the_methods_that_its_routes_have_and_no_other_path_does(
    anybody: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The routes are those of the template without runs, and those in the tables of assistants and runs."""
    from functions import unknown_route

    for runs, known in (("off", unknown_route._METHODS), ("on", unknown_route._METHODS_OF_RUNS)):
        monkeypatch.setitem(VARIABLES, "RUNS", runs)
        methods: dict[str, set[str]] = {}
        for path, method in _routes(runs):
            # An id that resembles the name of the path for runs.
            methods.setdefault(re.sub("{[^}]*}", "runs_1", path), set()).add(method)
        assert methods
        for path, found in methods.items():
            allowed = [method for method in ("GET", "POST", "DELETE") if method in found]
            for method in {"PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"} - found:
                answer = _default(anybody, method, path)
                assert (answer.status, answer.body) == (405, expected.error(f"Not allowed: {method} {path}."))
                assert answer.headers["allow"] == ", ".join(allowed), path
        for pattern, _ in known:
            assert any(pattern.fullmatch(path) for path in methods), "a path without a route"


def _routes(runs: str) -> list[tuple[str, str]]:
    if runs == "on":
        return [(stem + path, method) for _, method, path in ROUTES.values() for stem in _STEMS]
    routes = [route for function in template.load().functions for route in function.routes]
    return [(route.path, route.method) for route in routes if route.path != "$default"]


_PREFLIGHT = {"origin": "https://a.example", "access-control-request-method": "POST"}


def _options(client: Client, headers: dict[str, str]) -> dict[str, Any]:
    about = {"method": "OPTIONS", "path": "/threads"}
    event = client.event("list_threads") | {"headers": headers, "requestContext": {"http": about}}
    return _handled(event)


def _handled(event: dict[str, Any]) -> dict[str, Any]:
    from functions import unknown_route

    return unknown_route.handler(event, None)


def test_a_preflight_which_never_has_a_key_passes_and_learns_nothing(anybody: Client) -> None:
    assert _options(anybody, _PREFLIGHT) == {"statusCode": 204}


@pytest.mark.parametrize("absent", _PREFLIGHT)
def test_another_options_request_needs_a_key_like_any(anybody: Client, absent: str) -> None:
    headers = {name: value for name, value in _PREFLIGHT.items() if name != absent}

    assert _options(anybody, headers)["statusCode"] == 401


def test_another_method_is_no_preflight(anybody: Client) -> None:
    event = anybody.event("list_threads", headers=_PREFLIGHT) | {"rawPath": "/nowhere"}

    assert _handled(event)["statusCode"] == 404


_ON_A_THREAD = ["retrieve_thread", "modify_thread", "delete_thread", "create_message", "list_messages"]
_ON_A_MESSAGE = ["retrieve_message", "modify_message", "delete_message"]
_MALFORMED = [
    "",
    "x",
    "{0}",
    "{0}_",
    "{0}-1",
    "X{0}_1",
    "{0}_é",
    "{0}_\u0660",
    "{0}_a b",
    "{0}_a#b",
    "{0}_a/b",
    "{0}_a\n",
]
_OTHERS = {"thread": "msg_1", "msg": "thread_1"}


@pytest.mark.parametrize("function", [*_ON_A_THREAD, *_ON_A_MESSAGE])
def test_a_thread_id_that_cannot_be_one_is_refused(anybody: Client, function: str) -> None:
    """The refusal comes before those of the query, the body and the message's id, which are wrong as well."""
    for form in (*_MALFORMED, _OTHERS["thread"], "thread_" + "x" * 122):
        thread_id = form.format("thread")
        ids = [thread_id, "x"] if function in _ON_A_MESSAGE else [thread_id]
        answer = refused(anybody, function, *ids, body=_BODIES.get(function), query="limit=0")
        assert (answer.status, answer.body) == (400, malformed_id("thread_id", thread_id, "thread"))


@pytest.mark.parametrize("function", _ON_A_MESSAGE)
def test_a_message_id_that_cannot_be_one_is_refused(anybody: Client, function: str) -> None:
    """The refusal comes before that of the body, which is wrong as well, and before the search for the thread."""
    for form in (*_MALFORMED, _OTHERS["msg"], "head", "part#msg_1", "msg_" + "x" * 125):
        message_id = form.format("msg")
        answer = refused(anybody, function, NOWHERE, message_id, body=_BODIES.get(function))
        assert (answer.status, answer.body) == (400, malformed_id("message_id", message_id, "msg"))


@pytest.mark.parametrize("function", [*_ON_A_THREAD, *_ON_A_MESSAGE])
def test_ids_of_128_characters_are_looked_for(client: Client, function: str) -> None:
    ids = ["thread_" + "-" * 121, "msg_" + "_" * 124][: 2 if function in _ON_A_MESSAGE else 1]
    body = expected.ROLE_USER if function == "create_message" else None

    answer = client.call(function, *ids, body=body)

    assert (answer.status, answer.body) == (404, expected.no_thread(ids[0]))


@pytest.mark.parametrize("function", _ON_A_THREAD)
def test_runs_are_no_thread(anybody: Client, runs: str, function: str) -> None:
    """`/threads/runs` has the form of a thread's path. If runs are on, its only method is POST."""
    answer = refused(anybody, function, "runs", body=_BODIES.get(function))
    event = anybody.event(function, "runs")

    method, path = event["requestContext"]["http"]["method"], event["rawPath"]
    if runs == "on" and path == "/threads/runs":
        assert (answer.status, answer.body) == (405, expected.error(f"Not allowed: {method} {path}."))
        assert answer.headers["allow"] == "POST"
    else:
        assert (answer.status, answer.body) == (404, _unknown(method, path, runs))


@pytest.mark.parametrize("header", ["assistants=v1", "assistants=v2", "", "x"])
def test_the_beta_header_is_taken_and_not_needed(client: Client, header: str) -> None:
    assert client.call("list_threads", headers={"openai-beta": header}).status == 200
