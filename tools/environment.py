"""The functions' environment variables. They lead to a table, and say how it is laid out."""

import os
from collections.abc import Mapping

from shared import clients
from shared.runs.endpoint import endpoint
from shared.settings import settings
from shared.store import table
from tools.local.template import REGION, Template

_ENDPOINT = "AWS_ENDPOINT_URL_DYNAMODB"
_LOCAL = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_REGION": REGION,
    "AWS_EC2_METADATA_DISABLED": "true",
    # A profile in a file could have its own endpoint or region.
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}
# With any of these variables the user has chosen an account.
_ACCOUNT = {"AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE"}
# These variables would lead calls to an account instead of a local engine, or to another endpoint instead of moto.
_ELSEWHERE = {"AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_WEB_IDENTITY_TOKEN_FILE", _ENDPOINT}
# From 3.12 on the Lambda runtime writes responses without escaping characters outside ASCII.
_RUNTIME = {"AWS_EXECUTION_ENV": "AWS_Lambda_python3.13"}
# The log lines of the functions would hide the lines of the local API.
_QUIET = {"POWERTOOLS_LOG_LEVEL": "WARNING"}


def update(variables: Mapping[str, str]) -> None:
    """Set variables. If one changes, the functions read their settings and make their clients again."""
    if any(os.environ.get(name) != value for name, value in variables.items()):
        os.environ |= variables
        _forget()


def complete(template: Template) -> None:
    """Set the functions' variables to the template's values, except those that are set."""
    variables = {name: value for name, value in template.environment.items() if name != _ENDPOINT}
    update(variables | _QUIET | dict(os.environ) | _RUNTIME)


def lead_to_local(template: Template, url: str | None = None) -> None:
    """Lead all AWS calls to the DynamoDB at a URL, or to moto, with credentials of no account."""
    for name in _ELSEWHERE & os.environ.keys():
        del os.environ[name]
    _forget()
    update(_LOCAL | ({_ENDPOINT: url} if url else {}))
    complete(template)


def lead_to(template: Template, url: str) -> None:
    """Lead the calls of DynamoDB to a URL, with the user's credentials if the environment has some."""
    if _ACCOUNT & os.environ.keys():
        update({_ENDPOINT: url})
        complete(template)
    else:
        lead_to_local(template, url)


def _forget() -> None:
    for cached in (settings, table.client, clients.sqs, clients.events, endpoint):
        cached.cache_clear()
