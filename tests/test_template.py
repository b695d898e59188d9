"""What template.yaml must say, whatever else changes in it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent

ROUTES = {
    "create_message": "POST /threads/{threadId}/messages",
    "list_messages": "GET /threads/{threadId}/messages",
    "retrieve_message": "GET /threads/{threadId}/messages/{messageId}",
    "modify_message": "POST /threads/{threadId}/messages/{messageId}",
    "delete_message": "DELETE /threads/{threadId}/messages/{messageId}",
    "create_thread": "POST /threads",
    "list_threads": "GET /threads",
    "retrieve_thread": "GET /threads/{threadId}",
    "modify_thread": "POST /threads/{threadId}",
    "delete_thread": "DELETE /threads/{threadId}",
}
FOURTEEN_DAYS = 14 * 86_400


class Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short tags: `!Ref Table` is read as the text `!Table`."""


Loader.add_multi_constructor("!", lambda _loader, _tag, node: f"!{node.value}")

TEMPLATE: dict[str, Any] = Loader((ROOT / "template.yaml").read_text()).get_single_data()
RESOURCES: dict[str, Any] = TEMPLATE["Resources"]


def of_type(kind: str) -> dict[str, Any]:
    return {name: found["Properties"] for name, found in RESOURCES.items() if found["Type"] == kind}


FUNCTIONS = of_type("AWS::Serverless::Function")
ERASING_FUNCTIONS = {"QueueErasures", "EraseThread", "SweepThreads"}
EVENT_FUNCTIONS = {*ERASING_FUNCTIONS, "PublishEvents", "IngestMessage"}
HTTP_FUNCTIONS = {*FUNCTIONS} - EVENT_FUNCTIONS


def statements(function: dict[str, Any]) -> list[dict[str, Any]]:
    return [statement for policy in function["Policies"] for statement in policy["Statement"]]


def seconds(function: str) -> int:
    return int((TEMPLATE["Globals"]["Function"] | FUNCTIONS[function])["Timeout"])


def test_each_module_of_functions_is_one_function_of_its_name() -> None:
    modules = {module.stem for module in (ROOT / "functions").glob("[a-z]*.py")}

    events = {"queue_erasures", "erase_thread", "sweep_threads", "publish_events", "ingest_message"}
    assert modules == {*ROUTES, "unknown_route", *events}
    assert {name: function["Handler"] for name, function in FUNCTIONS.items()} == {
        module.title().replace("_", ""): f"functions.{module}.handler" for module in modules
    }


def test_each_function_has_a_sample_event() -> None:
    samples = {sample.stem for sample in (ROOT / "events").glob("*.json")}

    assert samples == {function["Handler"].split(".")[1] for function in FUNCTIONS.values()}


def test_each_route_is_at_the_root_and_under_v1() -> None:
    routes = {}
    for function in FUNCTIONS.values():
        for event in function["Events"].values():
            if event["Type"] == "HttpApi":
                assert event["Properties"]["ApiId"] == "!Api"
                route = f"{event['Properties'].get('Method')} {event['Properties'].get('Path')}"
                routes[route] = function["Handler"].split(".")[1]

    expected = {route: module for module, route in ROUTES.items()}
    expected |= {route.replace(" ", " /v1"): module for route, module in expected.items()}
    assert routes == expected | {"None None": "unknown_route"}  # neither method nor path: $default


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_built_by_make_and_logs_to_a_group_that_forgets(name: str) -> None:
    assert RESOURCES[name]["Metadata"] == {"BuildMethod": "makefile"}
    assert FUNCTIONS[name]["LoggingConfig"] == {"LogGroup": f"!{name}Log"}
    assert RESOURCES[f"{name}Log"]["Properties"] == {
        "LogGroupName": f"!/aws/lambda/${{AWS::StackName}}/{FUNCTIONS[name]['Handler'].split('.')[1]}",
        "RetentionInDays": "!LogRetentionDays",
    }


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_may_do_named_things_to_the_resources_of_the_stack_alone(name: str) -> None:
    services = {
        "!Table.Arn": "dynamodb:",
        "!ErasureQueue.Arn": "sqs:",
        "!Commands.Arn": "sqs:",
        "!FifoCommands.Arn": "sqs:",
        "!RejectedCommands.Arn": "sqs:",
        "!RejectedFifoCommands.Arn": "sqs:",
        "!Events.Arn": "events:",
    }
    for statement in statements(FUNCTIONS[name]):
        resources = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
        (service,) = {services[resource] for resource in resources}
        assert all(action.startswith(service) and "*" not in action for action in statement["Action"])
        assert statement["Action"] == sorted(set(statement["Action"]))


def test_only_functions_that_queue_erasures_know_the_queue() -> None:
    def may_send(function: dict[str, Any]) -> bool:
        return any(statement["Resource"] == "!ErasureQueue.Arn" for statement in statements(function))

    def knows(function: dict[str, Any]) -> bool:
        return "ERASURE_QUEUE_URL" in function.get("Environment", {}).get("Variables", {})

    assert {name for name, function in FUNCTIONS.items() if knows(function)} == ERASING_FUNCTIONS
    assert {name for name, function in FUNCTIONS.items() if may_send(function)} == ERASING_FUNCTIONS


