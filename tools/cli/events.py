"""`python -m tools.cli.events`: prints the events of the local API as they happen, one JSON document per line."""

import http.client
import os
import sys
from contextlib import suppress

import click


@click.command()
@click.option("--port", default=lambda: os.environ.get("PORT") or "8000", help="Where the local API listens.")
def main(port: str) -> None:
    """Print events until the local API ends or Ctrl-C."""
    connection = http.client.HTTPConnection("127.0.0.1", int(port))
    try:
        connection.request("GET", "/_local/events")
        answer = connection.getresponse()
    except OSError as error:
        raise click.ClickException(f"no local API on port {port}: {error.strerror}") from error
    if answer.status != http.HTTPStatus.OK:
        raise click.ClickException(answer.read().decode(errors="replace"))
    with suppress(KeyboardInterrupt, http.client.IncompleteRead):
        for line in answer:
            if line.startswith(b"data: "):
                sys.stdout.buffer.write(line.removeprefix(b"data: "))
                sys.stdout.flush()


if __name__ == "__main__":
    main()
