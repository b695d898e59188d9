"""The program `./message-api`: in this process, or as a process of its own."""

import functools
import os
import subprocess
import sys
from pathlib import Path
from unittest import mock

import botocore.session
from click.testing import CliRunner, Result

from tests.support.local_api import ROOT, environment
from tools import environment as variables
from tools.cli.program import program

# A command in this process makes its clients anew. They read the descriptions of AWS's services once.
botocore.session.create_loader = functools.cache(botocore.session.create_loader)


def invoke(*arguments: str | Path, stdin: str | bytes | None = None, **own: str) -> Result:
    """Run a command in this process, with these environment variables, and then leave all as they were.

    It works on the table in memory, if the test has one and the command is not led elsewhere.
    """
    before = dict(os.environ)
    with mock.patch.dict(os.environ):
        variables.update(own)
        result = CliRunner().invoke(program, [*map(str, arguments)], input=stdin, prog_name="message-api")
        is_changed = before != dict(os.environ)
    if is_changed:
        variables._forget()
    return result


def start(*arguments: str | Path, stdin: int | None = None, **own: str) -> subprocess.Popen[str]:
    """Start a command as a process of its own, with these environment variables."""
    return subprocess.Popen(
        [sys.executable, "-m", "tools.cli", *map(str, arguments)],
        cwd=ROOT,
        env=environment(**own),
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(*arguments: str | Path, stdin: str = "", seconds: float = 600, **own: str) -> tuple[int, str, str]:
    """Run a command as a process of its own; return its exit code, and what it wrote to stdout and to stderr."""
    process = start(*arguments, stdin=subprocess.PIPE, **own)
    try:
        out, errors = process.communicate(stdin, seconds)
    finally:
        process.kill()
    return process.returncode, out, errors
