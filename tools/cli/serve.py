"""`serve`: runs the whole API on this machine. `make local` runs this command."""

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import click

from shared.runs import endpoint
from tools.cli import example
from tools.cli.table_options import Project
from tools.local import server
from tools.local.options import ApiKey, ModelOptions, ServeOptions

_ORIGIN = r"\s*(\*|https?://[^\s/*,]+)\s*"
_SECRET = re.compile(r"[!-+\--~]{1,255}")  # printable ASCII except space and comma

_option = partial(click.option, show_envvar=True)


class _ApiKeyType(click.ParamType[ApiKey]):
    """A key as `project=key` or `project+trusted=key`. Its errors do not repeat the key."""

    name = "project=key"
    envvar_list_splitter = ","

    def convert(self, value: str | ApiKey, param: click.Parameter | None, ctx: click.Context | None) -> ApiKey:
        if isinstance(value, ApiKey):
            return value
        owner, _, secret = value.strip().partition("=")
        project, plus, mark = owner.partition("+")
        if not (project and _SECRET.fullmatch(secret)) or (plus and mark != "trusted"):
            self.fail("an API key has the form project=key, or project+trusted=key in API_KEYS.", param, ctx)
        return ApiKey(Project().convert(project, param, ctx), secret, trusted=bool(plus))


def _like(pattern: str, complaint: str) -> Callable[[click.Context, click.Parameter, str | None], str | None]:
    """Return the callback of an option that refuses a text without this form."""

    def check(_ctx: click.Context, _option: click.Parameter, text: str | None) -> str | None:
        if text and not re.fullmatch(pattern, text):
            raise click.BadParameter(complaint)
        return text

    return check


def _model_map(_ctx: click.Context, _option: click.Parameter, text: str) -> str:
    try:
        endpoint.parse_model_map(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
    return text


@click.command(epilog=example("serve --data ~/message-api-data --api-key alpha=sk-alpha --trusted-key alpha=sk-bot"))
@_option(
    "--port",
    envvar="PORT",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="The port to serve on; 0 takes any free port.",
)
@_option(
    "--api-key",
    "keys",
    envvar="API_KEYS",
    type=_ApiKeyType(),
    multiple=True,
    help="An API key, as often as you like. API_KEYS takes several, separated by commas, and project+trusted=key for a "
    "trusted one. Other users of this machine see options in the process list; they do not see variables. "
    "Default: one new key of the project `default`.",
)
@_option("--trusted-key", "trusted_keys", type=_ApiKeyType(), multiple=True, help="The same for a trusted key.")
@_option(
    "--data",
    envvar="DATA",
    type=click.Path(file_okay=False, path_type=Path),
    help="A folder for the data, which DynamoDB Local keeps (needs npm once, and Java 17). Default: data in memory.",
)
@_option(
    "--dynamodb-url",
    envvar="DYNAMODB_URL",
    callback=_like(r"https?://[^\s/]+/?", "it is no URL like http://127.0.0.1:8000"),
    help="A DynamoDB that runs already, instead of --data.",
)
@_option("--example", is_flag=True, envvar="EXAMPLE", help="Start with the thread of the old API's documentation.")
@_option(
    "--allowed-origins",
    envvar="ALLOWED_ORIGINS",
    callback=_like(f"{_ORIGIN}(,{_ORIGIN})*", "it is no list like http://127.0.0.1:9000,https://threads.example.com"),
    default="",
    help="Origins of web pages that may call the API, separated by commas.",
)
@_option(
    "--model-url",
    envvar="MODEL_URL",
    callback=_like(r"demo|https?://[^\s@]+", "it is no URL like http://127.0.0.1:11434/v1, and not demo"),
    help="Turns on assistants and runs: the base URL of an OpenAI-compatible chat endpoint, which usually ends in /v1; "
    "`demo` for a stand-in that needs no key and no network.",
)
@_option("--model-api-key", envvar="MODEL_API_KEY", default="", help="The endpoint's key. The variable is safer.")
@_option(
    "--model-map",
    envvar="MODEL_MAP",
    callback=_model_map,
    default="",
    help="Which model is used for which name, such as gpt-4o=my-model,*=other. Default: the name as it is.",
)
@_option(
    "--model-context",
    "context",
    envvar="MODEL_CONTEXT",
    type=click.IntRange(0),
    default=0,
    help="Tokens of a thread that the model is sent at most; 0 for all of them.",
)
@_option(
    "--max-tokens-parameter",
    envvar="MAX_TOKENS_PARAMETER",
    type=click.Choice(["max_tokens", "max_completion_tokens"]),
    default="max_tokens",
    show_default=True,
    help="The parameter by which the endpoint takes a limit of tokens.",
)
@_option(
    "--runs-at-once",
    envvar="RUNS_AT_ONCE",
    type=click.IntRange(2, 1000),
    default=5,
    show_default=True,
    help="Runs that are executed at the same time.",
)
@_option(
    "--unknown-assistants",
    envvar="UNKNOWN_ASSISTANTS",
    type=click.Choice(["refuse", "default"]),
    default="refuse",
    show_default=True,
    help="What to do with a run for an assistant that does not exist here: refuse it, or run it with "
    "--default-instructions and the model that --model-map has for *.",
)
@_option("--default-instructions", envvar="DEFAULT_INSTRUCTIONS", default="", help="The instructions of such a run.")
def serve(
    *,
    port: int,
    keys: tuple[ApiKey, ...],
    trusted_keys: tuple[ApiKey, ...],
    data: Path | None,
    dynamodb_url: str | None,
    example: bool,
    allowed_origins: str,
    model_url: str | None,
    model_api_key: str,
    **model: Any,
) -> None:
    """Serve the API on this machine until Ctrl-C or SIGTERM; `make local` is the same with variables."""
    keys += tuple(key._replace(trusted=True) for key in trusted_keys)
    if data and dynamodb_url:
        raise click.UsageError("Set --data or --dynamodb-url, not both.")
    if len({key.secret for key in keys}) < len(keys):
        raise click.UsageError("Two API keys are the same.")
    has_default = endpoint.OTHER_MODELS in endpoint.parse_model_map(model["model_map"]) or model_url == "demo"
    if model_url and model["unknown_assistants"] == "default" and not has_default:
        raise click.UsageError(
            "UNKNOWN_ASSISTANTS=default needs a model for them: add an entry for * to MODEL_MAP, such as *=my-model."
        )
    chosen = ModelOptions(model_url, model_api_key, **model) if model_url else None
    server.serve(ServeOptions(port, keys, data, dynamodb_url, allowed_origins, example=example, model=chosen))
