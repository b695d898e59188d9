"""The data of EXAMPLE=1: the thread and the messages that the snippets of the old API's documentation name."""

import sys
from collections.abc import Iterable
from pathlib import Path

from tools.transfer import imports

FILE = Path(__file__).parent / "example.jsonl"


def put(projects: Iterable[str]) -> None:
    """Import the thread into each project that does not have it yet. The environment must lead to the table."""
    for project in projects:
        with FILE.open("rb") as file:
            imports.import_file(file, project, imports.Report(_say, _say))


def _say(_place: str, reason: str) -> None:
    print(f"EXAMPLE: {reason}", file=sys.stderr, flush=True)
