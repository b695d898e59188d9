"""`commands send`: sends commands to the inbound queue of the local API."""

import json
from http import HTTPStatus
from typing import BinaryIO

import click

from tools.cli import example, local_api


@click.group()
def commands() -> None:
    """Send commands to the local API."""


@commands.command(epilog=example("commands send reply.json"))
@click.argument("file", type=click.File("rb"), default="-")
@local_api.port_option
def send(file: BinaryIO, port: int) -> None:
    """Send the command in FILE, or from standard input, and print the result.

    The exit code is 1 if the command is rejected.
    """
    response = local_api.request(port, "POST", "/_local/commands", file.read())
    result = json.loads(response.read())
    if response.status >= HTTPStatus.BAD_REQUEST:
        reason = result.get("error", {}).get("message", "")
        raise click.ClickException(f"{result['message']}{reason and ': '}{reason}")
    click.echo(result["message"])
