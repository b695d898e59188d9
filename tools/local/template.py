"""What template.yaml says of the table, the queues and the functions, with every reference resolved."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

import yaml

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
STACK = "message-api"
REGION = "us-east-1"
ACCOUNT = "123456789012"

_PSEUDO_PARAMETERS = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::StackName": STACK,
    "AWS::URLSuffix": "amazonaws.com",
}
# What create_table takes of the table's properties; the others (backups, protection) mean nothing locally.
_TABLE_ARGUMENTS = ("AttributeDefinitions", "BillingMode", "GlobalSecondaryIndexes", "KeySchema")
_NO_VALUE = object()
_DEFAULTS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Route:
    """A route of the HTTP API: `GET` and `/threads/{threadId}`; `$default` takes what no other does."""

    method: str
    path: str

    @property
    def key(self) -> str:
        return self.path if self.path == "$default" else f"{self.method} {self.path}"


@dataclass(frozen=True)
class Stream:
    """How a function reads the table's stream: the patterns of its filters, one of which must match; records a call."""

    patterns: tuple[dict[str, Any], ...]
    batch: int


@dataclass(frozen=True)
class Queue:
    """A queue that feeds a function: its delay in seconds, and where a message goes that failed so many times."""

    name: str
    delay: float
    receives: int
    dead_letters: str

    @property
    def arn(self) -> str:
        return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{self.name}"


@dataclass(frozen=True)
class Function:
    """A Lambda function: logical id, dotted path of its handler, seconds, megabytes, and what it is invoked by."""

    name: str
    handler: str
    timeout: float
    memory: int
    environment: dict[str, str]
    routes: tuple[Route, ...]
    streams: tuple[Stream, ...] = ()
    queues: tuple[Queue, ...] = ()


@dataclass(frozen=True)
class Cors:
    """What pages of other origins may send to the HTTP API and see of its answers; the age is in seconds."""

    origins: tuple[str, ...]
    methods: tuple[str, ...]
    headers: tuple[str, ...]
    exposed: tuple[str, ...]
    max_age: int


@dataclass(frozen=True)
class Template:
    """`table` is what DynamoDB's create_table takes; `queues` and `buses` are the names of those."""

    table: dict[str, Any]
    ttl_attribute: str
    queues: tuple[str, ...]
    buses: tuple[str, ...]
    functions: tuple[Function, ...]
    cors: Cors | None = None

    @property
    def environment(self) -> dict[str, str]:
        """The variables of all functions, which share one process here: none has two values."""
        return {name: value for function in self.functions for name, value in function.environment.items()}


def read(path: Path = TEMPLATE) -> dict[str, Any]:
    """Return a template as it is written, its references unresolved: `!Ref Table` is `{"Ref": "Table"}`."""
    document: dict[str, Any] = _Loader(path.read_text(encoding="utf-8")).get_single_data()
    return document


def load(path: Path = TEMPLATE, parameters: Mapping[str, str] = _DEFAULTS) -> Template:
    """Read a template. Other parameters have their defaults; a resource's name is `message-api-<logical id>`."""
    document = read(path)
    resources = document["Resources"]
    resolver = _Resolver(document, parameters)
    table = resolver.resolve(resources["Table"]["Properties"])
    functions = resolver.resolve(document.get("Globals", {}).get("Function", {}))
    queues = {
        queue.arn: queue
        for name in _of_type(resources, "AWS::SQS::Queue")
        for queue in [_queue(resolver.name(name), resolver.resolve(resources[name].get("Properties", {})))]
    }
    return Template(
        table=_create_table_arguments(resolver.name("Table"), table),
        ttl_attribute=table.get("TimeToLiveSpecification", {}).get("AttributeName", ""),
        queues=tuple(resolver.name(name) for name in _of_type(resources, "AWS::SQS::Queue")),
        buses=tuple(resolver.name(name) for name in _of_type(resources, "AWS::Events::EventBus")),
        functions=tuple(
            _function(name, resolver.resolve(resources[name]["Properties"]), functions, queues)
            for name in _of_type(resources, "AWS::Serverless::Function")
        ),
        cors=_cors([resolver.resolve(resources[name]) for name in _of_type(resources, "AWS::Serverless::HttpApi")]),
    )


def _of_type(resources: dict[str, Any], kind: str) -> Iterator[str]:
    return (name for name, resource in resources.items() if resource["Type"] == kind)


def _create_table_arguments(name: str, properties: dict[str, Any]) -> dict[str, Any]:
    arguments = {"TableName": name} | {key: properties[key] for key in _TABLE_ARGUMENTS if key in properties}
    if "StreamSpecification" in properties:
        arguments["StreamSpecification"] = {"StreamEnabled": True} | properties["StreamSpecification"]
    return arguments


def _cors(apis: list[dict[str, Any]]) -> Cors | None:
    found = [api["Properties"]["CorsConfiguration"] for api in apis if "CorsConfiguration" in api["Properties"]]
    if not found:
        return None
    (cors,) = found
    return Cors(
        origins=tuple(cors["AllowOrigins"]),
        methods=tuple(cors["AllowMethods"]),
        headers=tuple(cors["AllowHeaders"]),
        exposed=tuple(cors["ExposeHeaders"]),
        max_age=int(cors["MaxAge"]),
    )


