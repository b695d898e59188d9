"""`python -m tools.cli.invoke FUNCTION`: runs one function on its sample event, in memory, without Docker."""

import importlib
import json
from pathlib import Path

import click

from tools.cli import samples
from tools.local.dynamodb import database
from tools.local.lambda_runtime import LambdaContext
from tools.local.template import Function, load

EVENTS = Path(__file__).parents[2] / "events"
FUNCTIONS = EVENTS.parent / "functions"
# No sample calls the model; with one, there are assistants and runs.
_MODEL = {"ModelUrl": "https://model.example/v1"}


@click.command()
@click.argument("function", metavar="FUNCTION")
@click.option(
    "--event",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file with another event than events/FUNCTION.json.",
)
def main(function: str, event: Path | None) -> None:
    """Run a function, like create_message, on a table that holds the samples; print its answer as JSON."""
    template = load(parameters=_MODEL)
    functions = {name: candidate for candidate in template.functions for name in _names(candidate)}
    if function not in functions:
        raise click.UsageError(f"There is no function {function}; there are {', '.join(sorted(functions))}.")
    chosen = functions[function]
    content = json.loads((event or EVENTS / f"{function}.json").read_text(encoding="utf-8"))
    with database.in_memory(template):
        samples.put()
        handler = importlib.import_module(_module(chosen)).handler
        answer = handler(content, LambdaContext(chosen))
    click.echo(json.dumps(answer, ensure_ascii=False, indent=2))


def _names(function: Function) -> list[str]:
    """Return the operations that a function serves: its module, or each module of its package."""
    name = _module(function).rpartition(".")[2]
    package = FUNCTIONS / name
    return [module.stem for module in package.glob("[a-z]*.py")] if package.is_dir() else [name]


def _module(function: Function) -> str:
    return function.handler.rpartition(".")[0]


if __name__ == "__main__":
    main()
