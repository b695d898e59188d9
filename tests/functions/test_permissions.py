"""Least privilege: the policy of each function allows exactly the AWS calls that the function makes in its branches.

Calls are recorded in botocore. Lambda itself reads streams and queues and writes logs for a function. SAM attaches the
policies for that, within the boundary that all functions share.
"""

import random
import uuid
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

import boto3
import pytest

from tests.support import aws_calls, expected, fault_injection, runs, stored, stream
from tests.support import event_sources as queues
from tests.support.aws_calls import Use
from tests.support.chat_stub import calls, chatting
from tests.support.client import Client, invoke
from tests.support.clock import Clock
from tests.support.event_sources import Queue, asked, erase, queue_changes, sweep
from tests.support.fault_injection import Fault
from tests.support.memory import MODEL
from tests.support.runs import Runs
from tests.support.variables import VARIABLES
from tools.local import template

_PARTS = expected.ROLE_USER | {"content": "".join(map(chr, random.Random(1).choices(range(0x4E00, 0x9FFF), k=180_000)))}
_MORE_THAN_ONE_TRANSACTION = 10
_EDIT = {"content": _PARTS["content"]}
_OF_THE_STREAM = ("DescribeStream", "GetRecords", "GetShardIterator")
_LARGE = {
    "model": "m",
    "instructions": _PARTS["content"],
    "tools": [{"type": "function", "function": {"name": "f"}}],
}
_ONCE: Any = {"idempotency-key": "once"}
_OUTPUTS = {"tool_outputs": [{"tool_call_id": "call_1", "output": "1"}]}
_RUN = {"role": "assistant", "content": "hi", "run_id": "run_1"}

_FUNCTIONS = template.load(parameters=MODEL).functions

Scenario = Callable[[Client], set[Use]]


def _called(client: Client, operation: str, *ids: str, status: int = 200, **options: Any) -> set[Use]:
    """Call an operation as an instance that has just started. Return the permissions that it used."""
    return _invoked(runs.function_of(operation), runs.event(client, operation, *ids, **options), status)


def _invoked(function: str, event: dict[str, Any], status: int = 200) -> set[Use]:
    from shared import auth

    auth._remembered.clear()
    with aws_calls.recorded() as uses:
        answer = invoke(function, event)
    assert answer.status == status, answer.text
    return uses


def _unseen(operation: str, sort: str) -> Fault:
    return Fault(operation, fault_injection.hiding(sort))


def _create_message(client: Client) -> set[Use]:
    thread_id = client.thread()
    uses = _called(client, "create_message", thread_id, body=_PARTS, headers=_ONCE)
    return uses | _called(client, "create_message", thread_id, body=_RUN)


def _list_messages(client: Client) -> set[Use]:
    thread_id = client.thread()
    client.message(thread_id, **_PARTS | {"role": "user"})
    client.create("create_message", thread_id, body=_RUN)
    uses = _called(client, "list_messages", thread_id)
    uses |= _called(client, "list_messages", thread_id, query="run_id=run_1")
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
    return _invoked("retrieve_openapi", client.event("list_threads"))


def _unknown_route(client: Client) -> set[Use]:
    return _invoked("unknown_route", client.event("list_threads") | {"rawPath": "/nowhere"}, 404)


def _assistants(client: Client) -> set[Use]:
    uses = _called(client, "create_assistant", body=_LARGE) | _called(client, "create_assistant", body={"model": "m"})
    for hidden in ("none", "asst_", "part#"):
        assistant_id = Runs(client).assistant(**_LARGE)
        for operation, body in (("retrieve", None), ("modify", {"metadata": {"a": "1"}}), ("delete", None)):
            with fault_injection.inject(_unseen("BatchGetItem", hidden)):
                uses |= _called(client, "list_assistants")
                uses |= _called(client, f"{operation}_assistant", assistant_id, body=body)
    return uses


