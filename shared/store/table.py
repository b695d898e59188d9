"""The table: one client, one function for each kind of call, retries, and the time limit of a request's calls."""

import contextvars
import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import Any, TypeVar

import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionError, HTTPClientError  # noqa: A004 - botocore's own

from shared.settings import settings
from shared.store.errors import BusyError
from shared.store.keys import Key
from shared.store.parser import AsItIs

Item = dict[str, dict[str, Any]]
# One part of a transaction, such as `{"Put": {"Item": …, "ConditionExpression": …}}`.
Write = dict[str, dict[str, Any]]
T = TypeVar("T")

# A call ends within 2 x (1 + 3) seconds and a back-off. A request starts no call after 12 seconds. Together this is
# less than the functions' time-out of 25 seconds, so a slow table leads to a regular 503 response.
_CONFIG = Config(
    connect_timeout=1,
    read_timeout=3,
    retries={"mode": "standard", "total_max_attempts": 2},
    parameter_validation=False,
    # Without this, botocore builds a description of itself twice in each call: a sixth of the call's processor time.
    user_agent="message-api",
)
_SECONDS_FOR_A_REQUEST = 12.0
_SECONDS_FOR_A_CALL = 8.0
_LONGEST_PAUSE = 0.4

_BUSY = {
    "InternalServerError",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "ThrottlingException",
    "TransactionInProgressException",
}
_CONFLICT = "TransactionConflictException"
# With these reasons, a transaction may succeed when it is tried again.
_TRY_AGAIN = {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}

# Random numbers of the system. A generator with a state would repeat its numbers in all instances of one snapshot.
_random = random.SystemRandom()

_threads = ThreadPoolExecutor(max_workers=8, thread_name_prefix="submit")
_deadline: contextvars.ContextVar[float] = contextvars.ContextVar("deadline", default=float("inf"))
# Shared by the threads that work on one request.
_retries: contextvars.ContextVar[list[int]] = contextvars.ContextVar("retries")


class ConditionFailedError(Exception):
    """A write's condition did not hold.

    `item` is the stored item, or None if there is none. `resent` means that the call was sent twice: its own first
    attempt may then be the reason why the condition failed.
    """

    def __init__(self, item: Item | None, *, resent: bool) -> None:
        super().__init__()
        self.item = item
        self.resent = resent


class CancelledError(Exception):
    """A transaction's conditions did not hold.

    `failed` has an entry for each part whose condition failed: its place in the transaction, and the stored item.
    """

    def __init__(self, failed: dict[int, Item | None]) -> None:
        super().__init__()
        self.failed = failed


@cache
def client() -> Any:
    """Return the client of DynamoDB. `shared.entry` and the event functions make it in the init phase."""
    settings()
    session = botocore.session.get_session()
    session.register_component("response_parser_factory", AsItIs())
    made: Any = session.create_client("dynamodb", config=_CONFIG)
    # Otherwise botocore finds the endpoint again for each call, from the call's parameters: a tenth of the call's
    # processor time. Without a resolver it uses the region's endpoint, or AWS_ENDPOINT_URL_DYNAMODB.
    made._ruleset_resolver = None  # noqa: SLF001 - there is no public option
    return made


def set_deadline(seconds: float = _SECONDS_FOR_A_REQUEST) -> None:
    """Set the number of seconds in which the current request, or piece of work, may start calls."""
    _deadline.set(time.monotonic() + seconds)
    _retries.set([])


def retries() -> int:
    """Return how often the current request repeated a call, after conflicts, faults or changes by other requests."""
    return sum(_retries.get())


def count_retries(count: int = 1) -> None:
    """Count repeated calls. Callers that repeat a call without `backoff` use this."""
    if count:
        _retries.get([]).append(count)


def submit(work: Callable[[], T]) -> Future[T]:
    """Start work in another thread, within the same request's time."""
    return _threads.submit(contextvars.copy_context().run, work)


def result(work: Future[T]) -> T:
    """Return the result of work that `submit` started. Raises `BusyError` when the work does not end."""
    left = min(_deadline.get() - time.monotonic(), threading.TIMEOUT_MAX / 2)
    try:
        return work.result(max(left, 0) + _SECONDS_FOR_A_CALL)
    except TimeoutError as error:
        raise BusyError("work beside that does not end") from error


def get(key: Key) -> Item | None:
    """Return one item, consistently read, or None."""
    item: Item | None = _call(client().get_item, TableName=settings().table_name, Key=key, ConsistentRead=True).get(
        "Item"
    )
    return item


def batch_get(keys: list[Key]) -> dict[tuple[str, str], Item]:
    """Return the items that exist, by (partition, sort key), with consistent reads of 100 items in each call.

    A batch is no snapshot: of a transaction that is being committed it may show one item but not yet another.
    """
    found: dict[tuple[str, str], Item] = {}
    for start in range(0, len(keys), 100):
        wanted = keys[start : start + 100]
        for _ in backoff():
            answer = _call(
                client().batch_get_item, RequestItems={settings().table_name: {"Keys": wanted, "ConsistentRead": True}}
            )
            for item in answer["Responses"].get(settings().table_name, []):
                found[item["threadId"]["S"], item["messageId"]["S"]] = item
            wanted = answer.get("UnprocessedKeys", {}).get(settings().table_name, {}).get("Keys", [])
            if not wanted:
                break
    return found


