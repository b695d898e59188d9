"""The default engine of the local API, with requests in parallel. Each handler runs in a thread of its own."""

import itertools
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import anyio
import anyio.to_thread
import httpx
from starlette.types import ASGIApp

from tests.support import fault_injection
from tests.support.client import Client
from tests.support.fault_injection import Fault

_WRITERS = 8
_MESSAGES = 12


def _run(application: ASGIApp, work: Callable[[httpx.AsyncClient], Coroutine[Any, Any, None]]) -> None:
    """Run work with a client of a new project."""

    async def run() -> None:
        key = {"Authorization": f"Bearer {Client().secret}"}
        transport = httpx.ASGITransport(application)
        async with httpx.AsyncClient(transport=transport, base_url="http://api/v1", headers=key) as client:
            await work(client)

    anyio.run(run)


def test_other_requests_are_answered_while_one_handler_waits(application: ASGIApp) -> None:
    waits, goes_on = threading.Event(), threading.Event()

    def wait() -> None:
        waits.set()
        assert goes_on.wait(30)

    async def work(client: httpx.AsyncClient) -> None:
        thread = (await client.post("/threads")).json()
        messages = f"/threads/{thread['id']}/messages"
        created: list[httpx.Response] = []

        async def create() -> None:
            created.append(await client.post(messages, json={"role": "user", "content": "late"}))

        with fault_injection.inject(Fault("TransactWriteItems", fault_injection.before(wait))):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(create)
                assert await anyio.to_thread.run_sync(waits.wait, 30)
                assert (await client.get(f"/threads/{thread['id']}")).json() == thread
                message = (await client.post(messages, json={"role": "user", "content": "early"})).json()
                assert [entry["id"] for entry in (await client.get(messages)).json()["data"]] == [message["id"]]
                assert created == []
                goes_on.set()
        assert [response.status_code for response in created] == [200]
        ids = [entry["id"] for entry in (await client.get(messages)).json()["data"]]
        assert ids == [created[0].json()["id"], message["id"]]

    _run(application, work)


def test_many_writers_to_a_thread_keep_its_order_and_repeat_nothing(application: ASGIApp) -> None:
    async def work(client: httpx.AsyncClient) -> None:
        messages = f"/threads/{(await client.post('/threads')).json()['id']}/messages"
        written: dict[int, list[str]] = {writer: [] for writer in range(_WRITERS)}

        async def write(writer: int) -> None:
            for number in range(_MESSAGES):
                headers = {"Idempotency-Key": f"{writer}-{number}"}
                body = {"role": "user", "content": f"{writer} {number}"}
                first, repeated = [await client.post(messages, json=body, headers=headers) for _ in range(2)]
                assert (first.status_code, repeated.json()) == (200, first.json())
                written[writer].append(first.json()["id"])

        async with anyio.create_task_group() as tasks:
            for writer in written:
                tasks.start_soon(write, writer)

        page = (await client.get(messages, params={"order": "asc", "limit": 100})).json()
        listed = [entry["id"] for entry in page["data"]]
        assert not page["has_more"]
        assert sorted(listed) == sorted(itertools.chain(*written.values()))
        for own in written.values():
            assert [entry for entry in listed if entry in own] == own

    _run(application, work)
