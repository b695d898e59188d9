"""Removes from botocore the data of services that no function calls. A cold start then reads less.

    python tools/build/prune_botocore.py FOLDER_OF_PACKAGES

Without this, each new client parses 1.2 MB of endpoints. It also unpacks a description of its service, which is mostly
prose.
"""

import gzip
import json
import shutil
import sys
from pathlib import Path
from typing import Any

SERVICES = ("dynamodb", "events", "secretsmanager", "sqs")


def prune(packages: Path) -> None:
    """Prune `botocore/data` in a folder of packages. A second call changes nothing."""
    data = packages / "botocore" / "data"
    for folder in data.iterdir():
        if folder.is_dir() and folder.name not in SERVICES:
            shutil.rmtree(folder)
    for service in SERVICES:
        # botocore uses the newest version.
        *old, version = sorted((data / service).iterdir())
        for folder in old:
            shutil.rmtree(folder)
        for examples in version.glob("examples-*"):
            examples.unlink()
        for packed in version.glob("*.json.gz"):
            packed.with_suffix("").write_bytes(gzip.decompress(packed.read_bytes()))
            packed.unlink()
        for description in version.glob("*.json"):
            _rewrite(description, _without_prose)
    _rewrite(data / "endpoints.json", _without_other_services)


def _rewrite(file: Path, change: Any) -> None:
    text = json.dumps(change(json.loads(file.read_text())), separators=(",", ":"))
    # This file is a hard link of uv's, which its cache and other environments share. Replace it; do not write into it.
    file.unlink()
    file.write_text(text)


def _without_prose(part: Any) -> Any:
    if isinstance(part, dict):
        # A shape may have a member named documentation. That is an object, not a text.
        kept = {name: value for name, value in part.items() if name != "documentation" or not isinstance(value, str)}
        return {name: _without_prose(value) for name, value in kept.items()}
    return [_without_prose(value) for value in part] if isinstance(part, list) else part


def _without_other_services(endpoints: dict[str, Any]) -> dict[str, Any]:
    for partition in endpoints["partitions"]:
        partition["services"] = {
            name: partition["services"][name] for name in SERVICES if name in partition["services"]
        }
    return endpoints


if __name__ == "__main__":
    prune(Path(sys.argv[1]))
