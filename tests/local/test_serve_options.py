"""The values that `serve` accepts, as options or variables, and the one line for values that it refuses."""

from pathlib import Path
from typing import Any

import pytest

from shared.store import api_keys
from tests.support import program
from tools.local import server
from tools.local.options import ApiKey, ModelOptions, ServeOptions

_MODEL_NAMES = (
    "MODEL_URL",
    "MODEL_API_KEY",
    "MODEL_MAP",
    "MODEL_CONTEXT",
    "MAX_TOKENS_PARAMETER",
    "RUNS_AT_ONCE",
    "UNKNOWN_ASSISTANTS",
    "DEFAULT_INSTRUCTIONS",
)
_NAMES = ("PORT", "API_KEYS", "DATA", "DYNAMODB_URL", "EXAMPLE", "ALLOWED_ORIGINS", *_MODEL_NAMES)


@pytest.fixture(autouse=True)
def chosen(monkeypatch: pytest.MonkeyPatch) -> list[ServeOptions]:
    """Return the options of each `serve`, which serves nothing here. No variable is set."""
    served: list[ServeOptions] = []
    monkeypatch.setattr(server, "serve", served.append)
    for name in _NAMES:
        monkeypatch.delenv(name, raising=False)
    return served


def _refused(*arguments: str, **variables: str) -> str:
    """Return the line that says why nothing is served."""
    result = program.invoke("serve", *arguments, **variables)
    assert (result.exit_code, result.stdout) == (2, "")
    return result.stderr.splitlines()[-1]


def _option(name: str) -> str:
    return f"--{name.lower().replace('_', '-')}"


def test_nothing_set_is_memory_on_port_8000_and_empty_is_not_set(chosen: list[ServeOptions]) -> None:
    assert program.invoke("serve").exit_code == 0
    assert program.invoke("serve", **dict.fromkeys(_NAMES, "")).exit_code == 0
    assert chosen == [ServeOptions(8000)] * 2


@pytest.mark.parametrize("value", ["1", "0"])
def test_an_example_is_asked_for_by_1(chosen: list[ServeOptions], value: str) -> None:
    assert program.invoke("serve", EXAMPLE=value).exit_code == 0
    assert chosen == [ServeOptions(8000, example=value == "1")]


_ALPHA, _BETA = ApiKey("alpha", "sk-alpha"), ApiKey("beta", "sk=beta+1", trusted=True)


@pytest.mark.parametrize(
    ("variable", "arguments", "options"),
    [
        (("PORT", "0"), ("--port", "0"), {"port": 0}),
        (("DATA", "some/folder"), ("--data", "some/folder"), {"data": Path("some/folder")}),
        (("DYNAMODB_URL", "http://a:1/"), ("--dynamodb-url", "http://a:1/"), {"dynamodb_url": "http://a:1/"}),
        (
            ("ALLOWED_ORIGINS", "https://a.b, http://c:1"),
            ("--allowed-origins", "https://a.b, http://c:1"),
            {"allowed_origins": "https://a.b, http://c:1"},
        ),
        (("EXAMPLE", "1"), ("--example",), {"example": True}),
        (
            ("API_KEYS", " alpha=sk-alpha, beta+trusted=sk=beta+1"),
            ("--api-key", "alpha=sk-alpha", "--trusted-key", "beta=sk=beta+1"),
            {"api_keys": (_ALPHA, _BETA)},
        ),
    ],
)
def test_a_variable_and_its_option_say_the_same(
    chosen: list[ServeOptions], variable: tuple[str, str], arguments: tuple[str, ...], options: dict[str, Any]
) -> None:
    assert program.invoke("serve", *arguments).exit_code == 0
    assert program.invoke("serve", **dict([variable])).exit_code == 0
    expected = ServeOptions(**{"port": 8000} | options)
    assert chosen == [expected, expected]


@pytest.mark.parametrize("spec", ["x", "=x", "a=", "a=b,", "a+=b", "a+admin=b", "a=b c", "a=é", "a=b,c=b", ",", "A=b"])
def test_a_bad_key_is_refused_without_repeating_a_key(spec: str) -> None:
    line = _refused(API_KEYS=f"first=sk-first,{spec}")
    assert line.endswith(
        (
            "'API_KEYS'): an API key has the form project=key, or project+trusted=key in API_KEYS.",
            f"'API_KEYS'): {api_keys.PROJECT_RULE}",
            "Error: Two API keys are the same.",
        )
    )
    assert "sk-first" not in line


