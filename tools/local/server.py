"""The whole API on this machine, with the same handlers as on AWS. `./message-api serve` runs it."""

import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from types import FrameType

import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp

from shared.runs import live
from shared.store import api_keys, table
from tools import environment
from tools.errors import ToolError
from tools.local import browser_page, control_routes, demo_model, docs_page, event_sources, example
from tools.local.dynamodb import database, moto, table_stream
from tools.local.dynamodb.table_stream import Read
from tools.local.event_sources import EventSide
from tools.local.gateway import gateway
from tools.local.options import ApiKey, ModelOptions, ServeOptions
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
# The variables whose values are those of the template's parameters.
_OF_RUNS = ("MODEL_MAP", "MODEL_CONTEXT", "MAX_TOKENS_PARAMETER", "UNKNOWN_ASSISTANTS", "DEFAULT_INSTRUCTIONS")


@dataclass(frozen=True)
class _Storage:
    """`read` returns the changes of the table. `persistent` data remain after this process."""

    description: str
    read: Read | None
    persistent: bool


def serve(options: ServeOptions) -> None:
    """Serve until Ctrl-C or SIGTERM, then end the process with exit code 0. Raises `ToolError` if it cannot serve."""
    signal.signal(signal.SIGINT, _end)
    signal.signal(signal.SIGTERM, _end)
    with suppress(SystemExit):
        _serve(options)
    sys.stdout.flush()
    # Not sys.exit, which waits for threads: a handler that is past its time-out still runs in its thread.
    os._exit(0)


class _Server(uvicorn.Server):
    """Ends subscriptions and streams before it ends, because it waits for all responses. Begins no further runs."""

    def __init__(self, config: uvicorn.Config, side: EventSide) -> None:
        super().__init__(config)
        self._side = side

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        # For a signal that came before uvicorn installed its own handlers.
        self.should_exit = self.should_exit or _signalled.is_set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._side.end_runs()
        self._side.subscribers.close()
        _ending.set()
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self.should_exit and sig == signal.SIGINT:
            self._side.hurry.set()
        super().handle_exit(sig, frame)


_signalled = threading.Event()
_ending = threading.Event()


def _end(*_: object) -> None:
    # The signal is also remembered, because an exception may be lost: Python drops one that a signal handler raises
    # inside a weak reference's callback. Imports use such callbacks.
    _signalled.set()
    # From here on the contexts end, including the engine's. Another signal must not interrupt that.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit(0)


def _remember(*_: object) -> None:
    """Remember a signal that comes while the event loop is created. `_Server` then ends.

    An exception would leave the event loop half created.
    """
    _signalled.set()


