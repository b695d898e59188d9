"""The table on one's own machine: which engine holds it, and the functions' environment that leads there."""

import importlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from shared.settings import settings
from tools.local.dynamodb import engine, write_barrier
from tools.local.dynamodb.engine import EngineError
from tools.local.template import REGION, Template

_ENDPOINT = "AWS_ENDPOINT_URL_DYNAMODB"
_CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_REGION": REGION,
}
# With any of these a person has said which account is meant.
_SIGNS_OF_AN_ACCOUNT = {"AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE"}
# What would lead from a local engine to an account, or past moto to another endpoint.
_WAYS_OUT = {"AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_WEB_IDENTITY_TOKEN_FILE", _ENDPOINT}

# From 3.12 on the runtime writes answers without escaping what is not ASCII.
_RUNTIME = {"AWS_EXECUTION_ENV": "AWS_Lambda_python3.13"}
# What the functions log on Lambda would drown the local API's line for each request.
_QUIET = {"POWERTOOLS_LOG_LEVEL": "WARNING"}


@contextmanager
def in_memory(template: Template, *, stream: bool = False) -> Iterator[None]:
    """Hold table, queues and event bus in this process, with moto, and set the environment that leads there.

    Enter it before anything makes a client. With `stream`, something must take the records out of the stream all the
    time: moto copies what is in it for each transaction.
    """
    from tools.local.dynamodb import moto_engine

    _set_environment(template, None, of_our_own=True)
    table = {name: value for name, value in template.table.items() if stream or name != "StreamSpecification"}
    with moto_engine.running():
        create_table(replace(template, table=table))
        moto_engine.forget_copies()
        sqs = boto3.client("sqs")
        for name in template.queues:
            sqs.create_queue(QueueName=name, Attributes={"FifoQueue": "true"} if name.endswith(".fifo") else {})
        events = boto3.client("events")
        for name in template.buses:
            events.create_event_bus(Name=name)
        yield


@contextmanager
def in_folder(template: Template, folder: Path, on_end: Callable[[], object]) -> Iterator[str]:
    """Hold the table in DynamoDB Local with its data in a folder; yield the engine's URL.

    What it acknowledges has been written. Sets the environment that leads there. `on_end` is called when the engine
    ends by itself. Raises `EngineError`.
    """
    with engine.running(folder, on_end) as url:
        _set_environment(template, url, of_our_own=True)
        create_table(template)
        with write_barrier.awaited(os.environ["TABLE_NAME"], url):
            yield url


@contextmanager
def at_url(template: Template, url: str) -> Iterator[str]:
    """Use the DynamoDB at a URL, with the person's own credentials when the environment names some.

    Sets the environment that leads there. Raises `EngineError`.
    """
    lead_to(template, url)
    create_table(template)
    yield url


def lead_to(template: Template, url: str) -> None:
    """Set the environment that leads to the DynamoDB at a URL, without looking whether it is there."""
    _set_environment(template, url, of_our_own=not _SIGNS_OF_AN_ACCOUNT & os.environ.keys())


def store(module: str) -> Any:
    """Return a module of `shared.store`, with a minute for the calls that follow.

    It is imported here because the store makes its client at import, after the environment has been set.
    """
    importlib.import_module("shared.store.table").set_deadline(60)
    return importlib.import_module(f"shared.store.{module}")


def create_table(template: Template) -> None:
    """Create the table that the template describes, with its expiry attribute, unless it exists.

    TABLE_NAME gives it another name. Raises `EngineError` without an answer, or for a table with other keys.
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


def set_functions_environment(template: Template) -> None:
    """Set the functions' variables to the template's values, but for those that a person has set."""
    variables = {name: value for name, value in template.environment.items() if name != _ENDPOINT}
    os.environ |= variables | _QUIET | dict(os.environ) | _RUNTIME
    settings.cache_clear()


def _create(client: Any, template: Template, name: str) -> None:
    # A second process that starts at the same moment may have been faster.
    with suppress(client.exceptions.ResourceInUseException):
        client.create_table(**template.table | {"TableName": name})
    client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})
    if template.ttl_attribute:
        client.update_time_to_live(
            TableName=name,
            TimeToLiveSpecification={"AttributeName": template.ttl_attribute, "Enabled": True},
        )


def _set_environment(template: Template, endpoint: str | None, *, of_our_own: bool) -> None:
    if of_our_own:
        for name in _WAYS_OUT & os.environ.keys():
            del os.environ[name]
        os.environ |= _CREDENTIALS | {"AWS_EC2_METADATA_DISABLED": "true"}
        # A profile in a file could carry an endpoint or a region of its own.
        os.environ |= {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    if endpoint:
        os.environ[_ENDPOINT] = endpoint
    set_functions_environment(template)
