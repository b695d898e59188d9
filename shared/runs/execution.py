"""The execution of a run: claims the run, calls the model once and stores the outcome."""

import time
import uuid
from collections.abc import Callable, Iterator
from typing import TypeVar

from botocore.exceptions import ClientError

from shared import error_mapping, ids
from shared.log import logger
from shared.records import MessageData, PageRequest
from shared.runs import live
from shared.runs.conversation import chat_messages
from shared.runs.endpoint import endpoint
from shared.runs.errors import RunNotFoundError
from shared.runs.live import LiveAnswer
from shared.runs.model import ask
from shared.runs.parameters import chat_request
from shared.runs.records import SECONDS_TO_EXPIRY, Failure, Outcome, Run, ToolCall
from shared.runs.store import lifecycle, runs, steps
from shared.store import keys, pages, table
from shared.store.errors import BusyError, StoreError, ThreadNotFoundError, TooLargeError

# The call of the model ends this long before the run expires, so that clocks that differ by seconds do no harm.
_RESERVE_SECONDS = 15
_SECONDS_FOR_THE_STORE = 20.0
_PAUSE_SECONDS = 1.0
_LONGEST_PAGE = 100

_FAULT = Failure("server_error", "Sorry, something went wrong.")
_TOO_LARGE = Failure("server_error", "The model's answer is too large to be stored.")
_NO_ROOM = Outcome("incomplete", incomplete_reason="max_prompt_tokens")
_NO_TOKENS = Outcome("incomplete", incomplete_reason="max_completion_tokens")

T = TypeVar("T")


def execute(partition: str, run_id: str) -> None:
    """Execute a queued run. A run that is not queued any more is not changed.

    Raises errors only before the run is claimed, so that a later delivery may claim it. After the claim, a fault ends
    the run as failed, or as expired if the table stays out of reach.
    """
    started = time.perf_counter()
    project, _, thread_id = partition.partition("#")
    attempt = uuid.uuid4().hex
    table.set_deadline(_SECONDS_FOR_THE_STORE)
    if not lifecycle.claim(partition, run_id, attempt):
        return
    log_fields: dict[str, object] = {"operation": "execute_run", "project": project}
    try:
        run = _patiently(lambda: runs.retrieve(project, thread_id, run_id), time.time() + SECONDS_TO_EXPIRY)
        # The run may have been cancelled or have expired after the claim.
        status = "dropped" if run.status != "in_progress" else _answer(project, run, log_fields)
    except (ThreadNotFoundError, RunNotFoundError):
        status = "deleted"
    except (StoreError, ClientError) as error:
        # The table could not be reached for so long that the run expires.
        status = "expired"
        log_fields["cause"] = error_mapping.cause(error)
    milliseconds = round((time.perf_counter() - started) * 1000)
    # template.yaml counts the lines of level ERROR for an alarm.
    log = logger.error if status in ("failed", "expired") else logger.info
    log("run", extra={**log_fields, "status": status, "milliseconds": milliseconds})


def _answer(project: str, run: Run, log_fields: dict[str, object]) -> str:
    """Call the model, store the outcome, and return the run's new status for the log."""
    with live.published(run) as answer:
        outcome = _outcome(project, run, answer.add if answer else _drop, log_fields)
        return _finish(project, run, outcome, answer)


def _drop(_text: str) -> None:
    """Ignore a text, because no stream shows it."""


def _outcome(project: str, run: Run, on_text: Callable[[str], None], log_fields: dict[str, object]) -> Outcome:
    """Return the outcome of a call of the model. A fault of this service is an outcome too."""
    try:
        return _asked(project, run, on_text)
    except Exception as error:  # noqa: BLE001 - whatever the error is, the run must end
        log_fields["cause"] = error_mapping.cause(error)
        return Outcome("failed", failure=_FAULT)


def _asked(project: str, run: Run, on_text: Callable[[str], None]) -> Outcome:
    model = endpoint()
    messages = chat_messages(run.settings, _newest_first(project, run), _turns(project, run), model.context_tokens)
    if messages is None:
        return _NO_ROOM
    request = chat_request(model, run.settings, messages, run.usage)
    if request is None:
        return _NO_TOKENS
    return ask(model, request, run.expires_at - _RESERVE_SECONDS, on_text)


def _newest_first(project: str, run: Run) -> Iterator[MessageData]:
    """Yield the messages of a run's thread, newest first. Each page is read only when it is needed."""
    strategy = run.settings.truncation_strategy or {}
    limit = min(strategy.get("last_messages") or _LONGEST_PAGE, _LONGEST_PAGE)
    after, has_more = "", True
    while has_more:
        table.set_deadline(_SECONDS_FOR_THE_STORE)
        wanted = PageRequest(limit=limit, ascending=False, after=after, before="")
        page = pages.list_messages(project, run.thread_id, wanted, None)
        yield from (message.data for message in page.records)
        has_more = page.has_more
        if has_more:
            last = page.records[-1].id
            ulid = last.removeprefix(keys.MESSAGE_PREFIX)
            after = ulid if ids.is_ulid(ulid) else last


def _turns(project: str, run: Run) -> list[tuple[ToolCall, ...]]:
    """Return the calls that the model has requested in this run, by turn, with their outputs."""
    return [step.calls for step in steps.load_all(project, run, run.steps) if step.calls]


def _finish(project: str, run: Run, outcome: Outcome, answer: LiveAnswer | None) -> str:
    """Store an outcome, or else a failure. Return the status for the log. Raises errors of the store."""
    try:
        return _stored(project, run, outcome, answer)
    except (TooLargeError, ClientError) as error:
        failure = _TOO_LARGE if isinstance(error, TooLargeError) else _FAULT
        return _stored(project, run, Outcome("failed", usage=outcome.usage, failure=failure), answer)


def _stored(project: str, run: Run, outcome: Outcome, answer: LiveAnswer | None) -> str:
    until = run.expires_at - lifecycle.SECONDS_BEFORE_EXPIRY
    ulids = (answer.message_ulid, answer.step_ulid) if answer else ("", "")
    return outcome.status if _patiently(lambda: lifecycle.finish(project, run, outcome, ulids), until) else "dropped"


def _patiently(work: Callable[[], T], until: float) -> T:
    """Do some work of the store, and repeat it while the table is busy. `until` is in seconds since 1970."""
    while True:
        table.set_deadline(_SECONDS_FOR_THE_STORE)
        try:
            return work()
        except BusyError:
            if time.time() + _PAUSE_SECONDS > until:
                raise
            time.sleep(_PAUSE_SECONDS)
