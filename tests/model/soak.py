"""`python -m tests.model.soak`: runs the model machine for a long time, on a chosen engine. `make soak` runs this."""

import base64
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import closing
from functools import partial
from typing import Any

import click
import httpx

from tests.model import runs_machine
from tests.model.machine import World
from tests.support import local_api, memory, runs
from tests.support.client import Answer, Client
from tools.local import template
from tools.local.dynamodb import database, engine, moto


@click.command()
@click.option("--engine", "where", type=click.Choice(["memory", "dynamodb", "http"]), default="dynamodb")
@click.option("--seconds", default=1_800.0, help="How long; the round that is running then is the last.")
@click.option("--seed", default=None, type=int, help="The first round's; each round has the next one.")
@click.option("--examples", default=100, help="Runs of 50 steps in a round.")
def main(where: str, seconds: float, seed: int | None, examples: int) -> None:
    """Make random requests and compare each response with the model's, until the time is up or a response differs."""
    first = random.randrange(1_000_000) if seed is None else seed
    click.echo(f"soak on {where}: seed {first}, {seconds:g} s")
    until = time.monotonic() + seconds
    total: Counter[str] = Counter()
    with closing(_worlds(where, examples)) as worlds:
        for of, world in zip(range(first, sys.maxsize), worlds, strict=False):
            if time.monotonic() > until:
                break
            click.echo(f"seed {of} ", nl=False)
            total = total + runs_machine.run(world, of, examples)
            click.echo(f"{total['step']} steps")
    click.echo(f"no answer differs: {dict(total.most_common())}")


def _worlds(where: str, runs: int) -> Generator[World, None, None]:
    """Yield a world for each round of runs: always the same world, or over HTTP that of a new server."""
    if where == "memory":
        with moto.in_memory(template.load(parameters=memory.MODEL)):
            while True:
                yield World(around=memory.as_it_was)
    if where == "dynamodb":
        with engine.running() as url, database.at_url(template.load(), url):
            while True:
                yield World()
    while True:
        # The server's clock is not moved. Its keys are created at its start: three for each run, and some more.
        names = [(f"alpha-{run}", f"beta-{run}") for run in range(2 * runs)]
        keys = (f"{a}=sk-{a}-plain,{a}+trusted=sk-{a}-trusted,{b}=sk-{b}-plain" for a, b in names)
        left = iter(names)
        with (
            tempfile.TemporaryDirectory() as data,
            local_api.serving(API_KEYS=",".join(keys), DATA=data, MODEL_URL="demo") as api,
            httpx.Client(base_url=api.base_url, timeout=30) as http,
        ):
            yield World(call=partial(_send, http), clients=partial(_clients, left))


def _clients(projects: Iterator[tuple[str, str]]) -> dict[str, Client]:
    first, second = next(projects)
    return {
        "plain": Client(project=first, secret=f"sk-{first}-plain"),
        "trusted": Client(project=first, secret=f"sk-{first}-trusted", trusted=True),
        "other": Client(project=second, secret=f"sk-{second}-plain"),
    }


def _send(http: httpx.Client, client: Client, function: str, *ids: str, **options: Any) -> Answer:
    """Send over HTTP the request that `Client.call` would pass to a function."""
    event = runs.event(client, function, *ids, **options)
    body = event.get("body") or ""
    sent = base64.b64decode(body) if event["isBase64Encoded"] else body.encode()
    path = event["rawPath"] + ("?" if event["rawQueryString"] else "") + event["rawQueryString"]
    answer = http.request(event["requestContext"]["http"]["method"], path, content=sent, headers=event["headers"])
    return Answer(answer.status_code, dict(answer.headers), answer.text, size=len(answer.content))


if __name__ == "__main__":
    main()
