"""Deploys the template with `sam deploy` to ministack, an emulator of AWS in its own environment and process.

This module makes up for what ministack lacks. It does not create the routes of an API that is described by its body.
It treats the value of a parameter as text where AWS takes a number. Its Lambda runs functions with ministack's own
Python, so the layers are built for that, not for Lambda's processor.
"""

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import httpx
import uv

from tests.support.local_api import ROOT, environment

MINISTACK = "1.5.33"
TRANSLATOR = "1.115.0"  # ministack's package for the SAM transform; its extra would install much more
STACK = "message-api"
_BUCKET = "artifacts"


class NotHadError(Exception):
    """Something that must be installed cannot be installed or run on this machine."""


@dataclass(frozen=True)
class Deployment:
    """A deployed stack: the URL of AWS, the stack's outputs, and its API at `base_url` for requests with this Host."""

    aws: str
    outputs: dict[str, str]
    base_url: str
    host: str

    def client(self, service: str) -> Any:
        return _client(service, self.aws)

    def run(self, *arguments: str) -> str:
        """Run a command of the program against the deployment. Return its output."""
        return _run([sys.executable, "-m", "tools.cli", *arguments], AWS_ENDPOINT_URL=self.aws)


@contextmanager
def deployment(folder: Path, **parameters: str) -> Iterator[Deployment]:
    """Build, deploy with these parameters, and yield the deployment. Afterwards only the folder remains.

    Raises `NotHadError`.
    """
    python = _deployed_python()
    try:
        _sam("--version")
    except AssertionError as error:
        raise NotHadError(str(error)) from error
    build = folder / "build"
    _sam("build", "--build-dir", str(build), MAKEFLAGS=rf"-- LAYER_FOR=--python\ {python}")
    built = build / "template.yaml"
    built.write_text(re.sub(r"(MaximumConcurrency:)\s+Ref: RunsAtOnce", r"\1 5", built.read_text()))
    with _ministack(python, folder) as aws:
        _client("s3", aws).create_bucket(Bucket=_BUCKET)
        template = str(built)
        arguments = ["--config-file", str(ROOT / "samconfig.toml"), "--template-file", template, "--no-progressbar"]
        arguments += ["--no-resolve-s3", "--s3-bucket", _BUCKET]
        if parameters:
            arguments += ["--parameter-overrides", *(f"{name}={value}" for name, value in parameters.items())]
        _sam("deploy", *arguments, AWS_ENDPOINT_URL=aws)
        described = _client("cloudformation", aws).describe_stacks(StackName=STACK)["Stacks"][0]
        outputs = {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}
        api_id = outputs["BaseUrl"].removeprefix("https://").partition(".")[0]
        _route(aws, api_id)
        yield Deployment(aws, outputs, f"{aws}/v1", f"{api_id}.execute-api.{aws.removeprefix('http://')}")


def _deployed_python() -> str:
    """Return the Python for whose bytecode the Makefile builds the functions. If it finds none, return our own."""
    variables = subprocess.run(["make", "-pnq", "help"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    found = re.findall(r"^DEPLOYED := (\S+)$", variables, re.MULTILINE)
    return found[0] if found else sys.executable


@contextmanager
def _ministack(python: str, folder: Path) -> Iterator[str]:
    """Run ministack on a free port of 127.0.0.1 and yield its URL."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    command = [uv.find_uv_bin(), "tool", "run", "--quiet", "--python", python, "--from", f"ministack=={MINISTACK}"]
    command += ["--with", f"aws-sam-translator=={TRANSLATOR}", "ministack"]
    own = {"GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1", "MINISTACK_HOST": "127.0.0.1"}
    url = f"http://127.0.0.1:{port}"
    log = folder / "ministack.log"
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=_environment(LAMBDA_EXECUTOR="local", **own),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # so that the processes that it starts end with it
        )
        try:
            _wait(process, url, log)
            yield url
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            process.wait(timeout=30)


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    until = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < until:
        with suppress(httpx.TransportError):
            httpx.get(url, timeout=5)
            return
        time.sleep(0.2)
    raise NotHadError(f"ministack does not run: {log.read_text(encoding='utf-8')[-500:]}")


def _route(aws: str, api_id: str) -> None:
    """Create the routes that the body of the deployed API describes."""
    stacks, gateway = _client("cloudformation", aws), _client("apigatewayv2", aws)
    template = stacks.get_template(StackName=STACK, TemplateStage="Processed")["TemplateBody"]
    document = json.loads(template) if isinstance(template, str) else template
    resources = stacks.describe_stack_resources(StackName=STACK)["StackResources"]
    names = {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in resources}
    for path, methods in _there(document["Resources"]["Api"]["Properties"]["Body"]["paths"]).items():
        for method, operation in _there(methods).items():
            uri = _there(_there(operation)["x-amazon-apigateway-integration"]["uri"])["Fn::Sub"]
            (target,) = re.findall(r"functions/\$\{(\w+)(?:\.Arn)?\}/", uri)
            name = names[target]  # the name of the function, or the ARN of its alias
            integration = gateway.create_integration(
                ApiId=api_id,
                IntegrationType="AWS_PROXY",
                IntegrationUri=name if ":" in name else f"arn:aws:lambda:us-east-1:000000000000:function:{name}",
                PayloadFormatVersion="2.0",
            )
            verb = "ANY" if method == "x-amazon-apigateway-any-method" else method.upper()
            key = "$default" if path == "/$default" else f"{verb} {path}"
            gateway.create_route(ApiId=api_id, RouteKey=key, Target=f"integrations/{integration['IntegrationId']}")


def _there(part: dict[str, Any]) -> dict[str, Any]:
    """Return a part of the template. If it has a condition, return its value for the true condition."""
    found: dict[str, Any] = part["Fn::If"][1] if "Fn::If" in part else part
    return found


def _sam(*arguments: str, **own: str) -> None:
    """Run SAM as the Makefile does."""
    (command,) = re.findall(r"^SAM = SAM_CLI_TELEMETRY=0 \$\(UV\) (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    _run([uv.find_uv_bin(), *shlex.split(command), *arguments], SAM_CLI_TELEMETRY="0", **own)


def _run(command: list[str], **own: str) -> str:
    run = subprocess.run(
        command, cwd=ROOT, env=_environment(**own), capture_output=True, text=True, check=False, timeout=400
    )
    assert run.returncode == 0, f"{command}: {run.stdout[-1500:]}{run.stderr[-1500:]}"
    return run.stdout


def _environment(**own: str) -> dict[str, str]:
    credentials = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    region = {"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1"}
    files = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    return environment() | credentials | region | files | own


def _client(service: str, aws: str) -> Any:
    library: Any = boto3
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    return library.client(service, endpoint_url=aws, region_name="us-east-1", **keys)
