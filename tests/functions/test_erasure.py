"""Queue erasures and erase thread: they remove the items that a deletion leaves behind, and no others."""

import pytest

from tests.promises.threads import incompressible
from tests.support import expected, fault_injection, stored
from tests.support.client import Client
from tests.support.event_sources import Queue, asked, change, erase, queue_changes

_LARGE = incompressible(seed=1)


def _full_thread(client: Client) -> str:
    """Return the partition of a thread that has an item of each kind that a thread may leave behind."""
    thread_id = client.thread(metadata={"user_id": "u"}, messages=[expected.ROLE_USER])
    body = {"role": "assistant", "content": _LARGE, "run_id": "r"}
    client.create("create_message", thread_id, body=body, headers={"idempotency-key": "k"})
    return f"{client.project}#{thread_id}"


def _delete(client: Client, partition: str) -> None:
    client.create("delete_thread", partition.partition("#")[2])


def test_a_deleted_thread_is_queued(queue: Queue) -> None:
    queue_changes(*[change(f"a#thread_{number}", "head") for number in range(23)])

    assert sorted(taken["partition"] for taken in queue.taken()) == sorted(f"a#thread_{number}" for number in range(23))


def test_a_deployment_without_runs_queues_erasures_and_has_no_queue_of_runs(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RUNS_QUEUE_URL")
    queue_changes(change("a#thread_1", "head"))

    assert queue.taken() == [asked("a#thread_1")]


def test_the_parts_that_a_message_no_longer_has_are_queued(trusted: Client, queue: Queue) -> None:
    partition = _full_thread(trusted)
    (message_id,) = (sort for sort in stored.sort_keys(partition, "msg_") if "parts" in stored.item(partition, sort))
    old = stored.item(partition, message_id)
    new = old | {"parts": {"M": old["parts"]["M"] | {"generation": {"N": "2"}}}}
    inline = {name: value for name, value in old.items() if name != "parts"}
    first = f"part#{message_id}#00000001#"

    cases = [(None, [first]), (new, [first]), (inline, [first]), (old, [])]
    for image, prefixes in cases:
        queue_changes(change(partition, message_id, old, image))
        assert queue.taken() == [asked(partition, prefix) for prefix in prefixes]
    assert [sort for sort in stored.sort_keys(partition) if sort.startswith(first)] == [first + "00", first + "01"]


def test_a_refused_entry_of_the_queue_has_the_batch_delivered_again(queue: Queue) -> None:
    from shared import clients

    failed = {"Failed": [{"Id": "0", "Code": "InternalError", "SenderFault": False}], "Successful": []}

    with (
        fault_injection.inject(
            fault_injection.Fault("SendMessageBatch", fault_injection.answered(failed)), client=clients.sqs()
        ),
        pytest.raises(RuntimeError, match=r"\AInternalError\Z"),
    ):
        queue_changes(change("a#thread_1", "head"))


def test_an_open_thread_is_never_erased(trusted: Client, queue: Queue) -> None:
    partition = _full_thread(trusted)
    before = stored.sort_keys(partition)

    erase(asked(partition), asked(f"{trusted.project}#thread_00000000000000000000000000"))

    assert stored.sort_keys(partition) == before
    assert queue.taken() == []


def test_of_a_message_only_the_parts_that_are_asked_for_are_erased(trusted: Client, queue: Queue) -> None:
    partition = _full_thread(trusted)
    parts = stored.sort_keys(partition, "part#")
    others = [sort for sort in stored.sort_keys(partition) if sort not in parts]

    erase(asked(partition, parts[0].removesuffix("00").replace("#00000001#", "#00000002#")))
    assert stored.sort_keys(partition, "part#") == parts
    erase(asked(partition, parts[0].removesuffix("00")))

    assert stored.sort_keys(partition) == others


@pytest.mark.parametrize("prefix", ["", "msg_"])
def test_what_does_not_fit_the_time_is_queued_again_without_delay(client: Client, queue: Queue, prefix: str) -> None:
    thread_id = client.thread(messages=[expected.ROLE_USER] * 3)
    partition = f"{client.project}#{thread_id}"
    _delete(client, partition)

    erase(asked(partition, prefix), seconds=29)

    assert len(stored.sort_keys(partition, "msg_")) == 3
    assert queue.taken() == [asked(partition, prefix)]


def test_a_thread_that_is_modified_while_it_is_erased_is_erased_again(client: Client, queue: Queue) -> None:
    partition = f"{client.project}#{client.thread()}"
    _delete(client, partition)
    modify = fault_injection.before(lambda: stored.change(partition, "thread", version={"N": "2"}))

    with fault_injection.inject(fault_injection.Fault("TransactWriteItems", modify)):
        erase(asked(partition))
    assert stored.sort_keys(partition) == ["head", "thread"]
    erase(*queue.taken())

    assert stored.sort_keys(partition) == stored.sort_keys(f"{client.project}#threads") == []


def test_a_failed_erasure_fails_the_delivery(client: Client) -> None:
    partition = f"{client.project}#{client.thread()}"
    _delete(client, partition)

    with (
        fault_injection.inject(
            fault_injection.Fault("GetItem", fault_injection.error("AccessDeniedException"), times=0)
        ),
        pytest.raises(Exception, match="AccessDenied"),
    ):
        erase(asked(partition))
