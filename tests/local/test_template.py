"""Reading a template with its references and conditions. Our own template can be read."""

from pathlib import Path

import pytest

from tools.local.template import Function, Route, load

_TEMPLATE = """
AWSTemplateFormatVersion: "2010-09-09"
Parameters:
  Days: {Type: Number, Default: 30}
  Email: {Type: String}
Conditions:
  HasEmail: !Not [!Equals [!Ref Email, ""]]
  Both: !And [!Condition HasEmail, !Equals [a, a]]
  Either: !Or [!Condition HasEmail, !Equals [1, "1"]]
Globals:
  Function:
    Timeout: 25
    MemorySize: 512
    Environment:
      Variables:
        TABLE_NAME: !Ref Table
        DAYS: !Ref Days
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    DeletionPolicy: Retain
    Properties:
      BillingMode: PAY_PER_REQUEST
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      StreamSpecification: {StreamViewType: NEW_IMAGE}
      TimeToLiveSpecification: {AttributeName: expires, Enabled: true}
      Tags: !If [HasEmail, [{Key: a, Value: b}], !Ref AWS::NoValue]
  Queue:
    Type: AWS::SQS::Queue
  Mails:
    Type: AWS::SQS::Queue
    Condition: HasEmail
  Letters:
    Type: AWS::SQS::Queue
    Condition: HasEmail
    Properties: {FifoQueue: true}
  Faxes:
    Type: AWS::SQS::Queue
    Condition: HasEmail
  Mail:
    Type: AWS::Serverless::Function
    Condition: HasEmail
    Properties:
      Handler: functions.mail.handler
      Events:
        Get: {Type: HttpApi, Properties: {Method: GET, Path: /mails}}
        Mails: {Type: SQS, Properties: {Queue: !GetAtt Mails.Arn, ScalingConfig: {MaximumConcurrency: 7}}}
        Letters: {Type: SQS, Properties: {Queue: !GetAtt Letters.Arn, ScalingConfig: {MaximumConcurrency: 7}}}
        Faxes: {Type: SQS, Properties: {Queue: !GetAtt Faxes.Arn}}
  Call:
    Type: AWS::Serverless::Function
    Properties:
      Handler: functions.call.handler
      Timeout: 5
      Policies: !Ref AWS::NoValue
      Environment:
        Variables:
          QUEUE_URL: !Ref Queue
          SAME_URL: !GetAtt Queue.QueueUrl
          QUEUE_ARN: !GetAtt Queue.Arn
          QUEUE_NAME: !GetAtt Queue.Name
          LONG: {"Fn::GetAtt": [Queue, Arn]}
          SUB: !Sub "${AWS::StackName}/${Days}/${Queue.Arn}/${!literal}"
          SUB_OWN: !Sub ["${x}-${AWS::Region}", {x: !Ref Days}]
          JOIN: !Join ["-", [a, !Ref Days]]
          IF: !If [HasEmail, yes, !If [Both, yes, "no"]]
          IF_EITHER: !If [Either, "yes", "no"]
          GONE: !If [Both, x, !Ref AWS::NoValue]
      Events:
        Get: {Type: HttpApi, Properties: {Method: get, Path: "/things/{id}"}}
        Rest: {Type: HttpApi}
        Daily: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(1 day)}}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "template.yaml"
    path.write_text(_TEMPLATE)
    return path


def test_a_template_is_read_with_every_reference_resolved(path: Path) -> None:
    template = load(path)
    assert template.table == {
        "TableName": "message-api-Table",
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    }
    assert (template.ttl_attribute, template.queues) == ("expires", ("message-api-Queue",))
    (function,) = template.functions
    url = "https://sqs.us-east-1.amazonaws.com/123456789012/message-api-Queue"
    arn = "arn:aws:sqs:us-east-1:123456789012:message-api-Queue"
    assert function == Function(
        name="Call",
        handler="functions.call.handler",
        timeout=5.0,
        memory=512,
        environment={
            "TABLE_NAME": "message-api-Table",
            "DAYS": "30",
            "QUEUE_URL": url,
            "SAME_URL": url,
            "QUEUE_ARN": arn,
            "QUEUE_NAME": "message-api-Queue.Name",
            "LONG": arn,
            "SUB": f"message-api/30/{arn}/${{literal}}",
            "SUB_OWN": "30-us-east-1",
            "JOIN": "a-30",
            "IF": "no",
            "IF_EITHER": "yes",
        },
        routes=(Route("GET", "/things/{id}"), Route("ANY", "$default")),
    )
    assert [route.key for route in function.routes] == ["GET /things/{id}", "$default"]
    assert template.environment == function.environment


def test_a_function_whose_condition_is_false_does_not_exist_nor_does_what_invokes_it(path: Path) -> None:
    without, with_email = load(path), load(path, {"Email": "a@example.com"})

    assert [function.name for function in without.functions] == ["Call"]
    assert without.queues == ("message-api-Queue",)
    (mail, _) = with_email.functions
    assert (mail.name, mail.routes) == ("Mail", (Route("GET", "/mails"),))
    assert [queue.name for queue in mail.queues] == [
        f"message-api-{name}" for name in ("Mails", "Letters.fifo", "Faxes")
    ]
    assert with_email.queues == ("message-api-Queue", *(queue.name for queue in mail.queues))
    assert [queue.concurrency for queue in mail.queues] == [7, 1, 1], "a FIFO queue has one thread"


@pytest.mark.parametrize("model_url", ["", "https://model.example/v1"])
def test_our_own_template_gives_no_variable_two_values(model_url: str) -> None:
    values: dict[str, set[str]] = {}
    for function in load(parameters={"ModelUrl": model_url}).functions:
        for name, value in function.environment.items():
            values.setdefault(name, set()).add(value)
    assert {name for name, different in values.items() if len(different) > 1} == set()


def test_our_own_template_has_assistants_and_runs_only_with_a_model() -> None:
    without, with_model = load(parameters={"ModelUrl": ""}), load(parameters={"ModelUrl": "https://model.example/v1"})

    assert without == load()
    assert not [name for name in without.environment if "MODEL" in name or "RUNS_" in name]
    functions = {function.name: function for function in with_model.functions}
    assert {*functions} - {function.name for function in without.functions} == {"Assistants", "Runs", "ExecuteRun"}
    assert {*with_model.queues} - {*without.queues} == {"message-api-RunQueue", "message-api-UnexecutedRuns"}
    assert (without.environment["RUNS"], with_model.environment["RUNS"]) == ("off", "on")
    assert {*with_model.environment} - {*without.environment} == {
        "DEFAULT_INSTRUCTIONS",
        "MAX_TOKENS_PARAMETER",
        "MODEL_CONTEXT",
        "MODEL_KEY_SECRET",
        "MODEL_MAP",
        "MODEL_URL",
        "RUNS_QUEUE_URL",
        "UNKNOWN_ASSISTANTS",
    }
    assert [len(functions[name].routes) for name in ("Assistants", "Runs")] == [8, 12]
    (queue,) = functions["ExecuteRun"].queues
    assert (queue.name, queue.dead_letters) == ("message-api-RunQueue", "message-api-UnexecutedRuns")
