"""`python -m tests.fuzz`: the local API on DynamoDB Local under mutated requests; what `make fuzz` runs.

Each must be answered in time, as openapi.json has it for its route, and never by a 5xx; memory must stay bounded.
"""

import tempfile
from contextlib import nullcontext
from pathlib import Path

import click

from tests.fuzz import contract, gateway, sockets
from tests.support.local_api import serving
from tools.local import template
from tools.local.dynamodb import database, engine


@click.command()
@click.option("--requests", default=100_000, help="How many mutated requests to send, one in twenty over a socket.")
@click.option("--examples", default=100, help="How many requests schemathesis makes for each operation.")
@click.option("--seed", default=1, help="What the requests are made from.")
def main(requests: int, examples: int, seed: int) -> None:
    """Send requests that nobody should send; print what became of them, or stop at the first wrong answer."""
    over_sockets = requests // 20
    with engine.running() as url:
        with database.at_url(template.load(), url):
            click.echo(f"in one process: {gateway.send(requests - over_sockets, seed, nullcontext)}")
        with serving(DYNAMODB_URL=url, API_KEYS="fuzz+trusted=sk-fuzz") as api, tempfile.TemporaryDirectory() as folder:
            click.echo(f"over sockets: {sockets.send(api, over_sockets, seed)}")
            click.echo(contract.send(api, examples, seed, Path(folder), phases="examples,coverage,fuzzing,stateful"))


if __name__ == "__main__":
    main()
