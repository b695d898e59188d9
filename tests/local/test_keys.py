"""The commands of `keys`, as processes of their own, against a table in DynamoDB Local."""

import re

import boto3
import httpx
import pytest

from shared.store import api_keys
from tests.support import program
from tests.support.local_api import serving
from tools.local.template import load


@pytest.fixture(scope="module")
def table(dynamodb_local: str) -> str:
    """Return the name of an empty table of ours."""
    name = "keys-of-nobody"
    client = boto3.client(
        "dynamodb",
        endpoint_url=dynamodb_local,
        region_name="us-east-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
    )
    client.create_table(**load().table | {"TableName": name})
    return name


def test_a_key_is_made_used_listed_and_revoked(dynamodb_local: str) -> None:
    at = ("--table", "keys", "--endpoint-url", dynamodb_local)
    with serving(TABLE_NAME="keys", DYNAMODB_URL=dynamodb_local, API_KEYS="alpha=sk-alpha") as api:
        create = ("--project", "beta", "--name", "of a person", "--trusted")
        code, secret, errors = program.run("keys", "create", *at, *create)
        assert (code, errors) == (0, "")
        assert re.fullmatch(r"sk-\S{43}\n", secret)
        headers = {"Authorization": f"Bearer {secret.strip()}"}
        assert httpx.get(f"{api.base_url}/threads", headers=headers).status_code == 200

    def listed(*options: str) -> list[list[str]]:
        return [line.split("\t") for line in program.run("keys", "list", *at, *options)[1].splitlines()]

    alpha, beta = listed()
    assert [alpha[1:3], alpha[4]] == [["alpha", "local API"], ""]
    assert [beta[1:3], beta[4]] == [["beta", "of a person"], "trusted"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", beta[3])
    assert listed("--project", "beta") == [beta]
    assert program.run("keys", "revoke", *at, beta[0]) == (0, "", "")
    assert listed("--project", "beta") == [[*beta[:4], "trusted,revoked"]]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["revoke", "nothing"], 1, "there is no key with the id nothing"),
        (
            ["create", "--project", "A b"],
            2,
            f"Invalid value for '--project': {api_keys.PROJECT_RULE}",
        ),
        (["create"], 2, "Missing option '--project'."),
    ],
)
def test_what_cannot_be_done_is_said(
    dynamodb_local: str, table: str, arguments: list[str], code: int, message: str
) -> None:
    run = program.run("keys", *arguments, "--endpoint-url", dynamodb_local, TABLE_NAME=table)
    assert (run[0], run[1], run[2].splitlines()[-1]) == (code, "", f"Error: {message}")


def test_a_table_that_is_not_there_is_one_line(dynamodb_local: str) -> None:
    code, out, error = program.run("keys", "list", "--endpoint-url", dynamodb_local, TABLE_NAME="missing")
    assert (code, out, error.count("\n")) == (1, "", 1)
    assert error.startswith("Error: ResourceNotFoundException: ")


def test_no_table_is_a_usage_error() -> None:
    code, out, error = program.run("keys", "list")
    assert (code, out) == (2, "")
    assert error.endswith("Error: Name the table: --stack, --table or --endpoint-url.\n")