def test_a_key_without_a_project_is_told_the_form() -> None:
    form = "an API key has the form project=key, or project+trusted=key in API_KEYS."
    line = _refused(API_KEYS="alpha")
    assert line == f"Error: Invalid value for '--api-key' (env var: 'API_KEYS'): {form}"


def test_a_folder_and_a_url_exclude_each_other() -> None:
    line = _refused("--data", "x", DYNAMODB_URL="http://a")
    assert line == "Error: Set --data or --dynamodb-url, not both."


_MODEL_URL = "http://127.0.0.1:11434/v1"
_MODEL = ModelOptions(
    _MODEL_URL, "sk-1", "gpt-4o=mine, *=other", 8000, "max_completion_tokens", 9, "default", "Be kind."
)
_MODEL_VALUES = dict(zip(_MODEL_NAMES, map(str, _MODEL), strict=True))


def test_variables_and_options_of_the_model_say_the_same(chosen: list[ServeOptions]) -> None:
    options = [f"{_option(name)}={value}" for name, value in _MODEL_VALUES.items()]
    assert program.invoke("serve", *options).exit_code == 0
    assert program.invoke("serve", **_MODEL_VALUES).exit_code == 0
    assert chosen == [ServeOptions(8000, model=_MODEL)] * 2


@pytest.mark.parametrize("url", ["demo", _MODEL_URL])
def test_the_url_of_a_model_is_enough(chosen: list[ServeOptions], url: str) -> None:
    assert program.invoke("serve", "--model-url", url).exit_code == 0
    assert chosen == [ServeOptions(8000, model=ModelOptions(url))]


def test_without_a_url_the_other_variables_of_a_model_turn_nothing_on(chosen: list[ServeOptions]) -> None:
    assert program.invoke("serve", **_MODEL_VALUES | {"MODEL_URL": ""}).exit_code == 0
    assert chosen == [ServeOptions(8000)]


_NO_URL = "it is no URL like http://127.0.0.1:8000"


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        *[("PORT", port, "") for port in ("x", "-1", "65536", "1e3")],
        *[
            ("DYNAMODB_URL", url, _NO_URL)
            for url in ("localhost:8000", "ftp://x", "http://", "http://a/b", "http://a b")
        ],
        *[
            ("ALLOWED_ORIGINS", origins, "it is no list like ")
            for origins in ("x", "https://a.example/", "null", "https://a.example,", "https://*", "*,x")
        ],
        *[("MODEL_URL", url, "") for url in ("x", "ftp://a/v1", "https://", "https://a b", "https://me:secret@a/v1")],
        *[("MODEL_MAP", pairs, "") for pairs in ("x", "a=", "=b", "a=b,c")],
        *[("MODEL_CONTEXT", number, "") for number in ("-1", "x", "1.5")],
        ("MAX_TOKENS_PARAMETER", "tokens", ""),
        *[("RUNS_AT_ONCE", number, "") for number in ("1", "1001", "x")],
        ("UNKNOWN_ASSISTANTS", "accept", ""),
    ],
)
def test_a_bad_value_is_refused(name: str, value: str, reason: str) -> None:
    line = _refused(**{"MODEL_URL": "demo", name: value})
    assert line.startswith(f"Error: Invalid value for '{_option(name)}' (env var: '{name}'): {reason}")
    assert "secret" not in line


def test_a_default_for_unknown_assistants_needs_a_model() -> None:
    own = {"MODEL_URL": _MODEL_URL, "MODEL_MAP": "gpt-4o=mine", "UNKNOWN_ASSISTANTS": "default"}
    assert _refused(**own).endswith("add an entry for * to MODEL_MAP, such as *=my-model.")
    assert program.invoke("serve", "--model-map", "gpt-4o=mine,*=other", **own).exit_code == 0
    assert program.invoke("serve", "--model-url", "demo", **own).exit_code == 0


def test_the_help_names_every_variable_of_the_model() -> None:
    text = program.invoke("serve", "--help").stdout
    assert [name for name in _MODEL_NAMES if name not in text] == []
