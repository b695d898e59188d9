"""`python -m tools.cli.commands [FILE]`: puts a command into the inbound queue of the local API."""

import http.client
import json
import os
from typing import BinaryIO

import click


@click.command()
@click.argument("file", type=click.File("rb"), default="-")
@click.option("--port", default=lambda: os.environ.get("PORT") or "8000", help="Where the local API listens.")
def main(file: BinaryIO, port: str) -> None:
    """Send the command in a file, or from standard input, and print what became of it: exit code 1 if rejected."""
    connection = http.client.HTTPConnection("127.0.0.1", int(port))
    try:
        connection.request("POST", "/_local/commands", file.read(), {"content-type": "application/json"})
        answer = connection.getresponse()
    except OSError as error:
        raise click.ClickException(f"no local API on port {port}: {error.strerror}") from error
    said = json.loads(answer.read())
    if answer.status >= http.HTTPStatus.BAD_REQUEST:
        reason = said.get("error", {}).get("message", "")
        raise click.ClickException(f"{said['message']}{reason and ': '}{reason}")
    click.echo(said["message"])


if __name__ == "__main__":
    main()
