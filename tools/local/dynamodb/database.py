"""The table that the template describes, in a DynamoDB on this machine or at a URL."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tools import environment
from tools.local.dynamodb import engine, write_barrier
from tools.local.dynamodb.engine import EngineError
from tools.local.template import Template


@contextmanager
def in_folder(template: Template, folder: Path, on_end: Callable[[], object]) -> Iterator[str]:
    """Run DynamoDB Local with its data in a folder, set the environment that leads to it, and yield its URL.

    A write of the functions is acknowledged only when it is in the folder. `on_end` is called if the engine ends by
    itself. Raises `EngineError`.
    """
    with engine.running(folder, on_end) as url:
        environment.lead_to_local(template, url)
        create_table(template)
        with write_barrier.awaited(os.environ["TABLE_NAME"], url):
            yield url


@contextmanager
def at_url(template: Template, url: str) -> Iterator[str]:
    """Use the DynamoDB at a URL, and set the environment that leads to it. Raises `EngineError`."""
    environment.lead_to(template, url)
    create_table(template)
    yield url


def create_table(template: Template) -> None:
    """Create the table with its expiry attribute, unless it exists. TABLE_NAME gives it another name.

    Raises `EngineError` if DynamoDB does not respond, or if the table exists with other keys.
    """
    name = os.environ.get("TABLE_NAME", template.table["TableName"])
    config = Config(connect_timeout=2, retries={"total_max_attempts": 2})
    try:
        client = boto3.client("dynamodb", config=config)
        try:
            keys = client.describe_table(TableName=name)["Table"]["KeySchema"]
        except client.exceptions.ResourceNotFoundException:
            _create(client, template, name)
        else:
            if keys != template.table["KeySchema"]:
                raise EngineError(f"the table {name} exists there with other keys")
    except (BotoCoreError, ClientError) as error:
        raise EngineError(f"no table {name} to work with: {error}") from error


def _create(client: Any, template: Template, name: str) -> None:
    # Another process that starts at the same moment may create it first.
    with suppress(client.exceptions.ResourceInUseException):
        client.create_table(**template.table | {"TableName": name})
    client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})
    if template.ttl_attribute:
        client.update_time_to_live(
            TableName=name,
            TimeToLiveSpecification={"AttributeName": template.ttl_attribute, "Enabled": True},
        )
