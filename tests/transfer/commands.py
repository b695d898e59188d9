"""The commands as a person runs them: in this process on the table in memory, or as a process of their own."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
from click.testing import CliRunner, Result

from tests.support.local_api import ROOT, environment
from tools.local.template import load

TABLE = "message-api-Table"


def dynamodb(url: str) -> Any:
    """Return a client of a DynamoDB Local."""
    return boto3.client(
        "dynamodb", endpoint_url=url, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
    )


def table(url: str, name: str) -> tuple[str, ...]:
    """Make an empty table of ours in a DynamoDB Local, without a stream; return the options that lead to it."""
    described = {key: value for key, value in load().table.items() if key != "StreamSpecification"}
    dynamodb(url).create_table(**described | {"TableName": name})
    return ("--endpoint-url", url, "--table", name, "--project", "alpha")


def run(*arguments: str | Path, stdin: bytes | None = None) -> Result:
    """Run a command in this process, on the table in memory."""
    from tools.transfer.__main__ import main

    command, *rest = map(str, arguments)
    return CliRunner().invoke(main, [command, "--table", TABLE, *rest], input=stdin)


def start(*arguments: str | Path, **own: str) -> subprocess.Popen[str]:
    """Start a command as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "tools.transfer", *map(str, arguments)],
        cwd=ROOT,
        env=environment(**own),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def done(*arguments: str | Path, seconds: float = 600, **own: str) -> tuple[int, str, str]:
    """Run a command as a process of its own; return its exit code, what it wrote to stdout and to stderr."""
    process = start(*arguments, **own)
    out, errors = process.communicate(timeout=seconds)
    return process.returncode, out, errors
