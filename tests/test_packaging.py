"""What is cut from the packages of the layer, and that it is cut from the layer alone."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

from tests.support.local_api import ROOT

_SERVICES = ("dynamodb", "events", "secretsmanager", "sqs")
_FILES = {
    "endpoints.json": {"partitions": [{"services": {"sqs": 1, "s3": 2}}]},
    "s3/2006-03-01/waiters-2.json": {},
} | {
    f"{service}/{version}/{name}": value
    for service in _SERVICES
    for version in ("2011-01-01", "2012-01-01")
    for name, value in (
        ("examples-1.json", {}),
        ("waiters-2.json", {"documentation": "prose", "shape": {"documentation": {"is": "a member"}}}),
    )
}


def test_only_data_that_is_read_stays_and_files_linked_elsewhere_stay_whole(tmp_path: Path) -> None:
    elsewhere, data = tmp_path / "cache", tmp_path / "layer" / "botocore" / "data"
    for name, value in _FILES.items():
        for folder in (elsewhere, data):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (elsewhere / name).write_text(json.dumps(value))
        os.link(elsewhere / name, data / name)
    (data / "sqs/2012-01-01/service-2.json.gz").write_bytes(gzip.compress(b'{"documentation": "prose", "a": 1}'))

    for _ in range(2):
        subprocess.run([sys.executable, "tools/build/prune_botocore.py", str(tmp_path / "layer")], cwd=ROOT, check=True)

    waiters = {"shape": {"documentation": {"is": "a member"}}}
    assert {
        str(file.relative_to(data)): json.loads(file.read_text()) for file in data.rglob("*") if file.is_file()
    } == {
        "endpoints.json": {"partitions": [{"services": {"sqs": 1}}]},
        **{f"{service}/2012-01-01/waiters-2.json": waiters for service in _SERVICES},
        "sqs/2012-01-01/service-2.json": {"a": 1},
    }
    assert {name: json.loads((elsewhere / name).read_text()) for name in _FILES} == _FILES
