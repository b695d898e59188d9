"""Publishes events on the stack's event bus, and sends events that the bus refuses again."""

import os
import time

from shared import clients
from shared.events import MAX_DETAIL_BYTES, Event
from shared.log import logger

SOURCE = "message-api"

_ENTRIES_IN_ONE = 10
_TRIES = 4


def send(events: list[Event]) -> int | None:
    """Put events on the bus. Return the index of the first event that the bus did not take, or None when it took all.

    An entry may hold 1 MB. A call may hold 1 MB and ten entries.
    """
    for indexes in _packs(events):
        refused = _put(events, indexes)
        if refused:
            return refused[0]
    return None


def _put(events: list[Event], indexes: list[int]) -> list[int]:
    """Put the events with these indexes, with retries; return the indexes that the bus refused in the last attempt."""
    bus = os.environ["EVENT_BUS_NAME"]
    for attempt in range(_TRIES):
        if attempt:
            time.sleep(0.1 * 2**attempt)
        entries = [
            {"Source": SOURCE, "DetailType": kind, "Detail": detail, "EventBusName": bus}
            for kind, detail in (events[index] for index in indexes)
        ]
        results = clients.events().put_events(Entries=entries)["Entries"]
        refused = {
            index: entry["ErrorCode"] for index, entry in zip(indexes, results, strict=True) if "ErrorCode" in entry
        }
        if not refused:
            return []
        indexes = [*refused]
        # A refusal in the last attempt is logged as an error: template.yaml counts these lines for an alarm.
        log = logger.error if attempt == _TRIES - 1 else logger.warning
        log("refused events", extra={"count": len(refused), "codes": sorted({*refused.values()})})
    return indexes


def _packs(events: list[Event]) -> list[list[int]]:
    """Return the events' indexes in packs that each fit one call, in order."""
    packs: list[list[int]] = []
    room = 0
    for index, event in enumerate(events):
        size = len(event.detail.encode())
        if not packs or len(packs[-1]) == _ENTRIES_IN_ONE or size > room:
            packs.append([])
            room = MAX_DETAIL_BYTES
        packs[-1].append(index)
        room -= size
    return packs
