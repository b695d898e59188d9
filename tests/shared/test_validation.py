"""How pydantic's errors become the API's: the kinds that no body of threads and messages has."""

from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, StringConstraints

from shared.errors import WireError
from shared.models import Model
from shared.validation import validate
from tests.support.expected import error, invalid, unknown, wrong_type


class Cat(Model):
    type: Literal["cat"]
    cat: str = ""


class Dog(Model):
    type: Literal["dog"]


class Kennel(Model):
    name: Annotated[str, StringConstraints(min_length=1)] = "a"
    size: Annotated[float, Field(ge=0, le=2)] = 1.0
    open: bool = True
    legs: Annotated[int, Field(multiple_of=4)] = 4
    animals: list[Annotated[Cat | Dog, Field(discriminator="type")]] | None = None


_SHORT = (
    "Invalid 'name': string too short. Expected a string with minimum length 1, but got a string with length 0 instead."
)


def _out_of_range(which: str, rule: str, value: float) -> dict[str, Any]:
    message = f"Invalid 'size': decimal {which} value. Expected a value {rule}, but got {value} instead."
    return error(message, "size", f"decimal_{which[:9].replace(' ', '_')}_value")


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"name": ""}, error(_SHORT, "name", "string_below_min_length")),
        ({"size": -0.5}, _out_of_range("below minimum", ">= 0", -0.5)),
        ({"size": 2.5}, _out_of_range("above maximum", "<= 2", 2.5)),
        ({"size": "1"}, wrong_type("size", "a number", "a string")),
        ({"open": 1}, wrong_type("open", "a boolean", "an integer")),
        ({"legs": 3}, invalid("legs", "the value is not allowed.")),
        ({"animals": [{"type": "cat", "cat": 1}]}, wrong_type("animals[0].cat", "a string", "an integer")),
        ({"animals": [{"type": "dog", "dog": {}}]}, unknown("animals[0].dog")),
    ],
)
def test_each_kind_of_error_has_the_path_and_code_of_the_contract(body: dict[str, Any], error: dict[str, Any]) -> None:
    with pytest.raises(WireError) as raised:
        validate(Kennel, body)

    assert (raised.value.status, raised.value.body) == (400, error)
