"""`python -m tools.local.server`: the whole API on this machine, through the same handlers; what `make local` runs."""

import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp

from shared.store.errors import StoreError
from tools.local import browser_page, control_routes, docs_page, event_sources, example, settings
from tools.local.dynamodb import database, table_stream
from tools.local.dynamodb.engine import EngineError
from tools.local.dynamodb.table_stream import Read
from tools.local.event_sources import EventSide
from tools.local.gateway import gateway
from tools.local.settings import PresetKey, Settings, SettingsError
from tools.local.template import Template, load

_SNIPPET = """\
from openai import OpenAI

client = OpenAI(base_url="{base_url}", api_key="{api_key}")
thread = client.beta.threads.create()
client.beta.threads.messages.create(thread.id, role="user", content="Hello")
for message in client.beta.threads.messages.list(thread.id):
    print(message.id, message.role, message.content[0].text.value)
"""

_HANDLERS_AT_ONCE = 32


class PortError(Exception):
    """The port cannot be served on; the text is one line for the person who chose it."""


@dataclass(frozen=True)
class _Storage:
    """`read` returns the changes of the table; `persistent` data outlive this process."""

    description: str
    read: Read | None
    persistent: bool


def main() -> int:
    """Serve until Ctrl-C or SIGTERM, return 0 then; 2 for a bad setting, 1 when else prevented."""
    signal.signal(signal.SIGINT, _end)
    signal.signal(signal.SIGTERM, _end)
    try:
        _serve(settings.read())
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    except (EngineError, PortError) as error:
        print(error, file=sys.stderr)
        return 1
    except SystemExit as end:
        return int(end.code or 0)
    return 0


class _Server(uvicorn.Server):
    """Ends the subscriptions before it ends, because it waits for all responses."""

    def __init__(self, config: uvicorn.Config, side: EventSide) -> None:
        super().__init__(config)
        self._side = side

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        # Python drops an exception that a signal raises inside a weak reference's callback, as imports have them: a
        # signal that came before uvicorn's own handlers were there may have been lost so.
        self.should_exit = self.should_exit or _signalled.is_set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._side.subscribers.close()
        await super().shutdown(sockets)


_signalled = threading.Event()


def _end(*_: object) -> None:
    _signalled.set()
    # From here on the contexts end, the engine's among them. Another signal must not interrupt that.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit(0)


def _serve(chosen: Settings) -> None:
    template = load(parameters={"AllowedOrigins": chosen.allowed_origins})
    with (
        listening(chosen.port) as listener,
        _storage(template, chosen) as storage,
        event_sources.running(template, storage.read, persistent=storage.persistent) as side,
    ):
        secrets = _create_keys(chosen.api_keys)
        if chosen.example:
            example.put({project for project, _ in secrets})
        server = _Server(
            uvicorn.Config(
                application(template, side),
                access_log=False,
                http="h11",
                lifespan="off",
                log_level="warning",
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=3,
                timeout_keep_alive=60,
                ws="none",
            ),
            side,
        )
        listener.listen(128)
        _print_how_to_use(listener.getsockname()[1], secrets, storage, with_example=chosen.example)
        server.run(sockets=[listener])


def application(template: Template, side: EventSide) -> ASGIApp:
    """Return the API with its pages and the paths under `/_local`."""
    pages = Starlette(routes=[control_routes.mount(side), *docs_page.ROUTES, *browser_page.ROUTES])
    pages.router.default = gateway(template.functions, _HANDLERS_AT_ONCE, template.cors)
    return pages


@contextmanager
def listening(port: int) -> Iterator[socket.socket]:
    """Take the port before anything slow is started; connections are accepted only later."""
    # asyncio sets TCP_NODELAY only on sockets that name their protocol. Without it, each request on a kept connection
    # waits 40 ms for the acknowledgement of the one before.
    with socket.socket(proto=socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError as error:
            raise PortError(f"cannot serve on port {port}: {error.strerror}; set PORT to another") from error
        yield listener


@contextmanager
def _storage(template: Template, chosen: Settings) -> Iterator[_Storage]:
    if chosen.data:
        with database.in_folder(template, chosen.data, _without_engine) as url:
            description = f"data in {chosen.data}, by DynamoDB Local at {url}"
            yield _Storage(description, table_stream.in_engine(_table(template), url), persistent=True)
    elif chosen.dynamodb_url:
        with database.at_url(template, chosen.dynamodb_url) as url:
            read = table_stream.in_engine(_table(template), url)
            yield _Storage(f"data in the DynamoDB at {url}", read, persistent=True)
    else:
        with database.in_memory(template, stream=True):
            description = "data in memory, gone when this ends; DATA=folder keeps it"
            yield _Storage(description, table_stream.in_memory(_table(template)), persistent=False)


def _without_engine() -> None:
    """End the process at once: it can do nothing without its engine, and the user must know."""
    print("DynamoDB Local has ended; engine.log in the folder of the data may say why", file=sys.stderr, flush=True)
    os._exit(1)


def _table(template: Template) -> str:
    return os.environ.get("TABLE_NAME", str(template.table["TableName"]))


def _create_keys(chosen: tuple[PresetKey, ...]) -> list[tuple[str, str]]:
    """Create the chosen API keys, or one of a default project. Return the project and the secret of each."""
    api_keys = database.store("api_keys")
    keys = chosen or (PresetKey("default", None, trusted=False),)
    try:
        return [
            (key.project, api_keys.create(key.project, "local API", trusted=key.trusted, secret=key.secret))
            for key in keys
        ]
    except api_keys.InvalidProjectError as error:
        raise SettingsError(f"API_KEYS: {api_keys.PROJECT_RULE}") from error
    except StoreError as error:
        raise EngineError(f"cannot make an API key: {error}") from error


def _print_how_to_use(port: int, secrets: list[tuple[str, str]], storage: _Storage, *, with_example: bool) -> None:
    base_url = f"http://127.0.0.1:{port}/v1"
    lines = [f"Message API at {base_url} ({storage.description})"]
    lines += [f"API key of project {project}: {secret}" for project, secret in secrets]
    lines += ["thread_abc123 with msg_abc123 and msg_abc12 is in each project"] * with_example
    lines += [f"Thread browser at http://127.0.0.1:{port}/browser/"]
    lines += [f"Documentation at http://127.0.0.1:{port}/docs"]
    if not storage.read:
        lines += ["No events, and nothing erased from here: this table has no stream that can be read there"]
    lines += ["", _SNIPPET.format(base_url=base_url, api_key=secrets[0][1])]
    print("\n".join(lines), flush=True)


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    # Not sys.exit: that waits for threads, and a handler that is past its time-out still has its own.
    os._exit(code)
