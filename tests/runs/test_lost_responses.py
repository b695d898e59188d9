"""Lost responses: from the table to an operation or to the worker, or from an operation to an SDK."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.support import chat_stub, expected, fault_injection
from tests.support.chat_stub import Chat, calls, says
from tests.support.client import Answer
from tests.support.clock import Clock
from tests.support.fault_injection import Effect, Fault
from tests.support.runs import WEATHER, Runs, calls_of, waiting, work

_USER = {"role": "user", "content": "And now?"}
RESENT = {"x-stainless-retry-count": "1"}
_FAULT = {"code": "server_error", "message": "Sorry, something went wrong."}


@pytest.fixture(autouse=True)
def clock(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Let pauses take no time, and each call of an operation come a second later. Ids then need no second attempt."""
    call = Runs.call

    def call_later(runs: Runs, *arguments: Any, **options: Any) -> Answer:
        clock.forward(1)
        return call(runs, *arguments, **options)

    monkeypatch.setattr(Runs, "call", call_later)
    return clock


def cancelling(runs: Runs, run: dict[str, Any]) -> Callable[[], object]:
    """Return a function that cancels a run."""
    return partial(runs.create, "cancel_run", run["thread_id"], run["id"])


def lost(operation: str, *, times: int = 1, at: int = 1) -> Fault:
    return Fault(operation, fault_injection.lost, at=at, times=times)


def test_a_lost_response_of_create_run_makes_one_run(runs: Runs, chat: Chat) -> None:
    """The engine ignores the ClientRequestToken, so the conditions must find the run, as on AWS after ten minutes."""
    thread_id, assistant_id = runs.thread(), runs.assistant()

    with fault_injection.inject(lost("TransactWriteItems")) as attempts:
        run = runs.run(thread_id, assistant_id, additional_messages=[_USER])

    assert attempts.operations.count("TransactWriteItems") == 2
    assert runs.create("list_runs", thread_id)["data"] == [run]
    assert len(runs.client.page(thread_id)["data"]) == 2


def test_a_lost_response_of_submit_is_a_success_also_when_the_run_moved_on_since(runs: Runs, chat: Chat) -> None:
    run = waiting(runs, chat, calls(("call_1", "get_weather", "{}")), says("Sunny."))

    def go_on() -> None:
        assert runs.execute(run)["status"] == "completed"

    with fault_injection.inject(
        lost("TransactWriteItems"), Fault("TransactWriteItems", fault_injection.before(go_on), at=2)
    ):
        answer = runs.submit(run, {"call_1": "sunny"})

    assert (answer.status, answer.body["status"]) == (200, "queued")
    assert chat.asked[1]["messages"][-1]["content"] == "sunny"
    assert len(chat.asked) == 2


def test_a_lost_response_of_cancel_is_a_success(runs: Runs, chat: Chat) -> None:
    run = runs.run(runs.thread(), runs.assistant())

    with fault_injection.inject(lost("TransactWriteItems")):
        answer = runs.call("cancel_run", run["thread_id"], run["id"])

    assert (answer.status, answer.body["status"]) == (200, "cancelling")
    assert runs.read(run)["status"] == "cancelled"


def test_a_cancel_after_another_one_is_refused(runs: Runs, chat: Chat) -> None:
    run = runs.run(runs.thread(), runs.assistant())

    with fault_injection.inject(Fault("TransactWriteItems", fault_injection.before(cancelling(runs, run)))):
        answer = runs.call("cancel_run", run["thread_id"], run["id"])

    assert answer.body == expected.error("Cannot cancel run with status 'cancelled'.")


def test_a_submit_after_another_one_is_refused(runs: Runs, chat: Chat) -> None:
    run = waiting(runs, chat)
    submit = partial(runs.submit, run, {"call_1": "sunny"})

    with fault_injection.inject(Fault("TransactWriteItems", fault_injection.before(submit))):
        answer = submit()

    assert answer.body == expected.error('Runs in status "queued" do not accept tool outputs.')


