"""`python -m repair`: finds in a table what no operation leaves behind, and mends it; what `make repair` runs."""

import os
from collections import Counter
from typing import Any

import boto3
import click
from botocore.exceptions import BotoCoreError, ClientError

from local import database
from local.template import STACK, load
from shared.store.errors import StoreError


@click.command()
@click.option("--stack", help=f"The deployed stack whose table it is, as in --stack {STACK}.")
@click.option("--table", help="Name of the table, unless --stack or TABLE_NAME says it.")
@click.option("--endpoint-url", help="A DynamoDB elsewhere, as the local API prints it for DATA=folder.")
@click.option("--region", help="The AWS region, unless the environment or your profile says it.")
@click.option("--fix", is_flag=True, help="Mend what can be mended; without it, only tell.")
def main(*, stack: str | None, table: str | None, endpoint_url: str | None, region: str | None, fix: bool) -> None:
    """Check a whole table: heads, parts, runs, aliases, lists and API keys.

    A restore to a point in time may cut a transaction in two, and a replica of a global table may be written past a
    transaction; no operation leaves such a table behind. Run it while nothing writes. It reads every item once.
    """
    try:
        _choose(stack, table, endpoint_url, region)
        counts = _repair(fix=fix)
    except (BotoCoreError, ClientError, StoreError) as error:
        raise click.ClickException(f"{type(error).__name__}: {error}") from error
    click.echo(f"{counts['items']} items read, {counts['faults']} faults, {counts['mended']} mended")
    click.get_current_context().exit(1 if counts["faults"] > counts["mended"] else 0)


def _choose(stack: str | None, table: str | None, endpoint_url: str | None, region: str | None) -> None:
    """Set the environment that leads to the table, and says how that is laid out."""
    if region:
        os.environ |= {"AWS_DEFAULT_REGION": region, "AWS_REGION": region}
    if stack:
        described = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
        outputs = {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}
        parameters = {entry["ParameterKey"]: entry["ParameterValue"] for entry in described["Parameters"]}
        os.environ["TABLE_NAME"] = outputs["TableName"]
        os.environ["INDEXED_METADATA_KEY"] = parameters["IndexedMetadataKey"]
        os.environ["THREAD_LIST_SHARDS"] = parameters["ThreadListShards"]
    if table:
        os.environ["TABLE_NAME"] = table
    if endpoint_url:
        database.lead_to(load(), endpoint_url)
    if not os.environ.get("TABLE_NAME"):
        raise click.UsageError("Say which table: --stack, --table, or --endpoint-url for a local one.")
    database.set_functions_environment(load())


def _repair(*, fix: bool) -> Counter[str]:
    """Tell each fault, and mend it; a walk that mended something is followed by another, for what it uncovered."""
    from repair import walk

    counts: Counter[str] = Counter()

    def read(items: int) -> None:
        counts["items"] += items

    told: set[Any] = set()
    again = True
    while again:
        again = False
        for fault in walk.faults(read):
            mended = fix and bool(fault.writes) and walk.mend(fault)
            if (fault.partition, fault.text) not in told:
                told.add((fault.partition, fault.text))
                counts["faults"] += 1
                counts["mended"] += mended
                click.echo(f"{fault.partition}: {fault.text}{' - mended' if mended else ''}")
                again = again or mended
    return counts


if __name__ == "__main__":
    main()
