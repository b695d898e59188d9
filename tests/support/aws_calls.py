"""Our code's calls of AWS, as IAM sees them: an action, a resource of the template, and the partition."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from typing import Any, NamedTuple
from unittest import mock

from botocore.client import BaseClient

from tools.local import template

_OF_A_PART = {
    "Put": "dynamodb:PutItem",
    "Update": "dynamodb:UpdateItem",
    "Delete": "dynamodb:DeleteItem",
    "ConditionCheck": "dynamodb:ConditionCheckItem",
    "Get": "dynamodb:GetItem",
}
_BATCHES = {"SendMessageBatch": "SendMessage", "ChangeMessageVisibilityBatch": "ChangeMessageVisibility"}


class Use(NamedTuple):
    """One use of a permission. `resource` is a logical id. `partition` is empty unless the resource is the table."""

    action: str
    resource: str
    partition: str = ""


@contextmanager
def recorded() -> Iterator[set[Use]]:
    """Yield a set to which each call of any botocore client adds its uses of permissions."""
    uses: set[Use] = set()
    base: Any = BaseClient
    call = base._make_api_call

    def noted(client: Any, operation: str, parameters: dict[str, Any]) -> Any:
        service = client.meta.service_model.service_name
        uses.update(_OF_A_SERVICE[service](operation, parameters))
        return call(client, operation, parameters)

    with mock.patch.object(base, "_make_api_call", noted):
        yield uses


def _of_dynamodb(operation: str, parameters: dict[str, Any]) -> Iterator[Use]:
    if operation in ("TransactWriteItems", "TransactGetItems"):
        # IAM checks the action of each item. AWS does not document whether LeadingKeys then holds the partition of this
        # item or those of the whole transaction, so each action needs all of them.
        writes = [write for entry in parameters["TransactItems"] for write in entry.items()]
        for (kind, _), (_, part) in product(writes, writes):
            yield _of_the_table(_OF_A_PART[kind], part["TableName"], part.get("Key") or part["Item"])
    elif operation in ("BatchGetItem", "BatchWriteItem"):
        ((table, asked),) = parameters["RequestItems"].items()
        for key in asked["Keys"] if operation == "BatchGetItem" else map(_written, asked):
            yield _of_the_table(f"dynamodb:{operation}", table, key)
    elif operation == "Query":
        key = {"threadId": parameters["ExpressionAttributeValues"][":partition"]}
        yield _of_the_table("dynamodb:Query", parameters["TableName"], key)
    else:
        key = parameters.get("Key") or parameters["Item"]
        yield _of_the_table(f"dynamodb:{operation}", parameters["TableName"], key)


def _written(request: dict[str, Any]) -> dict[str, Any]:
    (found,) = request.values()
    key: dict[str, Any] = found.get("Key") or found["Item"]
    return key


def _of_the_table(action: str, table: str, key: dict[str, Any]) -> Use:
    return Use(action, table.removeprefix(f"{template.STACK}-"), key["threadId"]["S"])


def _of_sqs(operation: str, parameters: dict[str, Any]) -> Iterator[Use]:
    queue = parameters["QueueUrl"].rpartition("/")[2].removeprefix(f"{template.STACK}-").removesuffix(".fifo")
    yield Use(f"sqs:{_BATCHES.get(operation, operation)}", queue)


def _of_events(operation: str, parameters: dict[str, Any]) -> Iterator[Use]:
    for entry in parameters["Entries"]:
        yield Use(f"events:{operation}", entry["EventBusName"].removeprefix(f"{template.STACK}-"))


def _of_secrets(operation: str, parameters: dict[str, Any]) -> Iterator[Use]:
    secret = parameters["SecretId"]
    yield Use(f"secretsmanager:{operation}", "ModelKeySecret" if secret == os.environ["MODEL_KEY_SECRET"] else secret)


_OF_A_SERVICE = {
    "dynamodb": _of_dynamodb,
    "sqs": _of_sqs,
    "events": _of_events,
    "secretsmanager": _of_secrets,
}
