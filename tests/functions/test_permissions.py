"""Least privilege: what each function asks of AWS in every branch that it has is what its policy allows, no more.

Calls are recorded in botocore. What no policy here speaks of, Lambda does for a function: it reads streams and queues
and writes logs, with policies that SAM attaches, inside the boundary that all functions share.
"""

import random
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

import pytest

from tests.support import aws_calls, expected, fault_injection, stored, stream
from tests.support import event_sources as queues
from tests.support.aws_calls import Use
from tests.support.client import Client, invoke
from tests.support.clock import Clock
from tests.support.event_sources import Queue, asked, erase, queue_changes, sweep
from tests.support.fault_injection import Fault
from tests.support.variables import VARIABLES
from tools.local import template

_PARTS = expected.ROLE_USER | {"content": "".join(map(chr, random.Random(1).choices(range(0x4E00, 0x9FFF), k=180_000)))}
_MORE_THAN_ONE_TRANSACTION = 10
_EDIT = {"content": _PARTS["content"]}
_OF_THE_STREAM = ("DescribeStream", "GetRecords", "GetShardIterator")
_ONCE = {"idempotency-key": "once"}
_RUN = {"role": "assistant", "content": "hi", "run_id": "run_1"}

Scenario = Callable[[Client], set[Use]]


def _called(client: Client, function: str, *ids: str, **options: Any) -> set[Use]:
    """Call a function as an instance that has just started; return what it asked of AWS."""
    from shared import auth

    event = client.event(function, *ids, **options)
    auth._remembered.clear()
    with aws_calls.recorded() as uses:
        assert invoke(function, event).status == 200
    return uses


def _unseen(operation: str, sort: str) -> Fault:
    """The first answer of this call shows nothing whose sort key begins so, as a batch or Query may."""

    def hide(answer: dict[str, Any]) -> None:
        for items in [answer.get("Items", []), *answer.get("Responses", {}).values()]:
            items[:] = [item for item in items if not item["messageId"]["S"].startswith(sort)]

    return Fault(operation, fault_injection.changed(hide))


def _create_message(client: Client) -> set[Use]:
    thread_id = client.thread()
    uses = _called(client, "create_message", thread_id, body=_PARTS, headers=_ONCE)
    return uses | _called(client, "create_message", thread_id, body=_RUN)


def _list_messages(client: Client) -> set[Use]:
    thread_id = client.thread()
    client.message(thread_id, **_PARTS | {"role": "user"})
    client.create("create_message", thread_id, body=_RUN)
    uses = _called(client, "list_messages", thread_id) | _called(
        client, "list_messages", thread_id, query="run_id=run_1"
    )
    with fault_injection.inject(_unseen("Query", "msg_")):
        return uses | _called(client, "list_messages", thread_id)


def _on_a_message(function: str, *bodies: Any) -> Scenario:
    def scenario(client: Client) -> set[Use]:
        thread_id = client.thread()
        uses: set[Use] = set()
        for body in bodies:
            for created, hidden in ((_PARTS, "msg_"), (_RUN, "msg_"), (_PARTS, "none")):
                message_id = client.create("create_message", thread_id, body=created)["id"]
                with fault_injection.inject(_unseen("BatchGetItem", hidden)):
                    uses |= _called(client, function, thread_id, message_id, body=body)
        return uses

    return scenario


def _on_a_thread(function: str, body: Any = None) -> Scenario:
    def scenario(client: Client) -> set[Use]:
        uses: set[Use] = set()
        for hidden in ("none", "thread"):
            thread_id = client.thread(metadata={"user_id": "a"})
            with fault_injection.inject(_unseen("BatchGetItem", hidden)):
                uses |= _called(client, function, thread_id, body=body)
        return uses

    return scenario


def _create_thread(client: Client) -> set[Use]:
    uses = _called(client, "create_thread", body={"metadata": {"user_id": "a"}, "messages": [_RUN]}, headers=_ONCE)
    return uses | _called(client, "create_thread", body={"messages": [_PARTS] * _MORE_THAN_ONE_TRANSACTION})


def _list_threads(client: Client) -> set[Use]:
    client.thread(metadata={"user_id": "a"})
    return _called(client, "list_threads") | _called(client, "list_threads", query={"metadata[user_id]": "a"})


def _retrieve_openapi(client: Client) -> set[Use]:
    with aws_calls.recorded() as uses:
        assert invoke("retrieve_openapi", client.event("list_threads")).status == 200
    return uses


def _unknown_route(client: Client) -> set[Use]:
    from shared import auth

    auth._remembered.clear()
    with aws_calls.recorded() as uses:
        assert invoke("unknown_route", client.event("list_threads") | {"rawPath": "/nowhere"}).status == 404
    return uses


def _queue_erasures(client: Client) -> set[Use]:
    with aws_calls.recorded() as uses:
        queue_changes({"Keys": {"threadId": {"S": f"{client.project}#thread_1"}, "messageId": {"S": "head"}}})
    return uses


def _erase_thread(client: Client) -> set[Use]:
    thread_id = client.thread(metadata={"user_id": "a"}, messages=[expected.ROLE_USER])
    client.create("delete_thread", thread_id)
    partition = f"{client.project}#{thread_id}"
    with aws_calls.recorded() as uses:
        erase(asked(partition), seconds=30)
        erase(asked(partition))
    assert stored.sort_keys(partition) == []
    return uses


