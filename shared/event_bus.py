"""The event bus of the stack: events go out by PutEvents, and what it refuses is sent again."""

import os
import time

from aws_lambda_powertools import Logger

from shared import clients
from shared.events import MAX_DETAIL_BYTES, Event

SOURCE = "message-api"

_ENTRIES_IN_ONE = 10
_TRIES = 4

_logger = Logger()


def send(events: list[Event]) -> int | None:
    """Put events on the bus; return the place of the first that it did not take, None when it took all.

    An entry and a call may each hold 1 MB, a call ten entries.
    """
    for places in _packs(events):
        refused = _put(events, places)
        if refused:
            return refused[0]
    return None


def _put(events: list[Event], places: list[int]) -> list[int]:
    """Put the events at these places, those that were refused once more; return the places that were refused last."""
    bus = os.environ["EVENT_BUS_NAME"]
    for attempt in range(_TRIES):
        if attempt:
            time.sleep(0.1 * 2**attempt)
        entries = [
            {"Source": SOURCE, "DetailType": kind, "Detail": detail, "EventBusName": bus}
            for kind, detail in (events[place] for place in places)
        ]
        answers = clients.events().put_events(Entries=entries)["Entries"]
        refused = {
            place: answer["ErrorCode"] for place, answer in zip(places, answers, strict=True) if "ErrorCode" in answer
        }
        if not refused:
            return []
        places = [*refused]
        # The last attempt is an error: template.yaml counts these lines for an alarm.
        log = _logger.error if attempt == _TRIES - 1 else _logger.warning
        log("refused events", extra={"count": len(refused), "codes": sorted({*refused.values()})})
    return places


def _packs(events: list[Event]) -> list[list[int]]:
    """Return the events' places in packs that each fit one call, in order."""
    packs: list[list[int]] = []
    room = 0
    for place, event in enumerate(events):
        size = len(event.detail.encode())
        if not packs or len(packs[-1]) == _ENTRIES_IN_ONE or size > room:
            packs.append([])
            room = MAX_DETAIL_BYTES
        packs[-1].append(place)
        room -= size
    return packs
