"""What `sam build` deploys, built for this machine, and the floors that it is compared with."""

import functools
import importlib.metadata
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import uv

from tools.local import template

ROOT = Path(__file__).parent.parent
# The runtime client of the measured Init Duration; the functions do without it.
RUNTIME_CLIENT = "awslambdaric==4.2.2"


class Artifacts(NamedTuple):
    """Folders: the layer's packages, each function's bundle by module, and what the floors and the runtime import."""

    layer: Path
    bundles: dict[str, Path]
    floor: Path
    floor_without_bytecode: Path
    runtime: Path


def is_deployed_python() -> bool:
    """Tell whether this is the Python that Lambda runs: the artifacts hold bytecode for that one only."""
    return sys.version_info[:2] == (3, 13)


def build(folder: Path) -> Artifacts:
    """Build everything below an empty folder, with the targets that `sam build` calls."""
    layer = folder / "layer"
    _make("Dependencies", layer, f"LAYER_FOR=--python {sys.executable}")
    bundles = {}
    for function in template.load().functions:
        module = function.handler.split(".")[1]
        bundles[module] = folder / "functions" / module
        _make(function.name, bundles[module])
    floor = folder / "floor"
    _install(floor, *(f"{name}=={importlib.metadata.version(name)}" for name in ("boto3", "botocore")))
    without = folder / "floor_without_bytecode"
    shutil.copytree(floor, without)
    _compile(floor)
    _install(folder / "runtime", RUNTIME_CLIENT)
    _compile(folder / "runtime")
    return Artifacts(layer / "python", bundles, floor, without, folder / "runtime")


@functools.cache
def environment() -> dict[str, str]:
    """Return the variables of all functions, as the template has them; the keys lead nowhere."""
    return template.load().environment | {
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_DEFAULT_REGION": template.REGION,
        "AWS_REGION": template.REGION,
    }


def _make(name: str, folder: Path, *variables: str) -> None:
    folder.mkdir(parents=True)
    subprocess.run(["make", "-s", f"build-{name}", f"ARTIFACTS_DIR={folder}", *variables], cwd=ROOT, check=True)


def _install(folder: Path, *packages: str) -> None:
    command = [uv.find_uv_bin(), "pip", "install", "--quiet", "--python", sys.executable, "--target", str(folder)]
    subprocess.run([*command, *packages], check=True)


def _compile(folder: Path) -> None:
    options = ["-q", "--invalidation-mode", "unchecked-hash"]
    subprocess.run([sys.executable, "-I", "-m", "compileall", *options, str(folder)], check=True)
