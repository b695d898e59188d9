"""`invoke`: runs one function in this process, without Docker and without a server."""

import importlib
import json
from pathlib import Path

import click

from tools.cli import example, samples
from tools.local.dynamodb import moto
from tools.local.lambda_runtime import LambdaContext
from tools.local.template import Function, load

EVENTS = Path(__file__).parents[2] / "events"
FUNCTIONS = EVENTS.parent / "functions"
# Assistants and runs need the URL of a model. No sample event calls this model.
_MODEL = {"ModelUrl": "https://model.example/v1"}


@click.command(epilog=example("invoke create_message"))
@click.argument("function", metavar="FUNCTION")
@click.option(
    "--event",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file with the event. Default: events/FUNCTION.json.",
)
def invoke(function: str, event: Path | None) -> None:
    """Run a function, such as create_message, and print its response as JSON.

    The function uses a table in memory, which holds the objects that the sample events name.
    """
    template = load(parameters=_MODEL)
    functions = {name: candidate for candidate in template.functions for name in _names(candidate)}
    if function not in functions:
        raise click.UsageError(f"There is no function {function}; there are {', '.join(sorted(functions))}.")
    chosen = functions[function]
    content = json.loads((event or EVENTS / f"{function}.json").read_text(encoding="utf-8"))
    with moto.in_memory(template):
        samples.put()
        handler = importlib.import_module(_module(chosen)).handler
        response = handler(content, LambdaContext(chosen))
    click.echo(json.dumps(response, ensure_ascii=False, indent=2))


def _names(function: Function) -> list[str]:
    """Return the operations that a function serves: its module, or each module of its package."""
    name = _module(function).rpartition(".")[2]
    package = FUNCTIONS / name
    return [module.stem for module in package.glob("[a-z]*.py")] if package.is_dir() else [name]


def _module(function: Function) -> str:
    return function.handler.rpartition(".")[0]
