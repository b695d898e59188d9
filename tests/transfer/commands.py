"""The commands as a person runs them: in this process on the table in memory, or as a process of their own."""

from pathlib import Path
from typing import Any

import boto3
from click.testing import Result

from tests.support import program
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
    command, *rest = arguments
    return program.invoke(command, "--table", TABLE, *rest, stdin=stdin)


start, done = program.start, program.run
