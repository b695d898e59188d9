"""The table, the queues and the functions that template.yaml describes. All references are resolved."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
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
# The table's properties that create_table takes. The other properties (backups, protection) have no meaning locally.
_TABLE_ARGUMENTS = ("AttributeDefinitions", "BillingMode", "KeySchema")
_NO_VALUE = object()
_DEFAULTS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Route:
    """A route of the HTTP API: `GET` and `/threads/{threadId}`. `$default` takes the requests without another route."""

    method: str
    path: str

    @property
    def key(self) -> str:
        return self.path if self.path == "$default" else f"{self.method} {self.path}"


@dataclass(frozen=True)
class Stream:
    """How a function reads the table's stream: the patterns of its filters (one must match) and the batch size."""

    patterns: tuple[dict[str, Any], ...]
    batch: int


@dataclass(frozen=True)
class Queue:
    """A queue: its delay in seconds, and the dead-letter queue of messages that failed `receives` times.

    `concurrency` is the number of messages that the queue's function handles at a time.
    """

    name: str
    delay: float
    receives: int
    dead_letters: str
    concurrency: int = 1

    @property
    def arn(self) -> str:
        return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{self.name}"


@dataclass(frozen=True)
class Function:
    """A Lambda function: logical id, dotted path of its handler, seconds to time-out, megabytes, what invokes it."""

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
    """What pages of other origins can send to the HTTP API and see of its responses. The age is in seconds."""

    origins: tuple[str, ...]
    methods: tuple[str, ...]
    headers: tuple[str, ...]
    exposed: tuple[str, ...]
    max_age: int


@dataclass(frozen=True)
class Template:
    """`table` has the arguments of DynamoDB's create_table. `queues` and `buses` are names."""

    table: dict[str, Any]
    ttl_attribute: str
    queues: tuple[str, ...]
    buses: tuple[str, ...]
    functions: tuple[Function, ...]
    cors: Cors | None = None

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables of all functions. They share one process here, so each variable has one value."""
        return {name: value for function in self.functions for name, value in function.environment.items()}


def read(path: Path = TEMPLATE) -> dict[str, Any]:
    """Return a template with unresolved references: `!Ref Table` is `{"Ref": "Table"}`."""
    document: dict[str, Any] = _Loader(path.read_text(encoding="utf-8")).get_single_data()
    return document


def load(path: Path = TEMPLATE, parameters: Mapping[str, str] = _DEFAULTS) -> Template:
    """Read a template. Parameters that are not given have their defaults.

    A resource's name is `message-api-<logical id>`. A queue or function whose condition is false does not exist, nor do
    the routes of such a function.
    """
    document = read(path)
    resolver = _Resolver(document, parameters)
    resources = {name: resource for name, resource in document["Resources"].items() if resolver.exists(name)}
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
    allowing = [api["Properties"] for api in apis if "CorsConfiguration" in api["Properties"]]
    if not allowing:
        return None
    cors = allowing[0]["CorsConfiguration"]
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
        routes=tuple(map(_route, _sources(own, "HttpApi"))),
        streams=tuple(map(_stream, _sources(own, "DynamoDB"))),
        queues=tuple(_with_concurrency(queues[source["Queue"]], source) for source in _sources(own, "SQS")),
    )


def _with_concurrency(queue: Queue, source: dict[str, Any]) -> Queue:
    # A FIFO queue keeps the messages of a group in order. The local queue ignores groups, so it has one thread.
    is_fifo = queue.name.endswith(".fifo")
    most = 1 if is_fifo else int(source.get("ScalingConfig", {}).get("MaximumConcurrency", 1))
    return replace(queue, concurrency=most)


def _sources(function: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [event.get("Properties", {}) for event in function.get("Events", {}).values() if event["Type"] == kind]


def _stream(source: dict[str, Any]) -> Stream:
    filters = source.get("FilterCriteria", {}).get("Filters", [])
    return Stream(tuple(json.loads(entry["Pattern"]) for entry in filters), int(source.get("BatchSize", 100)))


def _route(source: dict[str, Any]) -> Route:
    return Route(source.get("Method", "ANY").upper(), source.get("Path", "$default"))


class _Loader(yaml.CSafeLoader):
    """YAML with CloudFormation's short tags. The loader in C reads a template seven times as fast as that in Python."""


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
    """Replaces CloudFormation's functions in a part of a template with their values."""

    def __init__(self, document: dict[str, Any], parameters: Mapping[str, str]) -> None:
        self._resources: dict[str, Any] = document["Resources"]
        self._conditions: dict[str, Any] = document.get("Conditions", {})
        self._parameters: dict[str, str | list[str]] = {
            name: _parameter(declared, parameters.get(name, str(declared.get("Default", ""))))
            for name, declared in document.get("Parameters", {}).items()
        }

    def exists(self, logical_id: str) -> bool:
        condition = self._resources[logical_id].get("Condition")
        return condition is None or self._condition(condition)

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
