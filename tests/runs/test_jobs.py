"""The work after a change: the queue of runs, its worker, and the erasure of runs and assistants."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from tests.promises.threads import incompressible as _incompressible
from tests.support import chat_stub, expected, fault_injection, stored, stream
from tests.support.chat_stub import Chat, calls, says
from tests.support.clock import Clock
from tests.support.event_sources import Queue, asked, change, erase, queue_changes, sweep
from tests.support.fault_injection import Fault
from tests.support.runs import WEATHER, Runs, record, work
from tests.support.variables import VARIABLES

LARGE = "".join(map(chr, range(0x4E00, 0x4E00 + 20_000)))

DENIED = Fault("UpdateItem", fault_injection.error("AccessDeniedException"), times=0)


def incompressible(seed: int) -> str:
    """Return instructions that are too large for one item."""
    return _incompressible(seed=seed, length=160_000)


@pytest.fixture
def queued(on_the_table: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Return the queue of runs."""
    sqs = boto3.resource("sqs")
    found = sqs.create_queue(QueueName="runs-of-a-test")
    monkeypatch.setenv("RUNS_QUEUE_URL", found.url)
    yield found
    found.delete()


def taken(queued: Any) -> list[dict[str, str]]:
    """Take all messages of the queue of runs."""
    found = []
    while messages := queued.receive_messages(MaxNumberOfMessages=10):
        for message in messages:
            found.append(json.loads(message.body))
            message.delete()
    return found


def with_all(runs: Runs, chat: Chat) -> tuple[str, dict[str, Any]]:
    """Create a thread with all kinds of items that runs may leave, and a run that waits. Return its partition."""
    chat.replies = [calls(("call_1", "get_weather", LARGE), text="I look it up."), says("Sunny.")]
    thread_id, assistant_id = runs.thread(), runs.assistant(instructions=LARGE, tools=[WEATHER])
    run = runs.run(thread_id, assistant_id)
    runs.execute(run)
    assert runs.submit(run, {"call_1": LARGE}).status == 200
    runs.execute(run)
    active = runs.run(thread_id, assistant_id)
    partition = f"{runs.client.project}#{thread_id}"
    kinds = {sort.partition("#")[0].partition("_")[0] for sort in stored.sort_keys(partition)}
    assert kinds == {"head", "thread", "msg", "part", "run", "step", "output"}
    return partition, active


def test_each_run_that_became_queued_is_sent_to_the_queue_of_runs(queue: Queue, queued: Any) -> None:
    queue_changes(*[change("a#thread_1", f"run_{number}") for number in range(23)])

    sent = [{"partition": "a#thread_1", "run_id": f"run_{number}"} for number in range(23)]
    assert sorted(taken(queued), key=str) == sorted(sent, key=str)
    assert queue.taken() == []


def test_a_deletion_and_a_run_in_one_batch_go_to_their_own_queues(queue: Queue, queued: Any) -> None:
    queue_changes(change("a#thread_1", "run_1"), change("a#thread_2", "head"))

    assert taken(queued) == [{"partition": "a#thread_1", "run_id": "run_1"}]
    assert queue.taken() == [asked("a#thread_2")]


def test_a_run_that_the_queue_refuses_has_the_batch_delivered_again(queue: Queue, queued: Any) -> None:
    from shared import clients

    failed = {"Failed": [{"Id": "0", "Code": "InternalError", "SenderFault": False}], "Successful": []}

    with (
        fault_injection.inject(Fault("SendMessageBatch", fault_injection.answered(failed)), client=clients.sqs()),
        pytest.raises(RuntimeError, match=r"\AInternalError\Z"),
    ):
        queue_changes(change("a#thread_1", "run_1"), change("a#thread_2", "head"))
    assert queue.taken() == []


def test_what_is_sent_to_the_queue_is_executed(runs: Runs, chat: Chat, clock: Clock, queued: Any) -> None:
    with stream.changes(None) as records:
        run = runs.run(runs.thread(), runs.assistant())
    found = [record["dynamodb"] for record in records]
    queue_changes(*[one for one in found if one["Keys"]["messageId"]["S"] == run["id"]])
    (sent,) = taken(queued)

    assert sent == json.loads(record(runs.client.project, run)["body"])
    assert runs.execute(run)["status"] == "completed"


def test_a_run_that_cannot_be_claimed_is_delivered_again_after_seconds(
    runs: Runs, chat: Chat, clock: Clock, queued: Any
) -> None:
    from functions.execute_run import handler
    from shared import clients

    run = runs.run(runs.thread(), runs.assistant())
    queued.send_message(MessageBody=record(runs.client.project, run)["body"])
    (message,) = queued.receive_messages()
    delivered = record(runs.client.project, run) | {"receiptHandle": message.receipt_handle}

    with fault_injection.inject(DENIED), fault_injection.inject(client=clients.sqs()) as sent:
        assert handler({"Records": [delivered]}, None) == {"batchItemFailures": [{"itemIdentifier": "m-1"}]}
    assert [(name, request["VisibilityTimeout"]) for name, request in sent.log] == [("ChangeMessageVisibility", 5)]

    assert runs.execute(run)["status"] == "completed"


def test_a_message_that_cannot_be_delivered_sooner_comes_later(
    runs: Runs, chat: Chat, clock: Clock, queued: Any
) -> None:
    run = runs.run(runs.thread(), runs.assistant())

    with fault_injection.inject(DENIED):
        # The queue does not have this receipt handle.
        assert work(runs.client.project, run) == {"batchItemFailures": [{"itemIdentifier": "m-1"}]}

    assert runs.execute(run)["status"] == "completed"


