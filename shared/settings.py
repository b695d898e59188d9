"""The variables that the template sets for every function, read once."""

import os
from functools import cache
from typing import NamedTuple


class Settings(NamedTuple):
    """The settings of this deployment. `retention_seconds` is 0 if threads never expire.

    `runs_on` is true if the endpoint of a model is set: only then are there assistants and runs.
    """

    table_name: str
    retention_seconds: int
    indexed_key: str
    list_shards: int
    metrics_namespace: str
    runs_on: bool


@cache
def settings() -> Settings:
    """Return the settings of this process. Lambda reads them in the init phase: `shared.store.table.client` does."""
    return Settings(
        table_name=os.environ["TABLE_NAME"],
        retention_seconds=int(os.environ["RETENTION_DAYS"]) * 86_400,
        indexed_key=os.environ["INDEXED_METADATA_KEY"],
        list_shards=int(os.environ["THREAD_LIST_SHARDS"]),
        metrics_namespace=os.environ["METRICS_NAMESPACE"],
        runs_on=os.environ["RUNS"] == "on",
    )