def test_the_table_is_kept_whatever_happens_to_the_stack() -> None:
    table = RESOURCES["Table"]

    assert table["DeletionPolicy"] == table["UpdateReplacePolicy"] == "Retain"
    assert table["Properties"]["DeletionProtectionEnabled"] is True
    assert table["Properties"]["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


def test_the_table_has_the_keys_of_the_data_model_and_no_index() -> None:
    table = RESOURCES["Table"]["Properties"]

    assert table["KeySchema"] == [
        {"AttributeName": "threadId", "KeyType": "HASH"},
        {"AttributeName": "messageId", "KeyType": "RANGE"},
    ]
    assert {attribute["AttributeType"] for attribute in table["AttributeDefinitions"]} == {"S"}
    assert table["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires", "Enabled": True}
    assert not [key for key in table if "Index" in key]


def test_a_request_ends_before_api_gateway_gives_up() -> None:
    assert max(map(seconds, HTTP_FUNCTIONS)) < 30


def test_an_erasure_begins_after_every_request_that_may_still_write() -> None:
    assert RESOURCES["ErasureQueue"]["Properties"]["DelaySeconds"] > max(map(seconds, HTTP_FUNCTIONS))


def test_an_erasure_is_tried_again_only_when_the_first_try_has_ended() -> None:
    assert RESOURCES["ErasureQueue"]["Properties"]["VisibilityTimeout"] >= 6 * seconds("EraseThread")


def test_queues_keep_what_they_hold_for_fourteen_days() -> None:
    assert {queue["MessageRetentionPeriod"] for queue in of_type("AWS::SQS::Queue").values()} == {FOURTEEN_DAYS}


def test_what_no_function_could_process_raises_an_alarm() -> None:
    targets = [
        queue["RedrivePolicy"]["deadLetterTargetArn"]
        for queue in of_type("AWS::SQS::Queue").values()
        if "RedrivePolicy" in queue
    ]
    for function in ("QueueErasures", "PublishEvents"):
        stream = FUNCTIONS[function]["Events"]["Changes"]["Properties"]
        targets.append(stream["DestinationConfig"]["OnFailure"]["Destination"])
    targets += [
        target["DeadLetterConfig"]["Arn"]
        for rule in of_type("AWS::Events::Rule").values()
        for target in rule["Targets"]
    ]
    dead_letters = {target.removesuffix(".Arn") for target in targets}
    watched = {
        alarm["Dimensions"][0]["Value"].removesuffix(".QueueName")
        for alarm in of_type("AWS::CloudWatch::Alarm").values()
        if alarm["MetricName"] == "ApproximateNumberOfMessagesVisible"
    }

    assert dead_letters == watched
    assert len(watched) == 6


def test_every_alarm_is_published() -> None:
    for alarm in of_type("AWS::CloudWatch::Alarm").values():
        assert alarm["AlarmActions"] == alarm["OKActions"] == ["!Alarms"]


def test_the_stream_is_filtered_by_what_makes_work_for_the_eraser() -> None:
    events = FUNCTIONS["QueueErasures"]["Events"]["Changes"]["Properties"]
    patterns = [json.loads(entry["Pattern"]) for entry in events["FilterCriteria"]["Filters"]]

    present = [{"exists": True}]
    assert patterns == [
        {"dynamodb": {"NewImage": {"state": {"S": ["erasing"]}}}},
        {
            "eventName": ["REMOVE", "MODIFY"],
            "dynamodb": {"OldImage": {"parts": {"M": {"count": {"N": present}}}}},
        },
    ]


def test_every_parameter_says_what_it_is_for() -> None:
    parameters = TEMPLATE["Parameters"]
    groups = TEMPLATE["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]

    assert [name for group in groups for name in group["Parameters"]] == list(parameters)
    assert all(parameter["Description"] and "Default" in parameter for parameter in parameters.values())


def test_a_published_version_changes_with_every_parameter_that_its_function_reads() -> None:
    shared = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
    published = [function for function in FUNCTIONS.values() if "AutoPublishAlias" in function]

    assert published
    for function in published:
        variables = shared | function.get("Environment", {}).get("Variables", {})
        read = {value.removeprefix("!") for value in variables.values()} & TEMPLATE["Parameters"].keys()
        assert {*re.findall(r"\${(\w+)}", function["VersionDescription"].removeprefix("!"))} == read | {"SnapStart"}


def test_functions_are_compiled_for_the_python_that_runs_them() -> None:
    makefile = (ROOT / "Makefile").read_text()

    assert set(re.findall(r"--python-version ([0-9.]+)", makefile)) == {
        TEMPLATE["Globals"]["Function"]["Runtime"].removeprefix("python")
    }