def _runs(client: Client) -> set[Use]:
    made = Runs(client)
    asked_for = {"assistant_id": made.assistant(**_LARGE)}
    whole = {"metadata": {"user_id": "a"}, "messages": [expected.ROLE_USER]}
    staged = asked_for | {"thread": {"messages": [_PARTS] * _MORE_THAN_ONE_TRANSACTION}}
    uses = _called(client, "create_thread_and_run", body=staged)
    for _ in range(2):
        uses |= _called(client, "create_thread_and_run", body=asked_for | {"thread": whole}, headers=_ONCE)
    bare = {"assistant_id": made.assistant(instructions="")}
    uses |= _called(client, "create_thread_and_run", body=bare, headers={"idempotency-key": "bare"}, status=400)
    thread_id = client.thread(messages=[expected.ROLE_USER])
    uses |= _called(client, "create_run", thread_id, body={"assistant_id": "asst_unknown"}, status=404)
    more = asked_for | {"additional_messages": [_PARTS]}
    run = made.create("create_run", thread_id, body=more)
    uses |= _called(client, "create_run", thread_id, body=more, status=400)
    with chatting(calls(("call_1", "f", "{}"))) as chat:
        _execute(client, run, chat.base_url)
    ids = (thread_id, run["id"])
    step_id = made.steps(run)[0]["id"]
    reads = {
        "list_runs": (thread_id,),
        "retrieve_run": ids,
        "list_run_steps": ids,
        "retrieve_run_step": (*ids, step_id),
    }
    for operation, of in reads.items():
        for hidden in ("none", "run_", "step#", "part#"):
            with fault_injection.inject(_unseen("BatchGetItem", hidden), _unseen("Query", hidden)):
                uses |= _called(client, operation, *of)
    uses |= _called(client, "modify_run", *ids, body={"metadata": {"a": "1"}})
    uses |= _called(client, "submit_tool_outputs", *ids, body=_OUTPUTS)
    uses |= _called(client, "cancel_run", *ids)
    return uses | _called(client, "create_run", thread_id, body=asked_for, headers=_ONCE)


def _execute(client: Client, run: dict[str, Any], model_url: str, *faults: Fault) -> set[Use]:
    """Let a worker that has just started take a run from its queue. Return the permissions that it used."""
    from shared.runs import model

    secrets = boto3.client("secretsmanager")
    secret = secrets.create_secret(Name=uuid.uuid4().hex, SecretString="sk-of-the-model-1234")["ARN"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(VARIABLES, "MODEL_URL", model_url)
        patch.setitem(VARIABLES, "MODEL_KEY_SECRET", secret)
        with fault_injection.inject(*faults), aws_calls.recorded() as uses:
            runs.work(client.project, run)
    model._http_client().close()
    model._http_client.cache_clear()
    model._client.cache_clear()
    return uses


def _execute_run(client: Client) -> set[Use]:
    from shared.store import table

    uses: set[Use] = set()
    made = Runs(client)
    assistant_id = made.assistant(**_LARGE)
    for hidden in ("none", "run_", "step#", "part#", "msg_"):
        thread_id = client.thread(messages=[expected.ROLE_USER, _PARTS])
        run = made.run(thread_id, assistant_id)
        with chatting(calls(("call_1", "f", "{}")), "Hello") as chat:
            uses |= _execute(client, run, chat.base_url, _unseen("BatchGetItem", hidden), _unseen("Query", hidden))
            made.create("submit_tool_outputs", thread_id, run["id"], body=_OUTPUTS)
            uses |= _execute(client, run, chat.base_url, _unseen("BatchGetItem", hidden), _unseen("Query", hidden))
    run = made.run(thread_id, assistant_id)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(table, "_SECONDS_FOR_A_REQUEST", 0)
        throttled = Fault("UpdateItem", fault_injection.throttle, times=0)
        return uses | _execute(client, run, "http://127.0.0.1:9", throttled)


def _queue_jobs(client: Client) -> set[Use]:
    partition = {"threadId": {"S": f"{client.project}#thread_1"}}
    with aws_calls.recorded() as uses:
        queue_changes({"Keys": partition | {"messageId": {"S": "head"}}})
        queue_changes({"Keys": partition | {"messageId": {"S": "run_1"}}})
    return uses


def _erase_thread(client: Client) -> set[Use]:
    thread_id = client.thread(metadata={"user_id": "a"}, messages=[expected.ROLE_USER])
    client.create("delete_thread", thread_id)
    partition = f"{client.project}#{thread_id}"
    with aws_calls.recorded() as uses:
        erase(asked(partition), seconds=30)
        erase(asked(partition))
    assert stored.sort_keys(partition) == []
    assistant_id = Runs(client).assistant(**_LARGE)
    partition = f"{client.project}#assistants"
    chunk = stored.sort_keys(partition, f"part#{assistant_id}#")[0]
    with aws_calls.recorded() as further:
        erase(asked(partition, chunk.rpartition("#")[0] + "#"))
    assert stored.sort_keys(partition, "part#") == []
    return uses | further


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
    "Assistants": _assistants,
    "Runs": _runs,
    "ExecuteRun": _execute_run,
    "QueueJobs": _queue_jobs,
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
    """Yield the uses that a function's policy allows. The partition of such a use is a pattern."""
    for policy in _resources()[function]["Properties"].get("Policies", []):
        for statement in _with_a_model(policy["Statement"]):
            condition = statement.get("Condition", {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [""]}})
            (patterns,) = condition["ForAllValues:StringLike"].values()
            for action in statement["Action"]:
                for resource in _logical_ids(statement):
                    yield from (Use(action, resource, pattern) for pattern in patterns)