def _queue(name: str, properties: dict[str, Any]) -> Queue:
    redrive = properties.get("RedrivePolicy", {})
    return Queue(
        name=name,
        delay=float(properties.get("DelaySeconds", 0)),
        receives=int(redrive.get("maxReceiveCount", 0)),
        dead_letters=str(redrive.get("deadLetterTargetArn", "")).rpartition(":")[2],
    )


def _function(name: str, own: dict[str, Any], common: dict[str, Any], queues: dict[str, Queue]) -> Function:
    variables = [part.get("Environment", {}).get("Variables", {}) for part in (common, own)]
    settings = common | own
    return Function(
        name=name,
        handler=settings["Handler"],
        timeout=float(settings.get("Timeout", 3)),
        memory=int(settings.get("MemorySize", 128)),
        environment={key: str(value) for part in variables for key, value in part.items()},
        routes=tuple(_routes(own.get("Events", {}))),
        streams=tuple(map(_stream, _sources(own, "DynamoDB"))),
        queues=tuple(queues[source["Queue"]] for source in _sources(own, "SQS")),
    )


def _sources(function: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [event["Properties"] for event in function.get("Events", {}).values() if event["Type"] == kind]


def _stream(source: dict[str, Any]) -> Stream:
    filters = source.get("FilterCriteria", {}).get("Filters", [])
    return Stream(tuple(json.loads(entry["Pattern"]) for entry in filters), int(source.get("BatchSize", 100)))


def _routes(events: dict[str, Any]) -> Iterator[Route]:
    for event in events.values():
        if event["Type"] == "HttpApi":
            properties = event.get("Properties", {})
            yield Route(properties.get("Method", "ANY").upper(), properties.get("Path", "$default"))


class _Loader(yaml.CSafeLoader):
    """YAML with CloudFormation's short tags; the loader in C reads a template seven times as fast."""


def _read_tag(loader: yaml.CSafeLoader, tag: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        if tag == "GetAtt":
            value = str(value).split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(cast("yaml.MappingNode", node), deep=True)
    return {tag if tag in ("Ref", "Condition") else f"Fn::{tag}": value}


_Loader.add_multi_constructor("!", _read_tag)


def _parameter(declared: dict[str, Any], value: str) -> str | list[str]:
    is_list = declared.get("Type") == "CommaDelimitedList"
    return [entry.strip() for entry in value.split(",")] if is_list else value


class _Resolver:
    """Replaces CloudFormation's functions in a part of a template by their values."""

    def __init__(self, document: dict[str, Any], parameters: Mapping[str, str]) -> None:
        self._resources: dict[str, Any] = document["Resources"]
        self._conditions: dict[str, Any] = document.get("Conditions", {})
        self._parameters: dict[str, str | list[str]] = {
            name: _parameter(declared, parameters.get(name, str(declared.get("Default", ""))))
            for name, declared in document.get("Parameters", {}).items()
        }

    def name(self, logical_id: str) -> str:
        is_fifo = self._resources[logical_id].get("Properties", {}).get("FifoQueue")
        return f"{STACK}-{logical_id}{'.fifo' if is_fifo else ''}"

    def resolve(self, part: Any) -> Any:
        if isinstance(part, list):
            return [value for value in map(self.resolve, part) if value is not _NO_VALUE]
        if not isinstance(part, dict):
            return part
        if len(part) == 1:
            (tag, argument), *_ = part.items()
            function = getattr(self, "_" + tag.removeprefix("Fn::").lower(), None)
            if function and (tag.startswith("Fn::") or tag in ("Ref", "Condition")):
                return function(argument)
        resolved = {key: self.resolve(value) for key, value in part.items()}
        return {key: value for key, value in resolved.items() if value is not _NO_VALUE}

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return _NO_VALUE
        known = _PSEUDO_PARAMETERS | self._parameters
        if name in known:
            return known[name]
        if self._resources[name]["Type"] == "AWS::SQS::Queue":
            return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{self.name(name)}"
        return self.name(name)

    def _getatt(self, argument: list[str]) -> str:
        name, attribute = argument
        if attribute == "QueueUrl":
            return str(self._ref(name))
        if attribute == "Arn":
            service = self._resources[name]["Type"].split("::")[1].lower()
            return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{self.name(name)}"
        return f"{self.name(name)}.{attribute}"

    def _sub(self, argument: str | list[Any]) -> str:
        text, own = (argument, {}) if isinstance(argument, str) else argument

        def value(match: re.Match[str]) -> str:
            name = match[1]
            if name in own:
                return str(self.resolve(own[name]))
            return self._getatt(name.split(".", 1)) if "." in name else str(self._ref(name))

        return re.sub(r"\$\{([^!}]+)\}", value, text).replace("${!", "${")

    def _join(self, argument: list[Any]) -> str:
        separator, parts = argument
        return str(separator).join(map(str, self.resolve(parts)))

    def _if(self, argument: list[Any]) -> Any:
        condition, then, otherwise = argument
        return self.resolve(then if self._condition(condition) else otherwise)

    def _condition(self, name: str) -> bool:
        return bool(self.resolve(self._conditions[name]))

    def _equals(self, argument: list[Any]) -> bool:
        left, right = self.resolve(argument)
        return str(left) == str(right)

    def _not(self, argument: list[Any]) -> bool:
        return not self.resolve(argument)[0]

    def _and(self, argument: list[Any]) -> bool:
        return all(self.resolve(argument))

    def _or(self, argument: list[Any]) -> bool:
        return any(self.resolve(argument))
