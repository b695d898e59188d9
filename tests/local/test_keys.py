"""The commands of `keys`, with a table in DynamoDB Local that the local API uses, and their refusals."""

import re

import httpx
import pytest

from shared.store import api_keys
from tests.support import program
from tests.support.local_api import serving


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
        return [line.split("\t") for line in program.invoke("keys", "list", *at, *options).stdout.splitlines()]

    alpha, beta = listed()
    assert [alpha[1:3], alpha[4]] == [["alpha", "local API"], ""]
    assert [beta[1:3], beta[4]] == [["beta", "of a person"], "trusted"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", beta[3])
    assert listed("--project", "beta") == [beta]
    revoked = program.invoke("keys", "revoke", *at, beta[0])
    assert (revoked.exit_code, revoked.output) == (0, "")
    assert listed("--project", "beta") == [[*beta[:4], "trusted,revoked"]]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["revoke", "nothing"], 1, "there is no key with the id nothing"),
        (["create", "--project", "A b"], 2, f"Invalid value for '--project': {api_keys.PROJECT_RULE}"),
        (["create"], 2, "Missing option '--project'."),
    ],
)
def test_what_cannot_be_done_is_said(in_memory: None, arguments: list[str], code: int, message: str) -> None:
    found = program.invoke("keys", *arguments)
    assert (found.exit_code, found.stdout, found.stderr.splitlines()[-1]) == (code, "", f"Error: {message}")


def test_a_table_that_is_not_there_is_one_line(dynamodb_local: str) -> None:
    found = program.invoke("keys", "list", "--endpoint-url", dynamodb_local, TABLE_NAME="missing")
    assert (found.exit_code, found.stdout, found.stderr.count("\n")) == (1, "", 1)
    assert found.stderr.startswith("Error: ResourceNotFoundException: ")
