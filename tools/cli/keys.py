"""`python -m tools.cli.keys`: makes, lists and revokes API keys in a table, local or deployed."""

import time
from typing import Any

import click
from botocore.exceptions import BotoCoreError, ClientError

from shared.store.errors import StoreError
from tools.cli import table_options
from tools.local.dynamodb import database


class _OneLineErrors(click.Group):
    """Shows what AWS or the store refuses as one line, with exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (BotoCoreError, ClientError, StoreError) as error:
            raise click.ClickException(f"{type(error).__name__}: {error}") from error


@click.group(cls=_OneLineErrors)
@table_options.options
def main(**table: str | None) -> None:
    """Make, list and revoke API keys in a table, local or deployed, with your ordinary AWS credentials."""
    table_options.choose(**table)


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
        raise click.UsageError(api_keys.PROJECT_RULE) from error


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


if __name__ == "__main__":
    main()
