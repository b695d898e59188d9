"""What a person sets for the local API by environment variables, checked."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_ORIGIN = re.compile(r"\*|https?://[^\s/*]+")
_SECRET = re.compile(r"[!-+\--~]{1,255}")  # printable ASCII but for space and comma


class SettingsError(Exception):
    """A variable has a value that cannot be used; the text is one line that does not repeat a secret."""


@dataclass(frozen=True)
class PresetKey:
    """An API key chosen by the person: `alpha+trusted=sk-alpha`; without a secret, one is made."""

    project: str
    secret: str | None
    trusted: bool


@dataclass(frozen=True)
class Settings:
    """`data` and `dynamodb_url` are None for data in memory; at most one of them is set.

    `allowed_origins` is the template's parameter of that name: origins separated by commas. `example`: start with the
    thread that the old API's documentation is about.
    """

    port: int
    api_keys: tuple[PresetKey, ...]
    data: Path | None
    dynamodb_url: str | None
    allowed_origins: str
    example: bool = False


def read(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read PORT, API_KEYS, DATA, DYNAMODB_URL, ALLOWED_ORIGINS and EXAMPLE; an empty one counts as not set.

    Raises `SettingsError`.
    """
    data = environment.get("DATA")
    url = environment.get("DYNAMODB_URL")
    if data and url:
        raise SettingsError("set DATA or DYNAMODB_URL, not both")
    if url and not re.fullmatch(r"https?://[^\s/]+/?", url):
        raise SettingsError("DYNAMODB_URL is no URL like http://127.0.0.1:8000")
    return Settings(
        port=_port(environment.get("PORT") or "8000"),
        api_keys=_api_keys(environment.get("API_KEYS") or ""),
        data=Path(data) if data else None,
        dynamodb_url=url or None,
        allowed_origins=_origins(environment.get("ALLOWED_ORIGINS") or ""),
        example=_example(environment.get("EXAMPLE") or "0"),
    )


def _example(text: str) -> bool:
    if text not in ("0", "1"):
        raise SettingsError("EXAMPLE is 1, or not set")
    return text == "1"


def _port(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", text) or int(text) > 65535:
        raise SettingsError("PORT is no number from 0 to 65535 (0 takes any free port)")
    return int(text)


def _origins(text: str) -> str:
    if text and not all(_ORIGIN.fullmatch(origin.strip()) for origin in text.split(",")):
        raise SettingsError("ALLOWED_ORIGINS is no list like http://127.0.0.1:9000,https://threads.example.com")
    return text


def _api_keys(text: str) -> tuple[PresetKey, ...]:
    entries = [entry.strip() for entry in text.split(",")] if text.strip() else []
    keys = tuple(_api_key(number, entry) for number, entry in enumerate(entries, start=1))
    if len({key.secret for key in keys}) < len(keys):
        raise SettingsError("API_KEYS gives one key twice")
    return keys


def _api_key(number: int, entry: str) -> PresetKey:
    owner, equals, secret = entry.partition("=")
    project, plus, mark = owner.partition("+")
    if not (equals and project and _SECRET.fullmatch(secret)) or (plus and mark != "trusted"):
        raise SettingsError(
            f"API_KEYS: entry {number} is not of the form project=key or project+trusted=key, "
            "as in API_KEYS='alpha=sk-alpha,beta+trusted=sk-beta'"
        )
    return PresetKey(project, secret, trusted=bool(plus))
