"""How the environment names the model's endpoint."""

from collections.abc import Iterator

import pytest

from shared.runs import endpoint as endpoints
from shared.runs.endpoint import Endpoint, parse_model_map

VARIABLES = ("MODEL_URL", "MODEL_API_KEY", "MODEL_KEY_SECRET", "MODEL_MAP", "MODEL_CONTEXT", "MAX_TOKENS_PARAMETER")


@pytest.fixture(autouse=True)
def each_test_reads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    endpoints.endpoint.cache_clear()
    yield
    endpoints.endpoint.cache_clear()


@pytest.mark.parametrize("unset", [{}, dict.fromkeys(VARIABLES[1:], "")], ids=["absent", "empty"])
def test_the_url_is_enough(monkeypatch: pytest.MonkeyPatch, unset: dict[str, str]) -> None:
    for name, value in (unset | {"MODEL_URL": "http://model/v1"}).items():
        monkeypatch.setenv(name, value)

    assert endpoints.endpoint() == Endpoint("http://model/v1", "", "", {}, None, "max_tokens")


def test_every_setting_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    values = ("http://model/v1", "sk-1", "arn:aws:x", "gpt-4o=my-model, *=other", "8000", "max_completion_tokens")
    for name, value in zip(VARIABLES, values, strict=True):
        monkeypatch.setenv(name, value)

    assert endpoints.endpoint() == Endpoint(
        "http://model/v1", "sk-1", "arn:aws:x", {"gpt-4o": "my-model", "*": "other"}, 8000, "max_completion_tokens"
    )


@pytest.mark.parametrize(
    ("text", "models"),
    [
        ("", {}),
        (" a = b ,, *=c:7b=x,", {"a": "b", "*": "c:7b=x"}),
        ("ft:gpt-4o:org::1=openai/gpt-4o", {"ft:gpt-4o:org::1": "openai/gpt-4o"}),
    ],
)
def test_a_map_of_models_is_a_list_of_pairs(text: str, models: dict[str, str]) -> None:
    assert parse_model_map(text) == models


@pytest.mark.parametrize("pair", ["gpt-4o", "=a", "gpt-4o="])
def test_a_malformed_pair_is_named(pair: str) -> None:
    with pytest.raises(ValueError, match=f"^'{pair}' is not of the form asked=used"):
        parse_model_map(f"a=b,{pair}")


def test_an_endpoint_is_shown_without_its_key_and_url() -> None:
    assert f"{Endpoint('http://user:password@model', 'sk-1')!r}" == "Endpoint(…)"