def transact_get(keys: list[Key]) -> list[Item | None]:
    """Return each item, or None if it does not exist. The result includes all committed transactions.

    Each call reads ten items: ten of the largest items (400 KB) fit the 4 MB that a transaction may read.
    """
    found: list[Item | None] = []
    for start in range(0, len(keys), 10):
        gets = [{"Get": {"TableName": settings().table_name, "Key": key}} for key in keys[start : start + 10]]
        answer = _without_conflict(client().transact_get_items, TransactItems=gets)
        found += [entry.get("Item") for entry in answer["Responses"]]
    return found


def query(partition: str, low: str, high: str, **options: Any) -> Iterator[Item]:
    """Yield the items of a partition whose sort keys lie between `low` and `high`, both included, consistently read.

    `options` are parameters of the Query call. Each further page of DynamoDB (1 MB) is read only when it is needed.
    """
    while True:
        answer = _call(
            client().query,
            TableName=settings().table_name,
            KeyConditionExpression="threadId = :partition AND messageId BETWEEN :low AND :high",
            ExpressionAttributeValues={":partition": {"S": partition}, ":low": {"S": low}, ":high": {"S": high}},
            ConsistentRead=True,
            **options,
        )
        yield from answer["Items"]
        if "LastEvaluatedKey" not in answer:
            return
        options["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def put(item: Item) -> None:
    """Put one item. It replaces an existing item."""
    _without_conflict(client().put_item, TableName=settings().table_name, Item=item)


def update(key: Key, **expressions: Any) -> Item:
    """Update one item and return its new state. Raises `ConditionFailedError` when its condition does not hold."""
    answer = _without_conflict(
        client().update_item,
        TableName=settings().table_name,
        Key=key,
        ReturnValues="ALL_NEW",
        ReturnValuesOnConditionCheckFailure="ALL_OLD",
        **expressions,
    )
    item: Item = answer["Attributes"]
    return item


def delete(key: Key, **condition: Any) -> None:
    """Delete one item. Raises `ConditionFailedError` when its condition does not hold."""
    _without_conflict(client().delete_item, TableName=settings().table_name, Key=key, **condition)


def batch_put(items: list[Item]) -> None:
    """Put items, 25 in each call. They replace existing items."""
    _batch_write([{"PutRequest": {"Item": item}} for item in items])


def batch_delete(keys: list[Key]) -> None:
    """Delete items, 25 in each call, whether they exist or not."""
    _batch_write([{"DeleteRequest": {"Key": key}} for key in keys])


def _batch_write(writes: list[dict[str, Any]]) -> None:
    for start in range(0, len(writes), 25):
        requests = writes[start : start + 25]
        for _ in backoff():
            answer = _call(client().batch_write_item, RequestItems={settings().table_name: requests})
            requests = answer.get("UnprocessedItems", {}).get(settings().table_name, [])
            if not requests:
                break


def transact(writes: list[Write]) -> None:
    """Do all writes or no write. Raises `CancelledError` when a condition does not hold.

    A write is `{"Put": {"Item": …}}`, `{"Update": …}`, `{"Delete": …}` or `{"ConditionCheck": …}`, without the table's
    name. botocore's retries send the same ClientRequestToken, so a call whose response is lost does not write twice.
    """
    parts = [
        {kind: {"TableName": settings().table_name, "ReturnValuesOnConditionCheckFailure": "ALL_OLD", **write}}
        for entry in writes
        for kind, write in entry.items()
    ]
    _without_conflict(client().transact_write_items, TransactItems=parts)


def _call(method: Callable[..., Any], **parameters: Any) -> Any:
    """Make one call. Raises `BusyError` if a retry may succeed later. Other errors of AWS pass through."""
    if time.monotonic() > _deadline.get():
        raise BusyError("the time for this request is used up")
    try:
        answer = method(**parameters)
        count_retries(answer["ResponseMetadata"]["RetryAttempts"])
    except (HTTPClientError, ConnectionError) as error:
        count_retries()
        raise BusyError(type(error).__name__) from error
    except ClientError as error:
        count_retries(error.response["ResponseMetadata"]["RetryAttempts"])
        code = error.response["Error"]["Code"]
        if code in _BUSY:
            raise BusyError(code) from error
        if code == "ConditionalCheckFailedException":
            resent = error.response["ResponseMetadata"]["RetryAttempts"] > 0
            item: Any = error.response.get("Item")
            raise ConditionFailedError(item, resent=resent) from error
        raise
    return answer


def _without_conflict(method: Callable[..., Any], **parameters: Any) -> Any:
    """Make one call, and repeat it after a pause if it conflicts with a transaction. A conflict changes nothing."""
    for _ in backoff():
        try:
            return _call(method, **parameters)
        except ClientError as error:
            if not _is_conflict(error):
                raise
    raise AssertionError  # backoff() does not end


def _is_conflict(error: ClientError) -> bool:
    """Return whether a call failed only because of a conflict. Raises `CancelledError` if conditions failed."""
    if error.response["Error"]["Code"] == _CONFLICT:
        return True
    reasons: Any = error.response.get("CancellationReasons", [])
    failed = {
        place: reason.get("Item") for place, reason in enumerate(reasons) if reason["Code"] == "ConditionalCheckFailed"
    }
    if failed:
        raise CancelledError(failed) from error
    return any(reason["Code"] in _TRY_AGAIN for reason in reasons)


def backoff() -> Iterator[None]:
    """Yield without end, with pauses of random and growing length. When the time is up, a call raises `BusyError`."""
    yield
    longest = 0.01
    while True:
        time.sleep(_random.uniform(0, longest))
        count_retries()
        longest = min(longest * 2, _LONGEST_PAUSE)
        yield
