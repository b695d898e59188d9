"""Runs the commands as a person would: in this process on the table in memory, or in a separate process."""

import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3

from tests.support import program
from tests.support.client import Client
from tests.support.local_api import ROOT, environment
from tools.local.template import load

TABLE = "message-api-Table"

# Exit code, stdout, stderr.
Outcome = tuple[int, str, str]


class Killed(BaseException):
    """The process ended here."""


def die() -> None:
    raise Killed


def dynamodb(url: str) -> Any:
    """Return a client of a DynamoDB Local."""
    return boto3.client(
        "dynamodb", endpoint_url=url, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
    )


def table(url: str, name: str) -> tuple[str, ...]:
    """Create our table, empty and without a stream, in a DynamoDB Local. Return the options that lead to it."""
    described = {key: value for key, value in load().table.items() if key != "StreamSpecification"}
    dynamodb(url).create_table(**described | {"TableName": name})
    return ("--endpoint-url", url, "--table", name, "--project", "alpha")


def run(client: Client, command: str, *arguments: str | Path, stdin: bytes | None = None) -> Outcome:
    """Run a command in this process, on the client's project in the table in memory."""
    result = program.invoke(command, "--table", TABLE, "--project", client.project, *arguments, stdin=stdin)
    return result.exit_code, result.stdout, result.stderr


def without_room(size: int, *arguments: str | Path) -> Outcome:
    """Run a command in a separate process, in which no file can grow beyond this size."""
    found = subprocess.run(
        [sys.executable, "-m", "tools.cli", *map(str, arguments)],
        cwd=ROOT,
        env=environment(AWS_DEFAULT_REGION="us-east-1"),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)),
        capture_output=True,
        text=True,
        check=False,
    )
    return found.returncode, found.stdout, found.stderr