def _serve(chosen: ServeOptions) -> None:
    template = load(parameters=_parameters(chosen))
    with (
        listening(chosen.port) as listener,
        _storage(template, chosen) as storage,
        _model(template, chosen.model),
        event_sources.running(
            template, storage.read, persistent=storage.persistent, has_waiting_runs=chosen.data is not None
        ) as side,
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
        signal.signal(signal.SIGINT, _remember)
        signal.signal(signal.SIGTERM, _remember)
        _print_how_to_use(listener.getsockname()[1], secrets, storage, chosen)
        server.run(sockets=[listener])
        # From here on the contexts end, which may take a while.
        signal.signal(signal.SIGINT, lambda *_: side.hurry.set())


def _parameters(chosen: ServeOptions) -> dict[str, str]:
    """Return the template's parameters that the options set. Without a model there are no parameters of runs."""
    parameters = {"AllowedOrigins": chosen.allowed_origins}
    if chosen.model:
        parameters |= {
            "ModelUrl": chosen.model.url,
            "ModelMap": chosen.model.model_map,
            "ModelContext": str(chosen.model.context),
            "MaxTokensParameter": chosen.model.max_tokens_parameter,
            "RunsAtOnce": str(chosen.model.runs_at_once),
            "UnknownAssistants": chosen.model.unknown_assistants,
            "DefaultInstructions": chosen.model.default_instructions,
        }
    return parameters


@contextmanager
def _model(template: Template, chosen: ModelOptions | None) -> Iterator[None]:
    """Lead the calls of the model to its endpoint. For `demo`, the endpoint runs in this process."""
    if chosen is None:
        yield
        return
    live.enable()
    demo = demo_model.running() if chosen.url == "demo" else nullcontext(chosen.url)
    with demo as url:
        # An option takes precedence over an environment variable, so these variables are set again.
        of_runs = {name: template.environment[name] for name in _OF_RUNS}
        environment.update(of_runs | {"MODEL_URL": url, "MODEL_API_KEY": chosen.api_key})
        yield


def application(template: Template, side: EventSide) -> ASGIApp:
    """Return the API with its pages and the paths under `/_local`."""
    pages = Starlette(routes=[control_routes.mount(side), *docs_page.ROUTES, *browser_page.ROUTES])
    pages.router.default = gateway(template.functions, _HANDLERS_AT_ONCE, template.cors, _ending)
    return pages


@contextmanager
def listening(port: int) -> Iterator[socket.socket]:
    """Bind the port before anything slow is started. Connections are accepted only later."""
    # asyncio sets TCP_NODELAY only on sockets that name their protocol. Without it, each request on a kept connection
    # waits 40 ms for the acknowledgement of the previous one.
    with socket.socket(proto=socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError as error:
            raise ToolError(
                f"cannot serve on port {port}: {error.strerror}; choose another with --port or PORT"
            ) from error
        yield listener


@contextmanager
def _storage(template: Template, chosen: ServeOptions) -> Iterator[_Storage]:
    if chosen.data:
        with database.in_folder(template, chosen.data, _without_engine) as url:
            description = f"data in {chosen.data}, by DynamoDB Local at {url}"
            yield _Storage(description, table_stream.in_engine(os.environ["TABLE_NAME"], url), persistent=True)
    elif chosen.dynamodb_url:
        with database.at_url(template, chosen.dynamodb_url) as url:
            read = table_stream.in_engine(os.environ["TABLE_NAME"], url)
            yield _Storage(f"data in the DynamoDB at {url}", read, persistent=True)
    else:
        with moto.in_memory(template, stream=True):
            description = "data in memory, gone when this ends; DATA=folder keeps it"
            yield _Storage(description, table_stream.in_memory(os.environ["TABLE_NAME"]), persistent=False)


def _without_engine() -> None:
    """End the process at once, because it can do nothing without its engine. Tell the user."""
    print("DynamoDB Local has ended; engine.log in the folder of the data may say why", file=sys.stderr, flush=True)
    os._exit(1)


def _create_keys(chosen: tuple[ApiKey, ...]) -> list[tuple[str, str]]:
    """Create the chosen API keys, or else one for a default project. Return the project and the secret of each."""
    table.set_deadline(60)
    return [
        (key.project, api_keys.create(key.project, "local API", trusted=key.trusted, secret=key.secret))
        for key in chosen or (ApiKey("default", None),)
    ]


def _print_how_to_use(port: int, secrets: list[tuple[str, str]], storage: _Storage, chosen: ServeOptions) -> None:
    base_url = f"http://127.0.0.1:{port}/v1"
    lines = [f"Message API at {base_url} ({storage.description})"]
    lines += [f"API key of project {project}: {secret}" for project, secret in secrets]
    lines += ["thread_abc123 with msg_abc123 and msg_abc12 is in each project"] * chosen.example
    if chosen.model:
        lines += ["Runs: " + ("a demo without a model" if chosen.model.url == "demo" else "the model at MODEL_URL")]
    lines += [f"Thread browser at http://127.0.0.1:{port}/browser/"]
    lines += [f"Documentation at http://127.0.0.1:{port}/docs"]
    if not storage.read:
        lines += ["No events, and nothing erased from here: this table has no stream that can be read there"]
    lines += ["", _SNIPPET.format(base_url=base_url, api_key=secrets[0][1])]
    print("\n".join(lines), flush=True)
