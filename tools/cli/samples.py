"""`python -m tools.cli.samples URL`: puts into a table what the events in events/ are about.

An API key (`sk-local-sample`, project `default`, trusted), a thread and a message in it, with fixed ids.
"""

from unittest import mock

import click

from shared.records import MessageData, ThreadData
from tools.local.dynamodb import database
from tools.local.template import load

API_KEY = "sk-local-sample"
PROJECT = "default"
THREAD_ULID = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
MESSAGE_ULID = "01ARZ3NDEKTSV4RRFFQ69G5FB0"

_CONTENT = '[{"type":"text","text":{"value":"How does AI work? Explain it in simple terms.","annotations":[]}}]'


def put() -> None:
    """Put the samples into the table that the environment leads to; a second time changes nothing."""
    database.store("api_keys").create(PROJECT, "samples", trusted=True, secret=API_KEY)
    # The same path as any thread's, but for the ids, which the store itself draws.
    with mock.patch("shared.ids.new_ulid", side_effect=[THREAD_ULID, MESSAGE_ULID]):
        database.store("threads").create(PROJECT, ThreadData(messages=(MessageData("user", _CONTENT),)), None)


@click.command()
@click.argument("url")
def main(url: str) -> None:
    """Put the samples into the table at a local DynamoDB's URL, made if it does not exist."""
    with database.at_url(load(), url):
        put()


if __name__ == "__main__":
    main()
