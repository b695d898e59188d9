"""`keys create`, `keys list` and `keys revoke` work with the API keys of a table."""

import time

import click

from shared.store import api_keys
from tools.cli import example, table_options
from tools.cli.table_options import Project


@click.group()
def keys() -> None:
    """Create, list and revoke API keys."""


@keys.command(epilog=example("keys create --stack message-api --project alpha --name laptop"))
@table_options.with_table
@click.option("--project", type=Project(), required=True, help="The project that the key belongs to.")
@click.option("--name", default="", help="A name that tells you the key's user.")
@click.option("--trusted", is_flag=True, help="Let the key write what assistants write: run_id, annotations, refusals.")
def create(*, project: str, name: str, trusted: bool) -> None:
    """Create a key and print its secret. The table has only its hash, so the secret is never printed again."""
    click.echo(api_keys.create(project, name, trusted=trusted))


@keys.command("list", epilog=example("keys list --stack message-api --project alpha"))
@table_options.with_table
@click.option("--project", type=Project(), help="Print only the keys of this project.")
def list_(*, project: str | None) -> None:
    """Print all keys, one a line: id, project, name, date, and whether it is trusted or revoked."""
    for key in api_keys.list_keys():
        if project in (None, key.project):
            created = time.strftime("%Y-%m-%d", time.gmtime(key.created))
            marks = ["trusted"] * key.trusted + ["revoked"] * (key.revoked is not None)
            click.echo("\t".join([key.id, key.project, key.name, created, ",".join(marks)]))


@keys.command(epilog=example("keys revoke --stack message-api 5f2b6c0f1d3e4a79"))
@table_options.with_table
@click.argument("key_id", metavar="ID")
def revoke(*, key_id: str) -> None:
    """Revoke the key with the id that `keys list` prints. The API refuses it within a minute."""
    try:
        api_keys.revoke(key_id)
    except api_keys.ApiKeyNotFoundError as error:
        raise click.ClickException(f"there is no key with the id {key_id}") from error
