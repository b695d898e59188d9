"""What a million operations cost at list price: DynamoDB by measured units, Lambda by assumed milliseconds, the API."""

import math

from benchmarks import figures
from benchmarks.cost import SIZES, costs, prose
from benchmarks.figures import Report, Row
from tests.support.capacity import Call
from tests.support.client import Client
from tools.local import template
from tools.local.dynamodb import database, engine

# List prices of us-east-1, 2026-11, in dollars for a million: on-demand DynamoDB (standard table class, since
# 2024-11), Lambda on arm64, requests of an HTTP API (first 300 million a month; each 512 KB of one count).
WRITE_UNITS = 0.625
READ_UNITS = 0.125
INVOCATIONS = 0.20
GB_SECOND = 0.0000133334 * 1e6
REQUESTS = 1.00
METERED_BYTES = 512 * 1024
# What a call of DynamoDB takes from Lambda in one region, and our own code with 512 MB, rounded up.
CALL_MILLISECONDS = 6
OWN_MILLISECONDS = 5

_SHOWN = ("create", "retrieve", "list 20", "modify", "delete", "create thread")


def run() -> Report:
    """Price the operations for messages of several sizes, of prose."""
    memory = template.load().functions[0].memory
    with engine.running() as url, database.at_url(template.load(), url):
        columns = [dict(costs(Client(), prose(size))) for size in SIZES]
    rows: list[list[str]] = []
    for name in _SHOWN:
        cells = [get_chunks(name, found[name], size, memory) for size, found in zip(SIZES, columns, strict=True)]
        rows.append([name, *(f"{sum(parts):.2f}" for parts in cells), " + ".join(f"{part:.2f}" for part in cells[1])])
    head = ["dollars for a million", *(f"{size / 1000:g} KB" for size in SIZES), "at 1 KB: DynamoDB + Lambda + API"]
    summary = [
        Row(f"A million of {name}, messages of 1 KB, with Lambda and the API", f"{row[2]} USD", "")
        for name, row in zip(_SHOWN, rows, strict=True)
        if name in ("create", "retrieve", "list 20")
    ]
    return Report(figures.table(head, rows), tuple(summary))


def get_chunks(name: str, calls: list[Call], size: int, memory: int) -> tuple[float, float, float]:
    """Return the dollars for a million of an operation: DynamoDB, Lambda, HTTP API."""
    units = sum(call.write_units for call in calls) * WRITE_UNITS + sum(call.read_units for call in calls) * READ_UNITS
    seconds = (CALL_MILLISECONDS * len(calls) + OWN_MILLISECONDS) / 1000
    answered = size * 20 if name == "list 20" else size
    return units, INVOCATIONS + seconds * memory / 1024 * GB_SECOND, REQUESTS * math.ceil(answered / METERED_BYTES)
