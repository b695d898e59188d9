"""`invoke`: one function in this process, without Docker and without a server."""

import importlib
import json
from pathlib import Path

import click

from tools.cli import example, samples
from tools.local.dynamodb import moto
from tools.local.lambda_runtime import LambdaContext
from tools.local.template import load

EVENTS = Path(__file__).parents[2] / "events"


@click.command(epilog=example("invoke create_message"))
@click.argument("function", metavar="FUNCTION")
@click.option(
    "--event",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file with the event. Default: events/FUNCTION.json.",
)
def invoke(function: str, event: Path | None) -> None:
    """Run a function, such as create_message, on a table in memory with the samples; print its response as JSON."""
    template = load()
    functions = {candidate.handler.split(".")[1]: candidate for candidate in template.functions}
    if function not in functions:
        raise click.UsageError(f"There is no function {function}; there are {', '.join(sorted(functions))}.")
    content = json.loads((event or EVENTS / f"{function}.json").read_text(encoding="utf-8"))
    with moto.in_memory(template):
        samples.put()
        handler = importlib.import_module(f"functions.{function}").handler
        response = handler(content, LambdaContext(functions[function]))
    click.echo(json.dumps(response, ensure_ascii=False, indent=2))