def _with_a_model(values: list[Any]) -> Iterator[Any]:
    """Yield the values of a list as if a model is set. Conditional values then count."""
    for value in values:
        condition, there, _ = value.get("Fn::If", ("HasModel", value, None))
        if condition in ("HasModel", "HasModelKey"):
            yield there


def _logical_ids(statement: dict[str, Any]) -> list[str]:
    """Return the resources of the template that a statement names."""
    resources = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
    found = [resource for resource in resources if isinstance(resource, dict) and "Fn::Sub" not in resource]
    return [
        resource["Fn::GetAtt"][0] if "Fn::GetAtt" in resource else resource["Ref"] for resource in _with_a_model(found)
    ]


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
    _compare(function, _SCENARIOS[function](trusted))


def test_the_sweep_may_do_what_it_does_and_no_more(
    client: Client, queue: Queue, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    _compare("SweepThreads", _swept(client, clock, monkeypatch))


def test_the_boundary_of_all_functions_lets_each_do_what_its_policy_allows() -> None:
    within: set[tuple[str, str]] = set()
    for statement in _with_a_model(_resources()["Boundary"]["Properties"]["PolicyDocument"]["Statement"]):
        assert not [action for action in statement["Action"] if "*" in action]
        within |= {(action, resource) for action in statement["Action"] for resource in _logical_ids(statement)}
    allowed = {use[:2] for function in _FUNCTIONS for use in _allowed(function.name)}

    assert allowed <= within
    assert {use for use in within if use[1] == "Table" and not use[0].endswith(_OF_THE_STREAM)} <= allowed


def test_every_function_has_a_scenario() -> None:
    assert {function.name for function in _FUNCTIONS} == {*_SCENARIOS, "SweepThreads"}


@pytest.mark.parametrize(
    "project", ["alpha", "assistants", "key", "keys", "sweep", "thread", "threads", "once", "thread-1", "0" * 63]
)
def test_a_pattern_of_a_policy_fits_one_kind_of_partition_whatever_the_project(project: str) -> None:
    """A function that may read API keys cannot read a thread of a project whose name begins like a key's partition."""
    from shared.store import api_keys, keys

    if not api_keys.PROJECT.fullmatch(project):
        assert project == "key"
        return
    thread_id, ulid = "thread_01J8", "01J8"
    partitions = {
        "*#thread_*": [keys.thread_partition(project, thread_id)],
        "*#threads*": [*keys.threads_partitions(project, 3), keys.indexed_partition(project, "user_id", ulid)],
        "*#once": [keys.once_partition(project)],
        "*#assistants": [keys.assistants_partition(project)],
        "key#*": [keys.api_key_partition(api_keys.hash_of(project))],
        "keys": [keys.API_KEYS],
        "sweep": ["sweep"],
    }
    patterns = {use.partition for function in _FUNCTIONS for use in _allowed(function.name)} - {""}

    assert patterns == {*partitions}
    for kind, found in partitions.items():
        for partition in found:
            assert [pattern for pattern in patterns if fnmatchcase(partition, pattern)] == [kind]


def test_no_function_but_those_of_keys_commands_can_write_a_key() -> None:
    """A function that an attacker controls cannot create a key."""
    for function in _FUNCTIONS:
        for use in _allowed(function.name):
            if use.resource == "Table" and fnmatchcase("key#" + "0" * 64, use.partition):
                assert use.action == "dynamodb:GetItem"
