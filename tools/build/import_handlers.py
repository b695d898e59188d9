"""Imports every handler that `sam build` built as Lambda does: from its bundle and the layer alone."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

IMPORT = "import importlib, sys; sys.path[:0] = sys.argv[2:]; importlib.import_module(sys.argv[1]).handler"
# Files of a bundle other than code.
BESIDES = {"RetrieveOpenapi": {"openapi.json"}}
# Any values will do: an import calls nothing.
ENVIRONMENT = {
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
}


def main(build: Path, layer: Path, python: str) -> None:
    """Exit with one line for each handler that does not import, or whose bundle has other files."""
    template = yaml.safe_load((build / "template.yaml").read_text())
    failures = 0
    for name, resource in template["Resources"].items():
        if resource["Type"] != "AWS::Serverless::Function":
            continue
        properties = resource["Properties"]
        bundle = build / properties["CodeUri"]
        if failure := extra(bundle, BESIDES.get(name, set())) or broken(
            bundle, layer, python, properties["Handler"], environment(template, properties)
        ):
            failures += 1
            sys.stderr.write(f"{name}: {failure}\n")
    if failures:
        sys.exit(1)
    size = sum(file.stat().st_size for file in (build / "Dependencies").rglob("*") if file.is_file())
    sys.stdout.write(f"Every handler imports from its bundle; the layer is {size / 1e6:.1f} MB unpacked.\n")


def extra(bundle: Path, besides: set[str]) -> str:
    """Return an error if a bundle has files other than code and these, else an empty string."""
    foreign = {entry.name for entry in bundle.iterdir()} - {"functions", "shared"} - besides
    return f"the bundle also holds {sorted(foreign)}" if foreign else ""


def broken(bundle: Path, layer: Path, python: str, handler: str, environment: dict[str, str]) -> str:
    """Return the error of a handler's import, or an empty string."""
    module = handler.removesuffix(".handler")
    command = [python, "-I", "-S", "-B", "-c", IMPORT, module, str(bundle.resolve()), str(layer.resolve())]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return done.stderr


def environment(template: dict[str, Any], properties: dict[str, Any]) -> dict[str, str]:
    """Return the variables of a function in the template, with the defaults of parameters."""
    shared = template["Globals"]["Function"]["Environment"]["Variables"]
    own = properties.get("Environment", {}).get("Variables", {})
    return ENVIRONMENT | {name: plain(template, value) for name, value in (shared | own).items()}


def plain(template: dict[str, Any], value: object) -> str:
    """Return a value of the template as it may be when deployed."""
    if isinstance(value, dict):
        parameter = template["Parameters"].get(value.get("Ref"), {})
        return str(parameter.get("Default", "deployed"))
    return str(value)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
