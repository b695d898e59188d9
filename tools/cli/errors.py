"""Errors of commands: a command that cannot do its work prints one line and ends with an exit code."""

import errno
import sqlite3
from typing import Any

import click
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError

from shared.store.errors import BusyError, StoreError, ThreadNotFoundError
from tools.errors import ToolError

_RETRY = "run the same command again; what is done stays done"


class OneLineErrors(click.Group):
    """Shows the errors of tools, AWS, the store and the operating system as one line, with exit code 1.

    click shows a wrong command line in the same way, with exit code 2. Any other exception is a bug and shows a
    traceback.
    """

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (BotoCoreError, ClientError, OSError, StoreError, ToolError, sqlite3.Error) as error:
            if isinstance(error, OSError) and error.errno == errno.EPIPE:
                raise  # the reader of the output has ended; click exits and prints nothing
            raise click.ClickException(_line(error)) from error


def _line(error: Exception) -> str:
    match error:
        case ToolError():
            return str(error)
        case BusyError():
            found_nothing = isinstance(error.__cause__, EndpointConnectionError)
            advice = "look at --endpoint-url, --region and the network" if found_nothing else _RETRY
            return f"the table is too busy or cannot be reached ({error}): {advice}"
        case ThreadNotFoundError():
            return f"the project has no thread {error.thread_id}"
        case sqlite3.Error():
            return f"no room for what is read from the files ({error}): set TMPDIR to another folder"
        case OSError():
            return f"{error.filename or 'cannot write'}: {error.strerror}; {_RETRY}"
    return f"{type(error).__name__}: {error}"