def test_a_run_that_is_cancelled_while_it_is_modified_is_both(runs: Runs, chat: Chat) -> None:
    run = waiting(runs, chat)

    with fault_injection.inject(Fault("UpdateItem", fault_injection.before(cancelling(runs, run)))):
        modified = runs.create("modify_run", run["thread_id"], run["id"], body={"metadata": {"a": "b"}})

    assert (modified["status"], modified["metadata"]) == ("cancelled", {"a": "b"})
    assert modified == runs.read(run)


def test_a_claim_whose_response_is_lost_is_the_workers_own(runs: Runs, chat: Chat) -> None:
    run = runs.run(runs.thread(), runs.assistant())

    with fault_injection.inject(lost("UpdateItem")) as attempts:
        done = runs.execute(run)

    assert attempts.operations.count("UpdateItem") == 2
    assert (done["status"], len(chat.asked)) == ("completed", 1)


@pytest.mark.parametrize(
    "faults_with",
    [
        lambda cancel: [lost("UpdateItem"), Fault("UpdateItem", fault_injection.before(cancel), at=2)],
        lambda cancel: [Fault("UpdateItem", fault_injection.after(cancel))],
    ],
    ids=["while the response of its claim is lost", "when it has been claimed"],
)
def test_a_run_that_is_cancelled_before_its_worker_reads_it_asks_no_model(
    runs: Runs, chat: Chat, faults_with: Callable[..., list[Fault]]
) -> None:
    run = runs.run(runs.thread(), runs.assistant())

    with fault_injection.inject(*faults_with(cancelling(runs, run))):
        done = runs.execute(run)

    assert (done["status"], chat.asked) == ("cancelled", [])


@pytest.mark.parametrize("reply", [says("Hello"), calls(("call_1", "get_weather", "{}"), text="I look.")])
def test_a_lost_response_of_the_workers_last_write_makes_one_answer(
    runs: Runs, chat: Chat, reply: chat_stub.Reply
) -> None:
    chat.replies = [reply]
    run = runs.run(runs.thread(), runs.assistant(tools=[WEATHER]))

    with fault_injection.inject(lost("TransactWriteItems", times=3)) as attempts:
        done = runs.execute(run)

    assert attempts.operations.count("TransactWriteItems") == 4
    assert done["status"] in ("completed", "requires_action")
    assert len(runs.client.page(run["thread_id"])["data"]) == 2
    assert len(runs.steps(run)) == (1 if done["status"] == "completed" else 2)


@pytest.mark.parametrize(
    ("operation", "effect"),
    [
        ("BatchGetItem", fault_injection.throttle),
        ("GetItem", fault_injection.timeout),
        ("Query", fault_injection.server_error),
        ("TransactWriteItems", fault_injection.timeout),
        ("TransactWriteItems", fault_injection.server_error),
    ],
)
def test_a_table_that_is_busy_for_a_minute_after_the_claim_costs_the_run_at_most_its_answer(
    runs: Runs, chat: Chat, clock: Clock, operation: str, effect: Effect
) -> None:
    run = runs.run(runs.thread(), runs.assistant())
    busy_from: list[float] = []

    def busy_for_a_minute(attempt: fault_injection.Attempt) -> fault_injection.Outcome:
        busy_from[:] = busy_from or [time.time()]
        return effect(attempt) if time.time() < busy_from[0] + 60 else attempt.send()

    with fault_injection.inject(Fault(operation, busy_for_a_minute, times=0)):
        done = runs.execute(run)

    in_reading = operation in ("GetItem", "Query")
    assert (done["status"], done["last_error"]) == (("failed", _FAULT) if in_reading else ("completed", None))
    runs.client.message(run["thread_id"], "free")


def test_an_answer_that_the_table_refuses_ends_the_run_as_failed(runs: Runs, chat: Chat) -> None:
    run = runs.run(runs.thread(), runs.assistant())

    with fault_injection.inject(Fault("TransactWriteItems", fault_injection.error("ValidationException"))):
        done = runs.execute(run)

    assert (done["status"], done["last_error"]) == ("failed", _FAULT)


