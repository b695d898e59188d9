"""`python -m tests.fuzz`: sends mutated requests to the local API on DynamoDB Local. `make fuzz` runs this.

Each response must come in time, match openapi.json, and not be a 5xx. Memory must stay bounded.
"""

import tempfile
from pathlib import Path

import click

from tests.fuzz import contract, sockets
from tests.support.local_api import serving
from tools.local.dynamodb import engine


@click.command()
@click.option("--requests", default=100_000, help="How many mutated requests to send.")
@click.option("--examples", default=100, help="How many requests schemathesis makes for each operation.")
@click.option("--seed", default=1, help="What the requests are made from.")
def main(requests: int, examples: int, seed: int) -> None:
    """Send malformed requests. Print the figures of their responses, or stop at the first wrong response."""
    with (
        engine.running() as url,
        serving(DYNAMODB_URL=url, API_KEYS=sockets.KEYS, MODEL_URL="demo") as api,
        tempfile.TemporaryDirectory() as folder,
    ):
        click.echo(sockets.send(api, requests, seed))
        click.echo(contract.send(api, examples, seed, Path(folder), phases="examples,coverage,fuzzing,stateful"))


if __name__ == "__main__":
    main()
