"""The keys command, as a person runs it, against a table in DynamoDB Local."""

import re
import subprocess
import sys

import boto3
import httpx
import pytest

from tests.support.local_api import ROOT, environment, serving
from tools.local.template import load


def _keys(*arguments: str, **own: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tools.cli.keys", *arguments],
        cwd=ROOT,
        env=environment(**own),
        capture_output=True,
        text=True,
        check=False,
    )


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
        made = _keys(*at, "create", "--project", "beta", "--name", "of a person", "--trusted")
        assert (made.returncode, made.stderr) == (0, "")
        assert re.fullmatch(r"sk-\S{43}\n", made.stdout)
        headers = {"Authorization": f"Bearer {made.stdout.strip()}"}
        assert httpx.get(f"{api.base_url}/threads", headers=headers).status_code == 200

    def listed(*options: str) -> list[list[str]]:
        return [line.split("\t") for line in _keys(*at, "list", *options).stdout.splitlines()]

    alpha, beta = listed()
    assert [alpha[1:3], alpha[4]] == [["alpha", "local API"], ""]
    assert [beta[1:3], beta[4]] == [["beta", "of a person"], "trusted"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", beta[3])
    assert listed("--project", "beta") == [beta]
    revoked = _keys(*at, "revoke", beta[0])
    assert (revoked.returncode, revoked.stdout, revoked.stderr) == (0, "", "")
    assert listed("--project", "beta") == [[*beta[:4], "trusted,revoked"]]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["revoke", "nothing"], 1, "there is no key with the id nothing"),
        (
            ["create", "--project", "A b"],
            2,
            (
                "A project's name is 1 to 63 lower-case letters, digits and hyphens, and does not begin with a hyphen. "
                "The name 'key' is reserved."
            ),
        ),
        (["create"], 2, "Missing option '--project'."),
    ],
)
def test_what_cannot_be_done_is_said(
    dynamodb_local: str, table: str, arguments: list[str], code: int, message: str
) -> None:
    run = _keys("--endpoint-url", dynamodb_local, *arguments, TABLE_NAME=table)
    assert (run.returncode, run.stdout, run.stderr.splitlines()[-1]) == (code, "", f"Error: {message}")


def test_a_table_that_is_not_there_is_one_line(dynamodb_local: str) -> None:
    run = _keys("--endpoint-url", dynamodb_local, "list", TABLE_NAME="missing")
    assert (run.returncode, run.stdout, run.stderr.count("\n")) == (1, "", 1)
    assert run.stderr.startswith("Error: ResourceNotFoundException: ")


def test_no_table_is_a_usage_error() -> None:
    run = _keys("list")
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.endswith("Error: Say which table is meant: --help names the options.\n")