def test_a_table_that_refuses_everything_after_the_claim_leaves_the_run_to_expire(
    runs: Runs, chat: Chat, clock: Clock
) -> None:
    run = runs.run(runs.thread(), runs.assistant())

    with fault_injection.inject(Fault("TransactWriteItems", fault_injection.error("AccessDeniedException"), times=0)):
        assert work(runs.client.project, run) == {"batchItemFailures": []}

    assert runs.read(run)["status"] == "in_progress"
    clock.forward(600)
    assert runs.read(run)["status"] == "expired"


def test_a_create_run_that_an_sdk_sends_again_finds_the_run_that_it_has_made(runs: Runs, chat: Chat) -> None:
    thread_id = runs.thread()
    body = {"assistant_id": runs.assistant(), "additional_messages": [_USER]}

    with fault_injection.inject(lost("TransactWriteItems", times=2)):
        lost_answer = runs.call("create_run", thread_id, body=body)
    other = runs.call("create_run", thread_id, body=body | {"instructions": "Other."}, headers=RESENT)
    repeated = runs.call("create_run", thread_id, body=body, headers=RESENT)

    assert (lost_answer.status, repeated.status) == (503, 200)
    assert runs.create("list_runs", thread_id)["data"] == [repeated.body]
    assert len(runs.client.page(thread_id)["data"]) == 2
    run_id = repeated.body["id"]
    assert other.body == expected.error(f"Thread {thread_id} already has an active run {run_id}.")
    for count in ("", "0", "-1", "one"):
        unsaid = runs.call("create_run", thread_id, body=body, headers={"x-stainless-retry-count": count})
        assert unsaid.body == other.body


def test_a_create_run_that_an_sdk_sends_again_is_answered_with_the_run_that_has_answered_meanwhile(
    runs: Runs, chat: Chat
) -> None:
    thread_id, body = runs.thread(), {"assistant_id": runs.assistant()}
    first = runs.execute(runs.create("create_run", thread_id, body=body, headers=RESENT))

    repeated = runs.create("create_run", thread_id, body=body, headers=RESENT)
    runs.client.message(thread_id, "And now?")
    other = runs.create("create_run", thread_id, body=body, headers=RESENT)

    assert repeated == first
    assert (other["status"], other["id"] != first["id"]) == ("queued", True)


def test_a_submit_that_an_sdk_sends_again_is_answered_with_the_run_as_it_is(runs: Runs, chat: Chat) -> None:
    run = waiting(runs, chat, calls(("call_1", "get_weather", "{}")), says("Sunny."))

    with fault_injection.inject(lost("TransactWriteItems", times=2)):
        assert runs.submit(run, {"call_1": "sunny"}).status == 503
    repeated = runs.submit(run, {"call_1": "sunny"}, headers=RESENT)
    done = runs.execute(run)
    late = runs.submit(run, {"call_1": "sunny"}, headers=RESENT)

    assert (repeated.status, repeated.body["status"]) == (200, "queued")
    assert late.body == done
    for other in (
        runs.submit(run, {"call_1": "rainy"}, headers=RESENT),
        runs.submit(run, {"call_1": "sunny"}),
    ):
        assert other.body == expected.error('Runs in status "completed" do not accept tool outputs.')


def test_a_resent_create_of_a_run_that_waits_for_outputs_gets_its_calls(runs: Runs, chat: Chat) -> None:
    run = waiting(runs, chat)

    body = {"assistant_id": run["assistant_id"]}
    assert runs.create("create_run", run["thread_id"], body=body, headers=RESENT) == run


