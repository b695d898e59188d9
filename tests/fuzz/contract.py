"""Runs schemathesis. It makes valid and invalid requests from openapi.json, and checks every response against it."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.fuzz import sockets
from tests.support.local_api import ROOT, LocalApi


def send(api: LocalApi, examples: int, seed: int, folder: Path, *, phases: str = "examples,fuzzing") -> str:
    """Send a number of requests to each operation and return the report. Raises `AssertionError` with it.

    schemathesis checks that no response is a 5xx, and that status, content type, headers and body are documented. The
    API must refuse requests that the document refuses, and no others. No operation may work without a key. Methods that
    do not exist must be a 405 with `allow`.
    """
    options = {
        "url": api.base_url,
        "header": f"Authorization: Bearer {api.api_key}",
        "phases": phases,
        "max-examples": examples,
        "seed": seed,
        "suppress-health-check": "all",
        "generation-database": "none",
        "request-timeout": 30,
    }
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(ROOT / "tests/fuzz/schemathesis.toml")]
    command += ["run", str(ROOT / "openapi.json")]
    command += ["--continue-on-failure", "--no-color", *(f"--{name}={value}" for name, value in options.items())]
    with sockets.client(api) as http:
        known = sockets.ids_of(http)
    ids = {"thread": known.waiting, "run": known.run, "step": known.step, "asst": known.assistant}
    environment = os.environ | {"PYTHONPATH": str(ROOT), "SCHEMATHESIS_HOOKS": "tests.fuzz.hooks"}
    environment["FUZZ_IDS"] = json.dumps(ids)
    run = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout
