"""The options of a command that say which table it works on, and the environment that leads there."""

import os
from collections.abc import Callable

import boto3
import click

from tools.local.dynamodb import database
from tools.local.template import STACK, load

# The functions' variables that say how a table is laid out, each with its parameter in the template.
_LAYOUT = {
    "INDEXED_METADATA_KEY": "IndexedMetadataKey",
    "RETENTION_DAYS": "RetentionDays",
    "THREAD_LIST_SHARDS": "ThreadListShards",
}

_OPTIONS = (
    click.option("--stack", help=f"The deployed stack whose table it is, as in --stack {STACK}."),
    click.option("--table", help="Name of the table, unless --stack or TABLE_NAME says it."),
    click.option("--endpoint-url", help="A DynamoDB elsewhere, as the local API prints it for DATA=folder."),
    click.option("--region", help="The AWS region, unless the environment or your profile says it."),
)


def options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command --stack, --table, --endpoint-url and --region: the arguments of `choose`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def choose(*, stack: str | None, table: str | None, endpoint_url: str | None, region: str | None) -> None:
    """Set the functions' environment, so that it leads to the table and says how that is laid out.

    Of a stack, the bus is set too. A table that is named beside a stack has the stack's layout, as one has that was
    restored. Raises `click.UsageError` when no table is named, and what boto3 raises when the stack cannot be read.
    """
    if region:
        os.environ |= {"AWS_DEFAULT_REGION": region, "AWS_REGION": region}
    if stack:
        _read(stack)
    if table:
        os.environ["TABLE_NAME"] = table
    if endpoint_url:
        database.lead_to(load(), endpoint_url)
    if not os.environ.get("TABLE_NAME"):
        raise click.UsageError("Say which table is meant: --help names the options.")
    database.set_functions_environment(load())


def _read(stack: str) -> None:
    described = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}
    parameters = {entry["ParameterKey"]: entry["ParameterValue"] for entry in described["Parameters"]}
    os.environ |= {"TABLE_NAME": outputs["TableName"], "EVENT_BUS_NAME": outputs["EventBusName"]}
    os.environ |= {variable: parameters[name] for variable, name in _LAYOUT.items()}
