"""The table in memory, in a separate process, because it sets the environment and replaces AWS permanently."""

import subprocess
import sys

from tests.support.local_api import ROOT, environment

_SCRIPT = """
import gc
import boto3
from tools.local import template
from tools.local.dynamodb import moto

with moto.in_memory(template.load()):
    client = boto3.client("dynamodb")
    name = client.list_tables()["TableNames"][0]
    for number in range(30):
        item = {"threadId": {"S": "thread"}, "messageId": {"S": str(number)}}
        client.transact_write_items(TransactItems=[{"Put": {"TableName": name, "Item": item}}])
    gc.collect()
    print([type(thing).__name__ for thing in gc.get_objects()].count("Item"))
"""


def test_memory_holds_each_item_once() -> None:
    run = subprocess.run(
        [sys.executable, "-c", _SCRIPT],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.stdout, run.stderr) == ("30\n", "")
