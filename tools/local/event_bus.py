"""The event bus on this machine. Each subscriber gets the events after its subscription, in EventBridge's form."""

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

from tools.local.template import ACCOUNT, REGION

_Queue = asyncio.Queue[str | None]


class Subscribers:
    """Any thread can publish events. Each subscriber receives them in the event loop in which it subscribed."""

    def __init__(self) -> None:
        self._open: dict[_Queue, asyncio.AbstractEventLoop] = {}

    def put_events(self, request: dict[str, Any]) -> dict[str, Any]:
        """Respond to EventBridge's PutEvents."""
        entries = [(str(uuid.uuid4()), entry) for entry in request["Entries"]]
        for event_id, entry in entries:
            self._publish(_delivered(event_id, entry))
        return {"FailedEntryCount": 0, "Entries": [{"EventId": event_id} for event_id, _ in entries]}

    def subscribe(self) -> AsyncIterator[str]:
        """Return an iterator of the events that are published from now on, each as one line of JSON, until `close`."""
        queue: _Queue = asyncio.Queue()
        self._open[queue] = asyncio.get_running_loop()
        return self._events(queue)

    def close(self) -> None:
        """End all subscriptions."""
        self._publish(None)

    async def _events(self, queue: _Queue) -> AsyncIterator[str]:
        try:
            while (text := await queue.get()) is not None:
                yield text
        finally:
            del self._open[queue]

    def _publish(self, text: str | None) -> None:
        for queue, loop in [*self._open.items()]:
            with suppress(RuntimeError):  # the loop has ended, and so has the subscriber
                loop.call_soon_threadsafe(queue.put_nowait, text)


def _delivered(event_id: str, entry: dict[str, Any]) -> str:
    event = {
        "version": "0",
        "id": event_id,
        "detail-type": entry["DetailType"],
        "source": entry["Source"],
        "account": ACCOUNT,
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "region": REGION,
        "resources": [],
        "detail": json.loads(entry["Detail"]),
    }
    return json.dumps(event, ensure_ascii=False)
