"""`samples`: writes the objects that the events in events/ name, with fixed ids.

The objects are an API key (`sk-local-sample`, trusted), a thread, a message, and the objects of sample_runs.
"""

from unittest import mock

import click

from shared.records import MessageData, ThreadData
from shared.store import api_keys, threads
from tools.cli import example, sample_runs
from tools.local.dynamodb import database
from tools.local.template import load

API_KEY = "sk-local-sample"
PROJECT = "default"
THREAD_ULID = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
MESSAGE_ULID = "01ARZ3NDEKTSV4RRFFQ69G5FB0"

_CONTENT = '[{"type":"text","text":{"value":"How does AI work? Explain it in simple terms.","annotations":[]}}]'


@click.command(epilog=example("samples http://127.0.0.1:8001"))
@click.argument("url")
def samples(url: str) -> None:
    """Write the key, the thread and the message of the sample events to the DynamoDB at URL.

    The table is created if it does not exist.
    """
    with database.at_url(load(), url):
        put()


def put() -> None:
    """Write the samples to the table that the environment names. A second call changes nothing."""
    api_keys.create(PROJECT, "samples", trusted=True, secret=API_KEY)
    # The store makes the ids of a thread and its messages.
    with mock.patch("shared.ids.new_ulid", side_effect=[THREAD_ULID, MESSAGE_ULID]):
        threads.create(PROJECT, ThreadData(messages=(MessageData("user", _CONTENT),)), None)
    sample_runs.put(PROJECT)