def _swept(client: Client, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> set[Use]:

    deleted, _idle = client.thread(), client.thread()
    client.create("delete_thread", deleted)
    monkeypatch.setitem(VARIABLES, "RETENTION_DAYS", "1")
    clock.forward(86_401)
    with aws_calls.recorded() as uses:
        sweep()
    return uses


def _publish_events(client: Client) -> set[Use]:
    from functions import publish_events

    thread_id = client.thread()
    message_id = client.message(thread_id)["id"]
    with stream.changes() as records:
        client.create("create_thread", body={"messages": [_PARTS] * _MORE_THAN_ONE_TRANSACTION})
        client.create("create_message", thread_id, body=_PARTS)
        client.create("delete_message", thread_id, message_id)
    with aws_calls.recorded() as uses:
        publish_events.handler(stream.event(records), None)
    return uses


def _ingest_message(client: Client) -> set[Use]:
    thread_id = client.thread()
    uses: set[Use] = set()
    for group in ("", thread_id):
        for command in (
            queues.command(client, thread_id, run_id="run_1", role="assistant"),
            queues.command(client, thread_id, role="system"),
        ):
            queues.put(command, group)
            uses |= _ingested(fifo=bool(group))
        queues.put(queues.command(client, thread_id), group)
        with fault_injection.inject(Fault("TransactWriteItems", fault_injection.throttle, times=0)):
            uses |= _ingested(fifo=bool(group))
    return uses


def _ingested(*, fifo: bool) -> set[Use]:
    records = queues.take(fifo=fifo)
    with aws_calls.recorded() as uses:
        queues.run(records)
    queues.clear()
    return uses


_SCENARIOS: dict[str, Scenario] = {
    "CreateMessage": _create_message,
    "ListMessages": _list_messages,
    "RetrieveMessage": _on_a_message("retrieve_message", None),
    "ModifyMessage": _on_a_message("modify_message", {"metadata": {"a": "1"}}, _EDIT, {}),
    "DeleteMessage": _on_a_message("delete_message", None),
    "CreateThread": _create_thread,
    "ListThreads": _list_threads,
    "RetrieveThread": _on_a_thread("retrieve_thread"),
    "ModifyThread": _on_a_thread("modify_thread", {"metadata": {"user_id": "b"}}),
    "DeleteThread": _on_a_thread("delete_thread"),
    "RetrieveOpenapi": _retrieve_openapi,
    "UnknownRoute": _unknown_route,
    "QueueErasures": _queue_erasures,
    "EraseThread": _erase_thread,
    "PublishEvents": _publish_events,
    "IngestMessage": _ingest_message,
}


@cache
def _resources() -> dict[str, Any]:
    document = template.read()
    resources: dict[str, Any] = document["Resources"]
    return resources


def _allowed(function: str) -> Iterator[Use]:
    """Yield what a function's policy allows; a use's partition is a pattern there."""
    for policy in _resources()[function]["Properties"].get("Policies", []):
        for statement in policy["Statement"]:
            resources = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
            condition = statement.get("Condition", {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [""]}})
            (patterns,) = condition["ForAllValues:StringLike"].values()
            for action in statement["Action"]:
                for resource in resources:
                    yield from (Use(action, resource["Fn::GetAtt"][0], pattern) for pattern in patterns)


def _matches(use: Use, allowed: Use) -> bool:
    return use[:2] == allowed[:2] and fnmatchcase(use.partition, allowed.partition)


def _compare(function: str, uses: set[Use]) -> None:
    allowed = {*_allowed(function)}
    refused = {use for use in uses if not any(_matches(use, permission) for permission in allowed)}
    unused = {permission for permission in allowed if not any(_matches(use, permission) for use in uses)}

    assert refused == set(), "the policy lacks what the function does"
    assert unused == set(), "the policy allows what the function never does"


@pytest.mark.parametrize("function", _SCENARIOS)
def test_a_function_may_do_what_it_does_and_no_more(function: str, trusted: Client, queue: Queue) -> None:
    if function.startswith("Ingest"):
        queues.clear()
    _compare(function, _SCENARIOS[function](trusted))


def test_the_sweep_may_do_what_it_does_and_no_more(
    client: Client, queue: Queue, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    _compare("SweepThreads", _swept(client, clock, monkeypatch))


def test_the_boundary_of_all_functions_lets_each_do_what_its_policy_allows() -> None:
    within: set[tuple[str, str]] = set()
    for statement in _resources()["Boundary"]["Properties"]["PolicyDocument"]["Statement"]:
        if "Fn::If" not in statement:
            actions, resources = statement["Action"], statement["Resource"]
            assert not [action for action in actions if "*" in action]
            for resource in resources if isinstance(resources, list) else [resources]:
                within |= {(action, resource["Fn::GetAtt"][0]) for action in actions if "Fn::GetAtt" in resource}
    allowed = {use[:2] for function in template.load().functions for use in _allowed(function.name)}

    assert allowed <= within
    assert {use for use in within if use[1] == "Table" and not use[0].endswith(_OF_THE_STREAM)} <= allowed


def test_every_function_has_a_scenario() -> None:
    assert {function.name for function in template.load().functions} == {*_SCENARIOS, "SweepThreads"}


def test_no_function_but_those_of_keys_commands_can_write_a_key() -> None:
    """Nobody who takes over a function gets a key of their own from it."""
    for function in template.load().functions:
        for use in _allowed(function.name):
            if use.resource == "Table" and fnmatchcase("key#" + "0" * 64, use.partition):
                assert use.action == "dynamodb:GetItem"
