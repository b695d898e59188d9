"""Which modules may import which. The imports are read from the files, without running them."""

import ast
from pathlib import Path

import pytest

from tests.support.local_api import ROOT

AWS = {"boto3", "botocore"}
# What speaks HTTP, or the wire: the store raises errors of its own instead.
HTTP = {"http", "starlette", "shared.errors", "shared.request", "shared.responses", "shared.entry", "shared.wire"}
# Those of the AWS clients and their errors; every other module of shared/ goes through them.
KNOWS_AWS = {
    "shared/clients.py",
    "shared/error_mapping.py",
    "shared/inbound.py",
    "shared/run_queue.py",
    "shared/runs/endpoint.py",
    "shared/runs/execution.py",
    "shared/store/parser.py",
    "shared/store/table.py",
}


def imports(path: Path) -> set[str]:
    """Return the modules that a file imports, and each name that it takes from one."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def of_any(modules: set[str], packages: set[str]) -> set[str]:
    """Return the modules that are one of the packages, or inside one of them."""
    return {module for module in modules if any(module == name or module.startswith(f"{name}.") for name in packages)}


def files(*folders: str) -> list[str]:
    """Return the Python files below these folders, as paths from the root."""
    return [str(path.relative_to(ROOT)) for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


@pytest.mark.parametrize("file", files("shared/store", "shared/runs/store"))
def test_the_store_knows_no_http(file: str) -> None:
    assert of_any(imports(ROOT / file), HTTP) == set()


@pytest.mark.parametrize("file", files("functions"))
def test_functions_know_no_aws_client(file: str) -> None:
    assert of_any(imports(ROOT / file), AWS) == set()


@pytest.mark.parametrize("file", files("functions", "shared"))
def test_what_is_deployed_imports_nothing_of_tools_or_tests(file: str) -> None:
    assert of_any(imports(ROOT / file), {"tools", "tests", "benchmarks"}) == set()


@pytest.mark.parametrize("file", files("shared/store"))
def test_the_message_store_knows_no_runs(file: str) -> None:
    assert of_any(imports(ROOT / file), {"shared.runs"}) == set()


def test_few_modules_know_the_clients_of_aws() -> None:
    assert {file for file in files("shared") if of_any(imports(ROOT / file), AWS)} == KNOWS_AWS


def test_only_the_call_of_the_model_knows_its_package() -> None:
    assert {file for file in files("functions", "shared") if of_any(imports(ROOT / file), {"openai"})} == {
        "shared/runs/model.py"
    }
