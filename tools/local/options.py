"""The options of the local API's user."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple


class ApiKey(NamedTuple):
    """An API key that exists from the start. Without a secret, the local API generates one."""

    project: str
    secret: str | None
    trusted: bool = False


class ModelOptions(NamedTuple):
    """The model that executes runs: the template's parameters of these names, and the endpoint's key.

    `url` is `demo` for a stand-in on this machine.
    """

    url: str
    api_key: str = ""
    model_map: str = ""
    context: int = 0
    max_tokens_parameter: str = "max_tokens"
    runs_at_once: int = 5
    unknown_assistants: str = "refuse"
    default_instructions: str = ""

    def __repr__(self) -> str:
        return "ModelOptions(…)"  # the key is a secret, and so may be the URL


@dataclass(frozen=True)
class ServeOptions:
    """At most one of `data` and `dynamodb_url` is set. Without both, the data is in memory.

    `allowed_origins` is the template's parameter of that name: origins separated by commas. With `example`, the API
    starts with the thread of the old API's documentation. Without `model` there are no assistants and runs.
    """

    port: int
    api_keys: tuple[ApiKey, ...] = ()
    data: Path | None = None
    dynamodb_url: str | None = None
    allowed_origins: str = ""
    example: bool = False
    model: ModelOptions | None = None
