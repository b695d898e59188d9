"""The chat endpoint that writes the answers of runs. The template's parameters or the environment name it.

This module does not load the package `openai`, because functions that do not call the model import this module too.
"""

import os
import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from shared import clients

NO_KEY = "none"
OTHER_MODELS = "*"
_KEY = re.compile(r"[!-~]+")  # the characters that a header may contain


class KeyUnusableError(Exception):
    """The endpoint's key cannot be read or sent. The text gives the reason and contains no secret."""


class Endpoint(NamedTuple):
    """The address and the settings of the model's endpoint.

    `key_secret` is the ARN of the secret that holds the key; it takes precedence over `key`. `context_tokens` is the
    budget for the messages of a thread; None means no limit. `max_tokens_parameter` is max_tokens or
    max_completion_tokens.
    """

    base_url: str
    key: str = ""
    key_secret: str = ""
    model_map: Mapping[str, str] = MappingProxyType({})
    context_tokens: int | None = None
    max_tokens_parameter: str = "max_tokens"

    def __repr__(self) -> str:
        return "Endpoint(…)"  # the key is a secret, and so may be the URL


@cache
def endpoint() -> Endpoint:
    """Return the endpoint that the environment names. If runs are on, MODEL_URL is set."""
    return Endpoint(
        base_url=os.environ["MODEL_URL"],
        key=os.environ.get("MODEL_API_KEY", ""),
        key_secret=os.environ.get("MODEL_KEY_SECRET", ""),
        model_map=parse_model_map(os.environ.get("MODEL_MAP", "")),
        context_tokens=int(os.environ.get("MODEL_CONTEXT") or 0) or None,
        max_tokens_parameter=os.environ.get("MAX_TOKENS_PARAMETER") or "max_tokens",
    )


def parse_model_map(text: str) -> Mapping[str, str]:
    """Return the pairs of a text like `gpt-4o=my-model,*=other`. Raises `ValueError` for any other text."""
    models = {}
    for pair in filter(None, map(str.strip, text.split(","))):
        asked, _, used = map(str.strip, pair.partition("="))
        if not asked or not used:
            raise ValueError(f"'{pair}' is not of the form asked=used, as in gpt-4o=my-model,*=other")
        models[asked] = used
    return MappingProxyType(models)


def used_model(endpoint: Endpoint, asked: str) -> str:
    """Return the name that the endpoint uses for a model.

    A model without an entry gets the name of the entry `*`. Without that entry it keeps its name.
    """
    return endpoint.model_map.get(asked) or endpoint.model_map.get(OTHER_MODELS, asked)


def api_key(endpoint: Endpoint) -> str:
    """Return the key to send. Raises `KeyUnusableError`."""
    key = (_secret(endpoint.key_secret) if endpoint.key_secret else endpoint.key).strip() or NO_KEY
    if not _KEY.fullmatch(key):
        raise KeyUnusableError("it holds characters that cannot be sent in a header")
    return key


def renewed_api_key(endpoint: Endpoint) -> str:
    """Read the secret again and return the key to send. Raises `KeyUnusableError`."""
    _secret.cache_clear()
    return api_key(endpoint)


@cache
def _secret(arn: str) -> str:
    try:
        return str(clients.secrets_manager().get_secret_value(SecretId=arn)["SecretString"])
    except ClientError as error:
        raise KeyUnusableError(error.response["Error"]["Code"]) from error
    except (BotoCoreError, KeyError) as error:
        raise KeyUnusableError(type(error).__name__) from error
