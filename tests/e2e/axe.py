"""Runs axe-core, which finds obstacles for people with a screen reader. It is downloaded once from npm."""

import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tools.local.dynamodb.download import ENGINES

_PACKAGE = "axe-core-4.14.1"
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def violations(page: Page) -> list[str]:
    """Return one line for each rule that the page breaks, with the first element that breaks it.

    Without npm the test is skipped. With CI=true it fails instead.
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(_source())
    options = {"runOnly": {"type": "tag", "values": _RULES}}
    found: dict[str, Any] = page.evaluate("options => axe.run(options)", options)
    assert found["passes"]
    return [f"{rule['id']}: {rule['help']}: {rule['nodes'][0]['html']}" for rule in found["violations"]]


def _source() -> str:
    file = ENGINES / f"{_PACKAGE}.js"
    if not file.exists():
        npm = shutil.which("npm")
        if npm is None:
            assert os.environ.get("CI") != "true", "there is no npm"
            pytest.skip("axe-core comes from npm, and there is no npm")
        _fetch(npm, file)
    return file.read_text(encoding="utf-8")


def _fetch(npm: str, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=file.parent) as folder:
        name, _, version = _PACKAGE.rpartition("-")
        command = [npm, "pack", "--ignore-scripts", f"{name}@{version}"]
        subprocess.run(command, cwd=folder, capture_output=True, check=True)
        with tarfile.open(Path(folder) / f"{_PACKAGE}.tgz") as package:
            package.extract("package/axe.min.js", folder, filter="data")
        (Path(folder) / "package" / "axe.min.js").replace(file)