def test_a_fault_of_ours_ends_the_run_as_failed(runs: Runs, clock: Clock) -> None:
    from shared.runs.endpoint import endpoint

    run = runs.run(runs.thread(), runs.assistant())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MODEL_URL", "http://127.0.0.1:1/v1")
        patch.setenv("MODEL_CONTEXT", "many")
        endpoint.cache_clear()
        done = runs.execute(run)
    endpoint.cache_clear()

    assert (done["status"], done["last_error"]) == (
        "failed",
        {"code": "server_error", "message": "Sorry, something went wrong."},
    )
    runs.client.message(run["thread_id"], "free")


def test_a_run_reads_a_thread_of_more_than_a_page(
    runs: Runs, chat: Chat, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shared.runs import execution

    monkeypatch.setattr(execution, "_LONGEST_PAGE", 2)
    contents = [f"{number}" for number in range(5)]
    thread_id = runs.client.thread(messages=[{"role": "user", "content": content} for content in contents])
    run = runs.run(thread_id, runs.assistant())

    assert runs.execute(run)["status"] == "completed"
    assert [message["content"] for message in chat.asked[0]["messages"][1:]] == contents


def test_an_answer_that_is_too_large_to_be_stored_fails_the_run(runs: Runs, chat: Chat, clock: Clock) -> None:
    chat.replies = [calls(*((f"call_{number}", "get_weather", "\0" * 200_000) for number in range(6)))]
    run = runs.run(runs.thread(), runs.assistant(tools=[WEATHER]))

    done = runs.execute(run)

    assert done["status"] in {"failed", "incomplete"}
    assert runs.steps(run) == []


def test_an_answer_waits_for_a_table_that_is_busy(runs: Runs, chat: Chat, clock: Clock) -> None:
    run = runs.run(runs.thread(), runs.assistant())
    busy = Fault("TransactWriteItems", fault_injection.error("ThrottlingException"), times=40)

    with fault_injection.inject(busy) as attempts:
        done = runs.execute(run)

    assert done["status"] == "completed"
    assert len(attempts.log) > 1
    assert len(chat.asked) == 1


def test_a_thread_with_runs_is_erased_to_the_last_item(runs: Runs, chat: Chat, clock: Clock, queue: Queue) -> None:
    kept, _ = with_all(runs, chat)
    before = stored.sort_keys(kept)
    partition, active = with_all(runs, chat)

    runs.client.create("delete_thread", active["thread_id"])
    erase(asked(partition))

    assert stored.sort_keys(partition) == []
    assert stored.sort_keys(kept) == before
    assert queue.taken() == []
    asked_before = len(chat.asked)
    assert work(runs.client.project, active) == {"batchItemFailures": []}
    assert (stored.sort_keys(partition), len(chat.asked)) == ([], asked_before)


def test_a_thread_that_is_deleted_while_its_model_works_gets_no_answer(
    runs: Runs, chat: Chat, clock: Clock, queue: Queue
) -> None:
    run = runs.run(runs.thread(), runs.assistant())
    partition = f"{runs.client.project}#{run['thread_id']}"

    def delete() -> None:
        runs.client.create("delete_thread", run["thread_id"])
        erase(asked(partition))

    chat.replies = [chat_stub.Reply(chunks=says("late").chunks, before=delete)]

    assert work(runs.client.project, run) == {"batchItemFailures": []}
    assert stored.sort_keys(partition) == []


def test_an_expired_thread_with_an_active_run_is_swept_and_erased(
    runs: Runs, chat: Chat, clock: Clock, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(VARIABLES, "RETENTION_DAYS", "1")
    partition, active = with_all(runs, chat)
    clock.forward(86_401)

    assert runs.call("retrieve_run", active["thread_id"], active["id"]).body == expected.error(
        f"No thread found with id '{active['thread_id']}'."
    )
    with stream.changes("QueueJobs") as records:
        sweep()
    queue_changes(*(one["dynamodb"] for one in records))
    erase(*queue.taken())

    assert stored.sort_keys(partition) == []


def test_a_large_assistant_that_is_modified_or_deleted_leaves_no_chunks(runs: Runs, clock: Clock, queue: Queue) -> None:
    partition = f"{runs.client.project}#assistants"
    assistant_id = runs.assistant(instructions=incompressible(1))
    kept = runs.assistant(instructions=incompressible(2))
    of_kept = stored.sort_keys(partition, f"part#{kept}")
    assert of_kept
    changes: list[tuple[str, dict[str, Any] | None]] = [
        ("modify_assistant", {"instructions": incompressible(3)}),
        ("delete_assistant", None),
    ]
    for operation, body in changes:
        with stream.changes("QueueJobs") as records:
            runs.create(operation, assistant_id, body=body)
        queue_changes(*(one["dynamodb"] for one in records))
        erasures = queue.taken()
        assert [erasure["partition"] for erasure in erasures] == [partition]
        erase(*erasures)

    assert stored.sort_keys(partition, "part#") == of_kept
    assert runs.create("retrieve_assistant", kept)["instructions"] == incompressible(2)


def test_no_log_repeats_what_the_endpoint_says(runs: Runs, chat: Chat, clock: Clock) -> None:
    """`canaries` searches all output for the question and the key."""
    chat.replies = [chat_stub.fails(400, "sk-of-the-model-1234 may not ask: question-word")]

    done = runs.execute(runs.run(runs.thread("question-word"), runs.assistant()))

    assert done["last_error"]["message"].count("question-word") == 1
