"""The options that name the table of a command, and the environment for this table."""

import os
from collections.abc import Callable
from functools import wraps
from typing import Any

import boto3
import click

from shared.store import api_keys
from shared.store import table as store
from tools import environment
from tools.local.template import STACK, load

# The functions' variables for the layout of a table, each with its parameter in the template.
_LAYOUT = {
    "INDEXED_METADATA_KEY": "IndexedMetadataKey",
    "RETENTION_DAYS": "RetentionDays",
    "THREAD_LIST_SHARDS": "ThreadListShards",
}

_OPTIONS = (
    click.option("--stack", help=f"The deployed stack that has the table, such as {STACK}."),
    click.option("--table", help="The name of the table. Default: that of --stack, or TABLE_NAME."),
    click.option("--endpoint-url", help="The URL of another DynamoDB. `serve --data` prints that of its own."),
    click.option("--region", help="The AWS region. Default: that of the environment or of your profile."),
)


class Project(click.ParamType[str]):
    """The name of a project."""

    name = "project"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not api_keys.PROJECT.fullmatch(value):
            self.fail(api_keys.PROJECT_RULE, param, ctx)
        return value


def add(command: Callable[..., None]) -> Callable[..., None]:
    """Add --stack, --table, --endpoint-url and --region: the arguments of `choose`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def with_table(command: Callable[..., None]) -> Callable[..., None]:
    """Add these options, and call `choose` before the command runs."""

    @wraps(command)
    def run(
        *, stack: str | None, table: str | None, endpoint_url: str | None, region: str | None, **others: Any
    ) -> None:
        choose(stack=stack, table=table, endpoint_url=endpoint_url, region=region)
        command(**others)

    return add(run)


def choose(*, stack: str | None, table: str | None, endpoint_url: str | None, region: str | None) -> None:
    """Set the functions' environment, so that it names the table and gives its layout.

    A stack also gives the event bus. If a table is named in addition to a stack, it must have the layout of the stack's
    table, like a restored table. The following calls may take a minute. Raises `click.UsageError` if no table is named,
    and errors of boto3 if the stack cannot be read.
    """
    if region:
        environment.update({"AWS_DEFAULT_REGION": region, "AWS_REGION": region})
    if stack:
        environment.update(_of_stack(stack))
    if table:
        environment.update({"TABLE_NAME": table})
    if endpoint_url:
        environment.lead_to(load(), endpoint_url)
    if not os.environ.get("TABLE_NAME"):
        raise click.UsageError("Name the table: --stack, --table or --endpoint-url.")
    environment.complete(load())
    store.set_deadline(60)


def _of_stack(name: str) -> dict[str, str]:
    stack = boto3.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    parameters = {entry["ParameterKey"]: entry["ParameterValue"] for entry in stack["Parameters"]}
    names = {"TABLE_NAME": outputs["TableName"], "EVENT_BUS_NAME": outputs["EventBusName"]}
    return names | {variable: parameters[parameter] for variable, parameter in _LAYOUT.items()}
