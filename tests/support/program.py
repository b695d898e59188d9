"""Runs the program `./message-api`, in this process or in a separate one."""

import contextvars
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

# Each command makes its clients anew. Commands in this process share what was read of AWS's services.
_create_loader = functools.cache(botocore.session.create_loader)


def invoke(*arguments: str | Path, stdin: str | bytes | None = None, **own: str) -> Result:
    """Run a command in this process, with these environment variables. Restore the environment afterwards.

    The command uses the test's table in memory, if there is one and the command is not led to another table.
    """
    before = dict(os.environ)
    with mock.patch.dict(os.environ), mock.patch.object(botocore.session, "create_loader", _create_loader):
        variables.update(own)
        run = functools.partial(CliRunner().invoke, program, [*map(str, arguments)], stdin, prog_name="message-api")
        # As in a new process, there is no deadline of an earlier request.
        result = contextvars.Context().run(run)
        is_changed = before != dict(os.environ)
    if is_changed:
        variables._forget()
    return result


def start(*arguments: str | Path, stdin: int | None = None, **own: str) -> subprocess.Popen[str]:
    """Start a command in a separate process, with these environment variables."""
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
    """Run a command in a separate process. Return its exit code, its stdout and its stderr."""
    process = start(*arguments, stdin=subprocess.PIPE, **own)
    try:
        out, errors = process.communicate(stdin, seconds)
    finally:
        process.kill()
    return process.returncode, out, errors
