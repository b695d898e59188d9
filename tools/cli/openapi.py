"""`openapi`: writes the document of the API from the code."""

import click

from tools.cli import example
from tools.openapi import document


@click.command(epilog=example("openapi"))
def openapi() -> None:
    """Write openapi.json from the code."""
    document.DOCUMENT.write_text(document.text(), encoding="utf-8")
