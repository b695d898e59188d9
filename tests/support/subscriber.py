"""A subscriber to the events of a local API."""

import json
import queue
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPResponse, IncompleteRead
from typing import Any

import httpx

from tests.support.local_api import LocalApi

_SECONDS = 20.0


class Events:
    """The events that have come and were not taken yet, in order."""

    def __init__(self) -> None:
        self._come: queue.Queue[bytes] = queue.Queue()

    def put(self, line: bytes) -> None:
        self._come.put(line)

    def next(self) -> dict[str, Any]:
        """Wait for an event and take it."""
        event: dict[str, Any] = json.loads(self._come.get(timeout=_SECONDS))
        return event

    def take(self, count: int) -> list[dict[str, Any]]:
        return [self.next() for _ in range(count)]


@contextmanager
def subscribed(api: LocalApi) -> Iterator[Events]:
    """Yield the events from now on. The subscription ends with the context, or with the local API."""
    url, events = httpx.URL(api.base_url), Events()
    connection = HTTPConnection(url.host, url.port)
    connection.request("GET", "/_local/events")
    sock: socket.socket = connection.sock
    # The response's headers come when the subscription has begun.
    reading = threading.Thread(target=_read, args=(connection.getresponse(), events))
    reading.start()
    try:
        yield events
    finally:
        with suppress(OSError):  # the local API has already closed the connection
            sock.shutdown(socket.SHUT_RDWR)
        reading.join()
        connection.close()


def _read(answer: HTTPResponse, events: Events) -> None:
    with suppress(IncompleteRead):
        for line in answer:
            if line.startswith(b"data: "):
                events.put(line.removeprefix(b"data: "))
