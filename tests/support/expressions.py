"""Evaluates the DynamoDB expressions that the store uses: conditions of AND, of OR in parentheses, and SET."""

import re
from typing import Any

Item = dict[str, Any]

_EXISTS = re.compile(r"attribute_(not_)?exists\((\S+)\)")
_COMPARISON = re.compile(r"(\S+) (=|<=|<|>) (\S+)")
_DEFAULT = re.compile(r"if_not_exists\((\S+), (\S+)\)")
_ASSIGNMENTS = re.compile(r", (?![^(]*\))")


def holds(request: Item, item: Item | None) -> bool:
    """Return whether the condition of a write, if any, holds for the stored item."""
    condition = request.get("ConditionExpression", "")
    return not condition or all(
        any(_term(either, request, item or {}) for either in term.strip("()").split(" OR "))
        if " OR " in term
        else _term(term, request, item or {})
        for term in condition.split(" AND ")
    )


def written(kind: str, request: Item, item: Item | None) -> Item | None:
    """Return the stored item after a Put, Update, Delete or ConditionCheck."""
    if kind == "Put":
        put: Item = request["Item"]
        return put
    if kind == "Delete":
        return None
    return item if kind == "ConditionCheck" else _updated(request, item)


def _updated(request: Item, item: Item | None) -> Item:
    """Return the item after an update. Every right-hand side uses the values of the old item."""
    expression = request["UpdateExpression"]
    assert expression.startswith("SET "), expression
    new = {**(item or {}), **request["Key"]}
    for assignment in _ASSIGNMENTS.split(expression.removeprefix("SET ")):
        target, value = assignment.split(" = ")
        terms = [_value(term, request, item or {}) for term in value.split(" + ")]
        assert None not in terms, assignment
        new[_name(target, request)] = terms[0] if len(terms) == 1 else {"N": str(sum(int(term["N"]) for term in terms))}
    return new


def _term(term: str, request: Item, item: Item) -> bool:
    if exists := _EXISTS.fullmatch(term):
        return (_name(exists[2], request) in item) != bool(exists[1])
    comparison = _COMPARISON.fullmatch(term)
    assert comparison, term
    left, right = _value(comparison[1], request, item), _value(comparison[3], request, item)
    if left is None or right is None or left.keys() != right.keys():
        return False
    one, other = (int(value["N"]) if "N" in value else value["S"] for value in (left, right))
    return bool({"=": one == other, "<": one < other, "<=": one <= other, ">": one > other}[comparison[2]])


def _value(operand: str, request: Item, item: Item) -> Any:
    if default := _DEFAULT.fullmatch(operand):
        return item.get(_name(default[1], request)) or _value(default[2], request, item)
    if operand.startswith(":"):
        return request["ExpressionAttributeValues"][operand]
    return item.get(_name(operand, request))


def _name(name: str, request: Item) -> str:
    return str(request["ExpressionAttributeNames"][name]) if name.startswith("#") else name
