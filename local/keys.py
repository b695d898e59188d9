"""`python -m local.keys`: makes, lists and revokes API keys in a table, local or deployed."""

import os
import time
from typing import Any

import boto3
import click
from botocore.exceptions import BotoCoreError, ClientError

from local import database
from local.template import STACK, load
from shared.store.errors import StoreError


class _OneLineErrors(click.Group):
    """Shows what AWS or the store refuses as one line, with exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (BotoCoreError, ClientError, StoreError) as error:
            raise click.ClickException(f"{type(error).__name__}: {error}") from error


@click.group(cls=_OneLineErrors)
@click.option("--table", help="Name of the table, unless TABLE_NAME says it.")
@click.option("--stack", help=f"The deployed stack whose table it is, as in --stack {STACK}.")
@click.option("--endpoint-url", help="A DynamoDB elsewhere, as the local API prints it for DATA=folder.")
@click.option("--region", help="The AWS region, unless the environment or your profile says it.")
def main(table: str | None, stack: str | None, endpoint_url: str | None, region: str | None) -> None:
    """Make, list and revoke API keys in a table, local or deployed, with your ordinary AWS credentials."""
    if region:
        os.environ |= {"AWS_DEFAULT_REGION": region, "AWS_REGION": region}
    if table or stack:
        os.environ["TABLE_NAME"] = table or _table_of(str(stack))
    if endpoint_url:
        database.lead_to(load(), endpoint_url)
    if not os.environ.get("TABLE_NAME"):
        raise click.UsageError("Say which table: --table, --stack, or --endpoint-url for a local one.")
    database.set_functions_environment(load())


@main.command()
@click.option("--project", required=True, help="The project that the key belongs to.")
@click.option("--name", default="", help="What you will know the key by.")
@click.option("--trusted", is_flag=True, help="Let it write what assistants answer: run_id, annotations, refusals.")
def create(project: str, name: str, *, trusted: bool) -> None:
    """Make a key and show its secret, this once: only its hash is stored."""
    api_keys = database.store("api_keys")
    try:
        click.echo(api_keys.create(project, name, trusted=trusted))
    except api_keys.InvalidProjectError as error:
        raise click.UsageError(database.PROJECT_RULE) from error


@main.command("list")
@click.option("--project", help="Show this project's keys only.")
def list_keys(project: str | None) -> None:
    """Show all keys, revoked ones included: id, project, name, when made, and what else is to be said."""
    for key in database.store("api_keys").list_keys():
        if project in (None, key.project):
            created = time.strftime("%Y-%m-%d", time.gmtime(key.created))
            marks = ["trusted"] * key.trusted + ["revoked"] * (key.revoked is not None)
            click.echo("\t".join([key.id, key.project, key.name, created, ",".join(marks)]))


@main.command()
@click.argument("key_id", metavar="ID")
def revoke(key_id: str) -> None:
    """Revoke the key with this id, as `list` shows it; it is refused within a minute."""
    api_keys = database.store("api_keys")
    try:
        api_keys.revoke(key_id)
    except api_keys.ApiKeyNotFoundError as error:
        raise click.ClickException(f"there is no key with the id {key_id}") from error


def _table_of(stack: str) -> str:
    found = boto3.client("cloudformation").describe_stack_resource(StackName=stack, LogicalResourceId="Table")
    return str(found["StackResourceDetail"]["PhysicalResourceId"])


if __name__ == "__main__":
    main()
