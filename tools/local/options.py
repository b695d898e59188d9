"""What the person who runs the local API chooses."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple


class ApiKey(NamedTuple):
    """An API key that exists from the start. Without a secret, one is made."""

    project: str
    secret: str | None
    trusted: bool = False


@dataclass(frozen=True)
class ServeOptions:
    """Without `data` and `dynamodb_url`, data is in memory; at most one of them is set.

    `allowed_origins` is the template's parameter of that name: origins separated by commas. With `example`, the API
    starts with the thread of the old API's documentation.
    """

    port: int
    api_keys: tuple[ApiKey, ...] = ()
    data: Path | None = None
    dynamodb_url: str | None = None
    allowed_origins: str = ""
    example: bool = False
