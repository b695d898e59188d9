"""Separate environments for the official SDKs: for Python by uv, for Node.js by npm."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import uv

from tests.e2e import versions
from tests.support.local_api import ROOT

# Runs each program with its arguments as if it were started alone, although Python starts only once.
_RUN_EACH = """\
import json, runpy, sys
for command in json.loads(sys.argv[1]):
    print("\\f", end="")
    sys.argv = command
    runpy.run_path(command[0], run_name="__main__")
"""


def run_python(version: str, *arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run this Python with the arguments, in an environment with this version of `openai` and with pytest.

    `environment` is added to this process's environment. The result's `stdout` has all output, including errors.
    """
    packages = [f"openai=={version}", f"pytest=={pytest.__version__}", *versions.PYTHON[version]]
    return run_python_with(packages, ROOT, *arguments, **environment)


def run_programs(version: str, folder: Path, *commands: list[str], **environment: str) -> list[str]:
    """Run programs in a folder, one after the other, with this version of `openai`. Return the output of each.

    A command is a program's path and its arguments. The output lacks the SDK's warnings of a deprecated API.
    """
    packages = [f"openai=={version}", *versions.PYTHON[version]]
    arguments = ("-Wignore::DeprecationWarning", "-c", _RUN_EACH, json.dumps(commands))
    run = run_python_with(packages, folder, *arguments, **environment)
    assert run.returncode == 0, run.stdout
    return run.stdout.split("\f")[1:]


def run_python_with(
    packages: list[str], folder: Path, *arguments: str | Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run this Python in a folder with the arguments and these packages. Otherwise this is like `run_python`."""
    command = [uv.find_uv_bin(), "run", "--quiet", "--no-project", "--python", sys.executable]
    command += ["--exclude-newer", versions.EXCLUDE_NEWER]
    command += [f"--with={package}" for package in packages]
    return _run([*command, "python", "-P", *map(str, arguments)], folder, environment)


def install_node(version: str, folder: Path) -> str:
    """Install the npm package `openai` into a folder. Return the path of `node`.

    Without Node.js or npm the test is skipped. With CI=true it fails instead.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        assert os.environ.get("CI") != "true", "there is no Node.js with npm"
        pytest.skip("there is no Node.js with npm")
    command = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--no-save", f"openai@{version}"]
    installed = _run(command, folder, {"npm_config_update_notifier": "false"})
    assert installed.returncode == 0, installed.stdout
    return node


def run_node(node: str, folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Node.js in a folder. `environment` is added to this process's environment."""
    return _run([node, *arguments], folder, environment)


def _run(command: list[str], folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "PYTEST_", "COV_"))}
    return subprocess.run(
        command,
        cwd=folder,
        env=kept | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=150,
    )
