"""What template.yaml must say, whatever else changes in it, here with a model."""

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.runs import worker
from shared.runs.records import SECONDS_TO_EXPIRY
from tools.local import template

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
# One function serves all operations of each of these packages.
PACKAGES = {
    "assistants": ["ANY /assistants", "ANY /assistants/{rest+}"],
    "runs": ["ANY /threads/{threadId}/runs", "ANY /threads/{threadId}/runs/{rest+}", "POST /threads/runs"],
}
WITH_A_MODEL = ("HasModel", "HasModelKey")
FOURTEEN_DAYS = 14 * 86_400
OWN_KEY = "!If HasKmsKey !KmsKeyArn !AWS::NoValue"
NOT_WITH_OWN_KEY = "!If HasKmsKey !AWS::NoValue True"


class Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short tags: `!Ref Table` is the text `!Table`, `!If [A, !Ref B]` is `!If A !B`.

    `!If [HasModel, A, B]` is A.
    """


def _read_tag(loader: yaml.SafeLoader, tag: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return f"!{node.value}"
    if isinstance(node, yaml.SequenceNode):
        values = loader.construct_sequence(node, deep=True)
        return values[1] if tag == "If" and values[0] in WITH_A_MODEL else f"!{tag} " + " ".join(map(str, values))
    return f"!{tag}"


Loader.add_multi_constructor("!", _read_tag)

TEMPLATE: dict[str, Any] = Loader((ROOT / "template.yaml").read_text()).get_single_data()
RESOURCES: dict[str, Any] = TEMPLATE["Resources"]
RESPONDER: dict[str, Any] = Loader((ROOT / "examples" / "responder" / "template.yaml").read_text()).get_single_data()


def of_type(kind: str, document: dict[str, Any] = TEMPLATE) -> dict[str, Any]:
    return {name: found["Properties"] for name, found in document["Resources"].items() if found["Type"] == kind}


FUNCTIONS = of_type("AWS::Serverless::Function")
ERASING_FUNCTIONS = {"QueueJobs", "EraseThread", "SweepThreads"}
EVENT_FUNCTIONS = {*ERASING_FUNCTIONS, "PublishEvents", "IngestMessage", "ExecuteRun"}
HTTP_FUNCTIONS = {*FUNCTIONS} - EVENT_FUNCTIONS


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def dead_letters_of_event_bridge(document: dict[str, Any]) -> dict[str, str]:
    """Return each queue that a bus or a rule sends its dead letters to, with the ARN of that bus or rule."""
    of_buses = {
        queue: f"!{name}.Arn"
        for name, bus in of_type("AWS::Events::EventBus", document).items()
        for queue in re.findall(r"'Arn': '(.*?)'", bus["DeadLetterConfig"])
    }
    return of_buses | {
        target["DeadLetterConfig"]["Arn"]: f"!{name}.Arn"
        for name, rule in of_type("AWS::Events::Rule", document).items()
        for target in rule["Targets"]
    }


def statements(function: dict[str, Any]) -> list[dict[str, Any]]:
    return [statement for policy in function.get("Policies", []) for statement in policy["Statement"]]


def seconds(function: str) -> int:
    return int((TEMPLATE["Globals"]["Function"] | FUNCTIONS[function])["Timeout"])


def operations(package: str) -> set[str]:
    return {module.stem for module in (ROOT / "functions" / package).glob("[a-z]*.py")}


def test_each_module_and_package_of_functions_is_one_function_of_its_name() -> None:
    modules = {module.stem for module in (ROOT / "functions").glob("[a-z]*")}

    events = {"queue_jobs", "erase_thread", "sweep_threads", "publish_events", "ingest_message", "execute_run"}
    assert modules == {*ROUTES, *PACKAGES, "retrieve_openapi", "unknown_route", *events}
    assert {name: function["Handler"] for name, function in FUNCTIONS.items()} == {
        module.title().replace("_", ""): f"functions.{module}.handler" for module in modules
    }


def test_each_function_and_each_operation_of_a_package_has_a_sample_event() -> None:
    samples = {sample.stem for sample in (ROOT / "events").glob("*.json")}

    modules = {function["Handler"].split(".")[1] for function in FUNCTIONS.values()} - PACKAGES.keys()
    assert samples == modules.union(*map(operations, PACKAGES))


def test_each_route_is_at_the_root_and_under_v1_and_where_azure_has_it() -> None:
    routes = {}
    for function in FUNCTIONS.values():
        for event in function["Events"].values():
            if event["Type"] == "HttpApi":
                assert event["Properties"]["ApiId"] == "!Api"
                route = f"{event['Properties'].get('Method')} {event['Properties'].get('Path')}"
                routes[route] = function["Handler"].split(".")[1]

    expected = {route: module for module, route in ROUTES.items()}
    expected |= {route: package for package, routes in PACKAGES.items() for route in routes}
    expected |= {route.replace(" ", " /v1"): module for route, module in expected.items()}
    expected |= {route.replace(" ", " /openai"): module for route, module in expected.items()}
    expected |= dict.fromkeys(("GET /openapi.json", "GET /v1/openapi.json"), "retrieve_openapi")
    assert routes == expected | {"None None": "unknown_route"}  # neither method nor path: $default


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_built_by_make_and_logs_to_a_group_that_forgets(name: str) -> None:
    assert RESOURCES[name]["Metadata"] == {"BuildMethod": "makefile"}
    assert FUNCTIONS[name]["LoggingConfig"] == {"LogGroup": f"!{name}Log"}
    assert RESOURCES[f"{name}Log"]["Properties"] == {
        "LogGroupName": f"!/aws/lambda/${{AWS::StackName}}/{FUNCTIONS[name]['Handler'].split('.')[1]}",
        "RetentionInDays": "!LogRetentionDays",
        "KmsKeyId": OWN_KEY,
    }


def test_every_log_forgets() -> None:
    for document in (TEMPLATE, RESPONDER):
        logs = of_type("AWS::Logs::LogGroup", document).values()
        assert logs
        assert {str(log["RetentionInDays"]) for log in logs} <= {"!LogRetentionDays", "30"}


def test_the_access_log_names_the_request_and_nothing_that_a_query_or_header_holds() -> None:
    settings = RESOURCES["Api"]["Properties"]["AccessLogSettings"]
    # The latency is a number.
    line = json.loads(re.sub(r": (\$[\w.]+)", r': "\1"', settings["Format"]))

    assert settings["DestinationArn"] == "!AccessLog.Arn"
    assert line["requestId"] == "$context.requestId"
    assert {*line.values()} == {
        "$context.requestId",
        "$context.requestTime",
        "$context.identity.sourceIp",
        "$context.routeKey",
        "$context.path",
        "$context.status",
        "$context.responseLength",
        "$context.responseLatency",
        "$context.integrationLatency",
        "$context.integrationErrorMessage",
    }


def test_all_that_is_stored_is_encrypted_with_a_given_key() -> None:
    names = {
        "AWS::SQS::Queue": "KmsMasterKeyId",
        "AWS::SNS::Topic": "KmsMasterKeyId",
        "AWS::Logs::LogGroup": "KmsKeyId",
        "AWS::Events::EventBus": "KmsKeyIdentifier",
    }
    for resource in (*RESOURCES.values(), *RESPONDER["Resources"].values()):
        if resource["Type"] in names:
            given = "!KmsKeyArn" if resource.get("Condition") == "HasKmsKey" else OWN_KEY
            assert resource["Properties"][names[resource["Type"]]] == given, resource
            if resource["Type"] == "AWS::SQS::Queue" and given == OWN_KEY:
                assert resource["Properties"]["SqsManagedSseEnabled"] == NOT_WITH_OWN_KEY
    assert "KMSMasterKeyId" in RESOURCES["Table"]["Properties"]["SSESpecification"]


def test_every_function_that_reads_or_writes_what_is_stored_may_use_the_key() -> None:
    policy = RESOURCES["UseOfKey"]["Properties"]

    assert {*policy["Roles"]} == {f"!{name}Role" for name, function in FUNCTIONS.items() if statements(function)}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_may_do_named_things_to_the_resources_of_the_stack_alone(name: str) -> None:
    services = {f"!{name}.Arn": found["Type"].split("::")[1].lower() for name, found in RESOURCES.items()}
    services["!ModelKeySecret"] = "secretsmanager"
    for statement in statements(FUNCTIONS[name]):
        (service,) = {services[resource] for resource in listed(statement["Resource"])}
        assert all(action.startswith(f"{service}:") and "*" not in action for action in statement["Action"])
        assert statement["Action"] == sorted(set(statement["Action"]))


def test_only_functions_that_queue_jobs_know_the_queue() -> None:
    def may_send(function: dict[str, Any]) -> bool:
        return any("!ErasureQueue.Arn" in listed(statement["Resource"]) for statement in statements(function))

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


@pytest.mark.parametrize("document", [TEMPLATE, RESPONDER], ids=["stack", "responder"])
def test_a_backlog_does_not_take_all_of_the_accounts_concurrency(document: dict[str, Any]) -> None:
    sources = [
        event["Properties"]
        for resource in document["Resources"].values()
        for event in resource["Properties"].get("Events", {}).values()
        if event["Type"] == "SQS"
    ]

    assert sources
    for source in sources:
        limit = source["ScalingConfig"]["MaximumConcurrency"]
        assert 2 <= (TEMPLATE["Parameters"]["RunsAtOnce"]["Default"] if limit == "!RunsAtOnce" else limit) <= 20


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
    for function in ("QueueJobs", "PublishEvents"):
        stream = FUNCTIONS[function]["Events"]["Changes"]["Properties"]
        targets.append(stream["DestinationConfig"]["OnFailure"]["Destination"])
    targets += [*dead_letters_of_event_bridge(TEMPLATE)]
    dead_letters = {target.removesuffix(".Arn") for target in targets}
    watched = {
        alarm["Dimensions"][0]["Value"].removesuffix(".QueueName")
        for alarm in of_type("AWS::CloudWatch::Alarm").values()
        if alarm["MetricName"] == "ApproximateNumberOfMessagesVisible" and alarm["Statistic"] == "Maximum"
    }

    assert dead_letters == watched
    assert len(watched) == 8


@pytest.mark.parametrize("document", [TEMPLATE, RESPONDER], ids=["stack", "responder"])
def test_event_bridge_may_send_to_each_dead_letter_queue_that_it_has(document: dict[str, Any]) -> None:
    allowed = {
        (statement["Principal"]["Service"], resource, *statement["Condition"]["ArnEquals"].values())
        for policy in of_type("AWS::SQS::QueuePolicy", document).values()
        for statement in policy["PolicyDocument"]["Statement"]
        if "ArnEquals" in statement["Condition"] and statement["Action"] == "sqs:SendMessage"
        for resource in listed(statement["Resource"])
    }

    expected = {
        ("events.amazonaws.com", queue, source) for queue, source in dead_letters_of_event_bridge(document).items()
    }
    assert expected
    assert expected <= allowed


def test_the_bus_has_a_dead_letter_queue_when_it_is_encrypted() -> None:
    assert (
        RESOURCES["Events"]["Properties"]["DeadLetterConfig"]
        == "!If HasKmsKey {'Arn': '!UnroutedEvents.Arn'} !AWS::NoValue"
    )
    for name in ("UnroutedEvents", "UnroutedEventsPolicy", "EventsUnrouted"):
        assert RESOURCES[name]["Condition"] == "HasKmsKey"


def test_the_responder_may_read_from_a_queue_that_is_encrypted() -> None:
    responder = template.read(ROOT / "examples" / "responder" / "template.yaml")["Resources"]["Responder"]
    (choice,) = [policy["Fn::If"] for policy in responder["Properties"]["Policies"] if "Fn::If" in policy]
    condition, policy, otherwise = choice

    assert (condition, otherwise) == ("HasKmsKey", {"Ref": "AWS::NoValue"})
    assert policy["Statement"] == [
        {
            "Effect": "Allow",
            "Action": "kms:Decrypt",
            "Resource": {"Ref": "KmsKeyArn"},
            "Condition": {"StringEquals": {"kms:ViaService": {"Fn::Sub": "sqs.${AWS::Region}.amazonaws.com"}}},
        }
    ]


@pytest.mark.parametrize(
    ("function", "queue"),
    [("EraseThread", "ErasureQueue"), ("IngestMessage", "Commands"), ("IngestMessage", "FifoCommands")],
)
def test_one_message_that_always_fails_raises_an_alarm_before_its_queue_gives_it_up(function: str, queue: str) -> None:
    alarm, source = RESOURCES[f"{function}Fails"]["Properties"], RESOURCES[queue]["Properties"]
    pause = source["VisibilityTimeout"]

    assert (alarm["MetricName"], alarm["Dimensions"]) == ("Errors", [{"Name": "FunctionName", "Value": f"!{function}"}])
    assert alarm["Period"] > pause, "no failure in a period would end the alarm"
    assert alarm["Period"] * (alarm["EvaluationPeriods"] + 1) < pause * source["RedrivePolicy"]["maxReceiveCount"]


def test_a_few_slow_requests_at_night_raise_no_alarm() -> None:
    percentiles = [alarm for alarm in of_type("AWS::CloudWatch::Alarm").values() if "ExtendedStatistic" in alarm]

    assert percentiles
    assert {alarm["EvaluateLowSampleCountPercentile"] for alarm in percentiles} == {"ignore"}


def test_a_stream_that_takes_long_raises_no_alarm() -> None:
    """The alarm of slow requests measures all routes but those of runs."""
    latency, alarm = RESOURCES["RequestLatency"]["Properties"], RESOURCES["RequestsSlow"]["Properties"]
    (metric,) = latency["MetricTransformations"]
    assert (metric["MetricNamespace"], metric["MetricName"]) == (alarm["Namespace"], alarm["MetricName"])
    assert (latency["LogGroupName"], metric["MetricValue"]) == ("!AccessLog", "$.milliseconds")
    log_format = RESOURCES["Api"]["Properties"]["AccessLogSettings"]["Format"]
    assert '"milliseconds": $context.responseLatency,' in log_format, "the value of a metric is a number"

    endings = tuple(re.findall(r'\(\$\.route != "\*([^"]+)"\)', latency["FilterPattern"]))
    routes = [
        (name, event["Properties"]["Path"].endswith(endings))
        for name, function in FUNCTIONS.items()
        for event in function["Events"].values()
        if event["Type"] == "HttpApi" and "Path" in event["Properties"]
    ]
    assert {name for name, is_left_out in routes if is_left_out} == {"Runs"}
    assert all(is_left_out for name, is_left_out in routes if name == "Runs")


def test_a_function_that_queues_for_itself_is_not_stopped_as_a_loop() -> None:
    """Lambda stops a function that invokes itself 16 times through a queue, unless `RecursiveLoop` is `Allow`."""
    loops = {
        name
        for name, function in FUNCTIONS.items()
        for event in function["Events"].values()
        for statement in statements(function)
        if event["Type"] == "SQS"
        and "sqs:SendMessage" in statement["Action"]
        and event["Properties"]["Queue"] in listed(statement["Resource"])
    }

    assert loops == {"EraseThread"}
    assert {name for name, function in FUNCTIONS.items() if function.get("RecursiveLoop") == "Allow"} == loops


def test_a_warning_of_the_importer_does_not_roll_a_deployment_back() -> None:
    """API Gateway warns about names of path parameters that differ, which is nothing here."""
    assert "FailOnWarnings" not in RESOURCES["Api"]["Properties"]


def test_every_alarm_is_published() -> None:
    for alarm in of_type("AWS::CloudWatch::Alarm").values():
        assert alarm["AlarmActions"] == alarm["OKActions"] == ["!Alarms"]
        assert alarm["AlarmDescription"]
        assert alarm["TreatMissingData"] == "notBreaching"


def test_what_the_responder_could_not_answer_raises_an_alarm() -> None:
    (alarm,) = of_type("AWS::CloudWatch::Alarm", RESPONDER).values()

    assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": "!Unanswered.QueueName"}]
    assert alarm["AlarmActions"] == alarm["OKActions"] == "!If HasAlarmTopic ['!AlarmTopicArn'] !AWS::NoValue"


@pytest.mark.parametrize(
    "parameters",
    [{}, {"WebhookUrl": "https://example.com"}, {"KmsKeyArn": "arn"}, {"ModelUrl": "https://model.example/v1"}],
)
def test_the_dashboard_shows_each_function_queue_and_alarm(parameters: dict[str, str]) -> None:
    document = template.read()
    resolver = template._Resolver(document, parameters)
    body = resolver.resolve(document["Resources"]["Dashboard"]["Properties"]["DashboardBody"])

    widgets = json.loads(body)["widgets"]
    lines = {
        widget["properties"]["title"]: [
            [value for value in line if isinstance(value, str)][-1] for line in widget["properties"].get("metrics", [])
        ]
        for widget in widgets
    }
    queues, alarms = (
        {name for name in of_type(kind) if resolver.exists(name)}
        for kind in ("AWS::SQS::Queue", "AWS::CloudWatch::Alarm")
    )
    for title in ("Invocations", "Duration, p99, milliseconds", "Errors of functions", "Throttled functions"):
        assert sorted(lines[title]) == sorted(map(resolver.name, filter(resolver.exists, FUNCTIONS))), title
    shown = {*lines["Oldest message of a queue, seconds"], *lines["Dead letters"]}
    assert shown == {f"{resolver.name(name)}.QueueName" for name in queues}
    assert {arn.rpartition(":")[2] for arn in widgets[-1]["properties"]["alarms"]} == {*map(resolver.name, alarms)}
    assert not [widget for widget in widgets if widget["x"] + widget["width"] > 24]


def test_what_the_functions_count_is_what_the_dashboard_shows() -> None:
    (counted,) = re.findall(r"^_COUNTED = (.*)$", (ROOT / "shared" / "responses.py").read_text(), re.MULTILINE)
    body = str(RESOURCES["Dashboard"]["Properties"]["DashboardBody"])
    namespace = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]["METRICS_NAMESPACE"].removeprefix("!")

    shown = {*re.findall(rf'"{re.escape(namespace)}", "(\w+)"', body)}
    filtered = {
        metric["MetricTransformations"][0]["MetricName"] for metric in of_type("AWS::Logs::MetricFilter").values()
    }
    assert shown - filtered == {*ast.literal_eval(counted)}


def test_a_domain_leads_to_the_api_only_when_one_is_given() -> None:
    for name in ("CustomDomain", "CustomDomainMapping"):
        assert RESOURCES[name]["Condition"] == "HasDomain"
    assert RESOURCES["CustomDomainRecord"]["Condition"] == "HasHostedZone"
    assert RESOURCES["CustomDomainMapping"]["Properties"]["ApiId"] == "!Api"


def test_the_stream_is_filtered_by_what_makes_work_for_the_eraser_or_the_model() -> None:
    events = FUNCTIONS["QueueJobs"]["Events"]["Changes"]["Properties"]
    patterns = [json.loads(entry["Pattern"]) for entry in events["FilterCriteria"]["Filters"]]

    present = [{"exists": True}]
    assert patterns == [
        {"dynamodb": {"NewImage": {"state": {"S": ["erasing"]}}}},
        {
            "eventName": ["REMOVE", "MODIFY"],
            "dynamodb": {
                "Keys": {"messageId": {"S": [{"prefix": "msg_"}, {"prefix": "asst_"}]}},
                "OldImage": {"parts": {"M": {"count": {"N": present}}}},
            },
        },
        {
            "eventName": ["INSERT", "MODIFY"],
            "dynamodb": {
                "Keys": {"messageId": {"S": [{"prefix": "run_"}]}},
                "NewImage": {"status": {"S": ["queued"]}},
            },
        },
    ]


def test_without_a_model_nothing_of_runs_exists() -> None:
    """tests/local/test_template.py holds which functions, queues and variables are left."""
    of_runs = {name for name, found in RESOURCES.items() if found.get("Condition") == "HasModel"}

    functions = {"Assistants", "Runs", "ExecuteRun"}
    alarms = {"RunsFail", "ExecuteRunFails", "RunsBehind", "RunsUnexecuted"}
    logs = {f"{name}Log" for name in functions}
    assert of_runs == functions | alarms | logs | {"ModelDependencies", "RunQueue", "UnexecutedRuns", "FailedRuns"}
    assert {name for name, function in FUNCTIONS.items() if "Layers" in function} == {"ExecuteRun"}
    (stream,) = (found.streams[0] for found in template.load().functions if found.name == "QueueJobs")
    assert len(stream.patterns) == 2


def test_a_run_has_all_of_its_time_and_its_message_comes_again_only_when_that_is_over() -> None:
    queue = RESOURCES["RunQueue"]["Properties"]

    assert seconds("ExecuteRun") > SECONDS_TO_EXPIRY
    assert queue["VisibilityTimeout"] > seconds("ExecuteRun")
    assert queue["RedrivePolicy"]["maxReceiveCount"] * worker._PAUSE_SECONDS > SECONDS_TO_EXPIRY


def test_a_run_that_waits_too_long_raises_an_alarm_well_before_it_expires() -> None:
    for name in ("RunsBehind", "StreamBehind"):
        alarm = RESOURCES[name]["Properties"]
        assert alarm["Period"] * alarm["EvaluationPeriods"] <= SECONDS_TO_EXPIRY / 2


def test_the_alarm_of_failed_runs_counts_the_lines_that_are_logged() -> None:
    """tests/runs/test_run_log.py holds which lines these are."""
    counted, alarm = RESOURCES["FailedRuns"]["Properties"], RESOURCES["RunsFail"]["Properties"]

    assert counted["LogGroupName"] == "!ExecuteRunLog"
    assert counted["FilterPattern"] == '{ ($.level = "ERROR") && ($.message = "run") }'
    (metric,) = counted["MetricTransformations"]
    assert (metric["MetricNamespace"], metric["MetricName"]) == (alarm["Namespace"], alarm["MetricName"])


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
        read = {str(value).removeprefix("!") for value in variables.values()} & TEMPLATE["Parameters"].keys()
        described = {*re.findall(r"\${(\w+)}", function["VersionDescription"].removeprefix("!"))}
        assert described == read | {"SnapStart", "Runs"}


def test_functions_are_compiled_for_the_python_that_runs_them() -> None:
    makefile = (ROOT / "Makefile").read_text()

    assert set(re.findall(r"--python-version ([0-9.]+)", makefile)) == {
        TEMPLATE["Globals"]["Function"]["Runtime"].removeprefix("python")
    }
