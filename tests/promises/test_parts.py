"""The parts of a large content are deleted after their message is deleted, and not before."""

from tests.promises.threads import incompressible, remains
from tests.support.client import Client
from tests.support.event_sources import Erasures

LARGE = incompressible(seed=1)


def test_the_parts_of_a_deleted_message_are_erased(client: Client, erasures: Erasures) -> None:
    thread_id = client.thread()
    kept, deleted = (client.message(thread_id, LARGE) for _ in range(2))
    client.create("delete_message", thread_id, deleted["id"])
    assert any(deleted["id"] in name for name in remains(client, thread_id))
    erasures.run()
    assert not any(deleted["id"] in name for name in remains(client, thread_id))
    assert client.page(thread_id)["data"] == [kept]


def test_the_parts_of_an_edited_message_are_erased_and_its_new_ones_kept(client: Client, erasures: Erasures) -> None:
    thread_id = client.thread()
    message = client.message(thread_id, LARGE)
    edited = client.create("modify_message", thread_id, message["id"], body={"content": incompressible(seed=2)})
    erasures.run()
    parts = [name for name in remains(client, thread_id) if name.startswith("part#")]
    assert {name.split("#")[2] for name in parts} == {"00000002"}
    assert client.create("retrieve_message", thread_id, message["id"]) == edited


def test_a_message_whose_metadata_is_modified_keeps_its_parts(client: Client, erasures: Erasures) -> None:
    thread_id = client.thread()
    message = client.message(thread_id, LARGE)
    modified = client.create("modify_message", thread_id, message["id"], body={"metadata": {"a": "b"}})
    erasures.run()
    assert not erasures.sent
    assert client.create("retrieve_message", thread_id, message["id"]) == modified == message | {"metadata": {"a": "b"}}
