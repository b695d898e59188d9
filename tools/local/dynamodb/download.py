"""Downloads DynamoDB Local once, from npm, into a folder of the repository that is never committed.

Its licence is AWS's own: for use with an AWS account, without redistribution. So each machine downloads it.
"""

import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from tools.errors import ToolError

ENGINES = Path(__file__).parents[3] / ".engines"

_VERSION = "2.9.30"
ENGINE = "DynamoDB Local 1.25.1"  # the engine that this version of the package holds
_PACKAGE = f"amplify-dynamodb-simulator@{_VERSION}"
_SHA512 = (
    "c5379e44bbf311fab2779961ddb1f8734907bd21c79a6843e590ec1c52804398"
    "36665e89aa515dbad6908422c7cf1129e91cb5a3b4c1ea7888a17b9002749ec1"
)


class EngineError(ToolError):
    """DynamoDB Local could not be downloaded, started or used. The text is one line for the user."""


def fetch(folder: Path = ENGINES) -> Path:
    """Return the folder with DynamoDBLocal.jar. If the file is missing, download it into `folder` first.

    Several processes may do so at once. Each downloads its own copy. The first to finish moves its copy into place.
    Raises `EngineError`.
    """
    engine = folder / f"dynamodb-local-{_VERSION}"
    if engine.is_dir():
        return engine
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ".gitignore").write_text("*\n", encoding="utf-8")
    print("Fetching DynamoDB Local (57 MB, once) ...", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(dir=folder) as name:
        workplace = Path(name)
        with tarfile.open(_pack(workplace)) as package:
            package.extractall(workplace, filter="data")
        try:
            (workplace / "package" / "emulator").rename(engine)
        except OSError:
            if not engine.is_dir():
                raise
    return engine


def _pack(workplace: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise EngineError("DynamoDB Local comes from npm, and there is no npm: install Node.js")
    run = subprocess.run(
        [npm, "pack", "--ignore-scripts", _PACKAGE],
        cwd=workplace,
        capture_output=True,
        text=True,
        check=False,
    )
    packed = next(workplace.glob("*.tgz"), None)
    if run.returncode != 0 or packed is None:
        reason = next((line for line in run.stderr.splitlines() if "error" in line.lower()), "no output")
        raise EngineError(f"npm could not fetch {_PACKAGE}: {reason.strip()}")
    with packed.open("rb") as file:
        if hashlib.file_digest(file, "sha512").hexdigest() != _SHA512:
            raise EngineError(f"what npm fetched as {_PACKAGE} has another checksum than expected")
    return packed