@pytest.mark.parametrize("operation", ["create_run", "create_thread_and_run"])
def test_a_create_with_a_key_that_is_sent_again_gets_the_run_as_it_was_created(
    runs: Runs, chat: Chat, operation: str
) -> None:
    body: dict[str, Any] = {"assistant_id": runs.assistant()}
    ids = (runs.thread(),) if operation == "create_run" else ()
    body |= {} if ids else {"thread": {"messages": [_USER]}}
    headers = {"idempotency-key": "k"}

    with fault_injection.inject(lost("TransactWriteItems", times=2)):
        assert runs.call(operation, *ids, body=body, headers=headers).status == 503
    first = runs.call(operation, *ids, body=body, headers=headers)
    runs.create("modify_assistant", body["assistant_id"], body={"instructions": "Other."})
    assert runs.execute(first.body)["status"] == "completed"
    runs.create("modify_run", first.body["thread_id"], first.body["id"], body={"metadata": {"a": "b"}})
    again = runs.call(operation, *ids, body=body, headers=headers)

    assert (first.body["status"], first.body["instructions"]) == ("queued", "Be brief.")
    assert [answer.headers["idempotent-replayed"] for answer in (first, again)] == ["true", "true"]
    assert again.body == first.body
    assert len(runs.create("list_runs", first.body["thread_id"])["data"]) == 1
    assert len(runs.client.create("list_threads")["data"]) == 1


def test_a_create_thread_and_run_with_a_key_is_answered_though_its_thread_was_deleted(runs: Runs, chat: Chat) -> None:
    from tests.support.event_sources import asked, erase

    body = {"assistant_id": runs.assistant()}
    headers = {"idempotency-key": "k"}
    first = runs.create("create_thread_and_run", body=body, headers=headers)
    runs.client.create("delete_thread", first["thread_id"])
    erase(asked(f"{runs.client.project}#{first['thread_id']}"))

    assert runs.create("create_thread_and_run", body=body, headers=headers) == first


def test_a_create_thread_and_run_with_a_key_is_answered_though_its_assistant_has_no_instructions_any_more(
    runs: Runs,
) -> None:
    body: dict[str, Any] = {"assistant_id": runs.assistant()}
    headers = {"idempotency-key": "k"}
    first = runs.create("create_thread_and_run", body=body, headers=headers)
    runs.create("modify_assistant", body["assistant_id"], body={"instructions": None})

    assert runs.create("create_thread_and_run", body=body, headers=headers) == first
    other = runs.call("create_thread_and_run", body=body | {"metadata": {"a": "b"}}, headers=headers)
    assert other.error == (409, None, "idempotency_key_reused")


def test_a_run_is_over_once_another_one_has_begun_even_by_a_clock_that_is_slow(
    runs: Runs, chat: Chat, clock: Clock
) -> None:
    first = waiting(runs, chat)
    thread_id = first["thread_id"]
    clock.forward(602)
    second = runs.run(thread_id, first["assistant_id"])

    clock.forward(-10)  # another instance, by whose clock the first run is still active

    assert runs.read(first)["status"] == "expired"
    assert [run["status"] for run in runs.create("list_runs", thread_id)["data"]] == ["queued", "expired"]
    cancel = runs.call("cancel_run", thread_id, first["id"])
    assert cancel.body == expected.error("Cannot cancel run with status 'expired'.")
    submit = runs.submit(first, {call["id"]: "late" for call in calls_of(first)})
    assert submit.body == expected.error('Runs in status "expired" do not accept tool outputs.')
    assert runs.read(second)["status"] == "queued"


@pytest.mark.parametrize(("seconds", "status"), [(584, "completed"), (591, "expired")])
def test_no_clock_lets_a_run_complete_that_another_one_has_expired(
    runs: Runs, chat: Chat, clock: Clock, seconds: int, status: str
) -> None:
    """The table is busy while the worker stores the answer. The worker's clock is ten seconds behind a reader's."""
    run = runs.run(runs.thread(), runs.assistant())

    def wait(attempt: fault_injection.Attempt) -> fault_injection.Outcome:
        clock.forward(seconds)
        return fault_injection.throttle(attempt)

    with fault_injection.inject(
        Fault("TransactWriteItems", wait), Fault("TransactWriteItems", fault_injection.timeout, at=2)
    ):
        work(runs.client.project, run)
    clock.forward(10)

    assert runs.read(run)["status"] == status
    assert len(runs.client.page(run["thread_id"])["data"]) == (2 if status == "completed" else 1)
