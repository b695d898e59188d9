"""API keys: every operation refuses a request without a key that is known and not revoked."""

import os
import time
from typing import Any

import pytest

from tests.support import expected, fault_injection
from tests.support.client import Client, invoke
from tests.support.clock import Clock
from tests.support.fault_injection import Fault
from tests.support.refusals import IDS, NOWHERE

LOOK_UPS = int(os.environ.get("LOOK_UPS") or 1_100)


def _with_headers(client: Client, headers: dict[str, str], function: str = "list_threads") -> Any:
    event = client.event(function, *IDS[function], body="{") | {"headers": headers}
    return invoke(function, event)


@pytest.mark.parametrize("function", [*IDS, "unknown_route"])
def test_every_operation_asks_for_a_key_before_all_else(client: Client, function: str) -> None:
    """Path, query and body are wrong too, and the route does not exist."""
    event = client.event("list_threads") | {
        "rawPath": "/nowhere",
        "pathParameters": {"threadId": "x", "messageId": "x"},
        "rawQueryString": "limit=0",
        "body": "{",
        "headers": {},
    }

    none = invoke(function, event)
    wrong = invoke(function, event | {"headers": {"authorization": "Bearer sk-0123456789"}})

    assert (none.status, none.body) == (401, expected.NO_KEY)
    message = "Incorrect API key provided: sk-***89."
    assert (wrong.status, wrong.body) == (401, expected.error(message, code="invalid_api_key"))


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Bearer    ", "Basic {0}", "{0}", "Bearer{0}", "Token {0}", "bearer\t{0}"]
)
def test_a_header_without_a_bearer_key_is_no_key(client: Client, header: str) -> None:
    with fault_injection.inject() as attempts:
        answer = _with_headers(client, {"authorization": header.format(client.secret)})

    assert (answer.status, answer.body) == (401, expected.NO_KEY)
    assert attempts.operations == []


def test_an_event_without_headers_has_no_key(client: Client) -> None:
    event = client.event("list_threads")
    del event["headers"]

    assert invoke("list_threads", event).body == expected.NO_KEY


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
def test_the_scheme_is_taken_in_any_case(client: Client, scheme: str) -> None:
    assert _with_headers(client, {"authorization": f" {scheme}  {client.secret} "}).status == 200


@pytest.mark.parametrize("value", ["{0}", "  {0} "])
@pytest.mark.parametrize("beside", [{}, {"authorization": ""}, {"authorization": "Basic eDp5"}])
def test_a_key_may_come_as_clients_of_azure_send_it(client: Client, value: str, beside: dict[str, str]) -> None:
    assert _with_headers(client, {"api-key": value.format(client.secret)} | beside).status == 200


@pytest.mark.parametrize("value", ["", "   "])
def test_an_empty_header_of_azures_is_no_key(client: Client, value: str) -> None:
    assert _with_headers(client, {"api-key": value}).body == expected.NO_KEY


def test_a_bearer_key_counts_whatever_azures_header_says(client: Client) -> None:
    """Only the bearer key is checked. The key in the other header has no effect, whether it is right or wrong."""
    bearer = {"authorization": f"Bearer {client.secret}"}
    wrong = {"authorization": "Bearer sk-no-key-of-anybody"}

    assert _with_headers(client, bearer | {"api-key": "sk-0123456789"}).status == 200
    with fault_injection.inject() as attempts:
        answer = _with_headers(client, wrong | {"api-key": client.secret})
    assert answer.error == (401, None, "invalid_api_key")
    assert attempts.operations == ["GetItem"]


@pytest.mark.parametrize(
    ("secret", "shown"),
    [
        ("sk-0123456789abcdef", "sk-***ef"),
        ("sk-012345", "sk-***45"),
        ("sk-01234", "***"),
        ("é", "***"),
        ("\ud800\udc00 🐈", "***"),
        ("x" * 10_000, "xxx***xx"),
        ("sk-a,sk-b sk-c", "sk-***-c"),
    ],
)
def test_of_a_wrong_key_the_answer_shows_a_few_characters(anybody: Client, secret: str, shown: str) -> None:
    answer = _with_headers(anybody, {"authorization": f"Bearer {secret}"})

    error = expected.error(f"Incorrect API key provided: {shown}.", code="invalid_api_key")
    assert (answer.status, answer.body) == (401, error)


def test_a_revoked_key_is_refused_within_a_minute(client: Client, clock: Clock) -> None:
    from shared.store import api_keys

    assert client.call("list_threads").status == 200
    api_keys.revoke(api_keys.hash_of(client.secret)[:16])
    clock.forward(59)
    assert client.call("list_threads").status == 200
    clock.forward(1)

    assert client.call("list_threads").error == (401, None, "invalid_api_key")


def test_a_key_is_looked_up_once_a_minute_whether_it_exists_or_not(client: Client, clock: Clock) -> None:
    for secret in (client.secret, "sk-unknown"):
        with fault_injection.inject() as attempts:
            for _ in range(3):
                _with_headers(client, {"authorization": f"Bearer {secret}"}, "retrieve_thread")
        assert attempts.operations.count("GetItem") == 1
        clock.forward(60)
        with fault_injection.inject() as attempts:
            _with_headers(client, {"authorization": f"Bearer {secret}"}, "retrieve_thread")
        assert attempts.operations.count("GetItem") == 1


@pytest.mark.parametrize("monotonic", [-86_400.0, -1.0, 0.0, 1.0])
def test_a_key_is_looked_up_on_a_machine_that_has_just_started(client: Client, clock: Clock, monotonic: float) -> None:
    clock.forward(monotonic - time.monotonic())

    assert client.call("list_threads").status == 200
    assert _with_headers(client, {"authorization": "Bearer sk-unknown-then"}).error == (401, None, "invalid_api_key")
    clock.forward(61)
    with fault_injection.inject() as attempts:
        assert client.call("list_threads").status == 200
    assert "GetItem" in attempts.operations


def test_made_up_keys_take_only_so_much_memory(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from shared import auth

    monkeypatch.setattr(auth, "_unknown", {})
    monkeypatch.setattr(auth, "_REMEMBERED_KEYS", 3)

    for number in range(10):
        _with_headers(client, {"authorization": f"Bearer sk-{number}"})
    assert len(auth._unknown) == 3
    with fault_injection.inject() as attempts:
        _with_headers(client, {"authorization": "Bearer sk-9"})
        _with_headers(client, {"authorization": "Bearer sk-0"})
    assert attempts.operations == ["GetItem"]


def test_made_up_keys_never_push_out_a_good_one(client: Client, clock: Clock) -> None:
    """Each made-up key costs one read. LOOK_UPS is the number of these keys."""
    from shared import auth

    wrong = f"sk-wrong-{client.project}"  # another key than those of other tests, which may be cached
    assert client.call("list_threads").status == 200
    with fault_injection.inject(Fault("GetItem", fault_injection.answered({}), times=0)) as attempts:
        for number in range(LOOK_UPS):
            assert _with_headers(client, {"api-key": f"{wrong}-{number}"}, "retrieve_thread").status == 401
        assert attempts.operations.count("GetItem") == LOOK_UPS
        attempts.log.clear()
        client.call("retrieve_thread", NOWHERE)

    assert "GetItem" not in attempts.operations
    assert len(auth._unknown) <= 1_000
