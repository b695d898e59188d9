"""A deleted thread is gone at once, and everything it held is erased, whatever fails in between."""
import random
from collections.abc import Iterator
import pytest
from tests.client import Client
from tests.promises import erasures as way
from tests.promises.erasures import Erasures

@pytest.fixture
def erasures() -> Iterator[Erasures]:
    with way.running() as running:
        yield running

def test_modify(erasures: Erasures, client: Client) -> None:
    t = client.thread(metadata={"user_id": "u"})
    rng = random.Random(1)
    m = client.message(t, "".join(chr(rng.randrange(0x20000, 0x2A000)) for _ in range(256_000)))
    client.create("modify_message", t, m["id"], body={"metadata": {"a": "b"}})
    erasures.run()
    assert client.create("retrieve_message", t, m["id"])["content"] == m["content"]
