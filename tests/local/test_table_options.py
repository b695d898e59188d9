"""The table of a command: that of a deployed stack, one with a given name, or one at another URL."""

import json
import os
from collections.abc import Iterator

import boto3
import pytest

from tests.support import program
from tools.cli import table_options
from tools.local import template

VARIABLES = (
    *("AWS_DEFAULT_REGION", "AWS_REGION", "EVENT_BUS_NAME"),
    *("INDEXED_METADATA_KEY", "RETENTION_DAYS", "TABLE_NAME", "THREAD_LIST_SHARDS"),
)
OUTPUTS = {"TableName": "threads-of-mine", "EventBusName": "events-of-mine"}
PARAMETERS = {"IndexedMetadataKey": "customer", "RetentionDays": "30", "ThreadListShards": "4", "Other": "x"}


@pytest.fixture
def stack(in_memory: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Yield the name of a stack with our outputs and parameters. Restore the environment afterwards."""
    for name in VARIABLES:
        monkeypatch.setenv(name, "us-east-1" if "REGION" in name else "")
    body = {
        "Parameters": {name: {"Type": "String"} for name in PARAMETERS},
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {name: {"Value": value} for name, value in OUTPUTS.items()},
    }
    formation = boto3.client("cloudformation", region_name="eu-central-1")
    formation.create_stack(
        StackName="mine",
        TemplateBody=json.dumps(body),
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in PARAMETERS.items()],
    )
    yield "mine"
    formation.delete_stack(StackName="mine")


def chosen(**options: str) -> dict[str, str]:
    """Return the variables that a command with these options sets."""
    table_options.choose(**dict.fromkeys(("stack", "table", "endpoint_url", "region")) | options)
    return {name: os.environ[name] for name in VARIABLES}


def test_a_stack_says_which_table_and_bus_and_how_the_table_is_laid_out(stack: str) -> None:
    assert chosen(stack=stack, region="eu-central-1") == {
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_REGION": "eu-central-1",
        "EVENT_BUS_NAME": "events-of-mine",
        "INDEXED_METADATA_KEY": "customer",
        "RETENTION_DAYS": "30",
        "TABLE_NAME": "threads-of-mine",
        "THREAD_LIST_SHARDS": "4",
    }


def test_a_table_beside_a_stack_has_the_layout_of_the_stack(stack: str) -> None:
    found = chosen(stack=stack, table="restored", region="eu-central-1")

    assert (found["TABLE_NAME"], found["THREAD_LIST_SHARDS"]) == ("restored", "4")


@pytest.mark.parametrize(
    "command",
    [
        ("keys", "list"),
        ("keys", "create", "--project", "alpha"),
        ("keys", "revoke", "id"),
        ("import", "--project", "alpha", "-"),
        ("export", "--project", "alpha", "nothing.jsonl"),
        ("events", "replay", "--project", "alpha", "--bus", "mine"),
        ("check",),
        ("repair",),
    ],
    ids=" ".join,
)
def test_a_command_that_is_not_told_which_table_says_so(command: tuple[str, ...]) -> None:
    found = program.invoke(*command, TABLE_NAME="")

    assert (found.exit_code, found.stdout) == (2, "")
    assert found.stderr.endswith("Error: Name the table: --stack, --table or --endpoint-url.\n")


def test_the_template_has_the_outputs_and_parameters_that_are_read() -> None:
    """Without this test, a name that is changed only in the template would fail first on AWS."""
    document = template.read()

    assert document["Outputs"].keys() >= OUTPUTS.keys()
    assert document["Parameters"].keys() >= PARAMETERS.keys() - {"Other"}
