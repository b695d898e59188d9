"""Which records pass the filters of an event source mapping."""

from typing import Any

import pytest

from tools.local.filters import passes

_RECORD = {"eventName": "MODIFY", "dynamodb": {"Keys": {"id": {"S": "msg_1"}}, "NewImage": {"n": {"N": "1"}}}}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ({}, True),
        ({"eventName": ["INSERT", "MODIFY"]}, True),
        ({"eventName": ["INSERT"]}, False),
        ({"eventName": ["MODIFY"], "dynamodb": {"Keys": {"id": {"S": ["other"]}}}}, False),
        ({"dynamodb": {"Keys": {"id": {"S": [{"prefix": "msg_"}]}}}}, True),
        ({"dynamodb": {"Keys": {"id": {"S": [{"prefix": "run_"}]}}}}, False),
        ({"dynamodb": {"Keys": {"id": {"N": [{"prefix": "msg_"}]}}}}, False),
        ({"dynamodb": {"NewImage": {"n": {"N": [{"exists": True}]}}}}, True),
        ({"dynamodb": {"NewImage": {"n": {"N": [{"exists": False}]}}}}, False),
        ({"dynamodb": {"OldImage": {"n": {"N": [{"exists": True}]}}}}, False),
        ({"dynamodb": {"OldImage": {"n": {"N": [{"exists": False}]}}}}, True),
        ({"dynamodb": {"NewImage": {"n": [{"exists": True}]}}}, False),
    ],
    ids=str,
)
def test_a_record_passes_when_all_of_a_pattern_holds(pattern: dict[str, Any], expected: bool) -> None:
    assert passes([pattern], _RECORD) is expected


def test_one_pattern_of_several_is_enough() -> None:
    assert passes([{"eventName": ["INSERT"]}, {"eventName": ["MODIFY"]}], _RECORD)
    assert not passes([], _RECORD)


@pytest.mark.parametrize("rule", [{"anything-but": ["x"]}, {"prefix": "m", "exists": True}, 1])
def test_a_rule_that_is_not_known_is_not_guessed(rule: Any) -> None:
    with pytest.raises(ValueError, match="unknown rule"):
        passes([{"eventName": [rule]}], _RECORD)
