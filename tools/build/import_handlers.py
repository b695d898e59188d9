"""Imports every handler that `sam build` built. As in Lambda, a handler has only its bundle and its layers.

    python tools/build/import_handlers.py FOLDER_OF_SAM_BUILD FOLDER_OF_LAYERS PYTHON

FOLDER_OF_LAYERS has the layers as built for this machine: Dependencies in `python`, ModelDependencies in
`model/python`.
"""

import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

IMPORT = "import importlib, sys; sys.path[:0] = sys.argv[2:]; importlib.import_module(sys.argv[1]).handler"
# Entries of a bundle other than code.
BESIDES = {"RetrieveOpenapi": {"openapi.json"}}
# Only these functions have shared/runs. Without it, the bundles are smaller and the functions start sooner.
WITH_RUNS = {"Assistants", "Runs", "ExecuteRun", "PublishEvents"}
# The values do not matter: an import makes no call of AWS.
ENVIRONMENT = {
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
}


def main(build: Path, layers: Path, python: str) -> None:
    """Exit with one line for each handler that fails to import, or whose bundle has entries that it does not need."""
    template = yaml.safe_load((build / "template.yaml").read_text())
    failures = 0
    for name, resource in template["Resources"].items():
        if resource["Type"] != "AWS::Serverless::Function":
            continue
        properties = resource["Properties"]
        bundle = build / properties["CodeUri"]
        packages = [layers / "python", *([layers / "model" / "python"] if "Layers" in properties else [])]
        if failure := extra(bundle, name) or broken(
            [bundle, *packages], python, properties["Handler"], environment(template, properties)
        ):
            failures += 1
            sys.stderr.write(f"{name}: {failure}\n")
    if failures:
        sys.exit(1)
    sizes = ", ".join(f"{name} {megabytes(build / name):.1f} MB" for name in ("Dependencies", "ModelDependencies"))
    sys.stdout.write(f"Every handler imports from its bundle. The layers, unpacked: {sizes}.\n")


def megabytes(folder: Path) -> float:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6


def extra(bundle: Path, function: str) -> str:
    """Return an error if a bundle has entries that its function does not need, else an empty string."""
    foreign = {entry.name for entry in bundle.iterdir()} - {"functions", "shared"} - BESIDES.get(function, set())
    if function not in WITH_RUNS and (bundle / "shared" / "runs").exists():
        foreign.add("shared/runs")
    return f"the bundle also holds {sorted(foreign)}" if foreign else ""


def broken(path: list[Path], python: str, handler: str, environment: dict[str, str]) -> str:
    """Import a handler. Return the error, or an empty string."""
    module = handler.removesuffix(".handler")
    command = [python, "-I", "-S", "-B", "-c", IMPORT, module, *(str(folder.resolve()) for folder in path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return done.stderr


def environment(template: dict[str, Any], properties: dict[str, Any]) -> dict[str, str]:
    """Return the template's variables of a function, with the defaults of parameters."""
    shared = template["Globals"]["Function"]["Environment"]["Variables"]
    own = properties.get("Environment", {}).get("Variables", {})
    return ENVIRONMENT | {name: plain(template, value) for name, value in (shared | own).items()}


def plain(template: dict[str, Any], value: object) -> str:
    """Return a value that a value of the template may have when deployed."""
    if isinstance(value, dict):
        parameter = template["Parameters"].get(value.get("Ref"), {})
        return str(parameter.get("Default", "deployed"))
    return str(value)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
