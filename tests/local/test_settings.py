"""What may be set for the local API, and the one line for what may not."""

from pathlib import Path

import pytest

from tools.local.settings import PresetKey, Settings, SettingsError, read


def test_nothing_set_is_memory_on_port_8000() -> None:
    assert read({}) == Settings(port=8000, api_keys=(), data=None, dynamodb_url=None, allowed_origins="")


def test_empty_is_not_set() -> None:
    assert read({"PORT": "", "API_KEYS": "", "DATA": "", "DYNAMODB_URL": "", "ALLOWED_ORIGINS": ""}) == read({})


def test_an_example_is_asked_for_by_1() -> None:
    assert read({"EXAMPLE": "1"}).example
    assert not read({"EXAMPLE": "0"}).example
    with pytest.raises(SettingsError, match=r"^EXAMPLE is 1, or not set$"):
        read({"EXAMPLE": "yes"})


def test_everything_can_be_set() -> None:
    keys = " alpha=sk-alpha, beta+trusted=sk=beta+1"
    origins = "https://a.example, http://b.example:8080"
    assert read({"PORT": "0", "API_KEYS": keys, "DATA": "some/folder", "ALLOWED_ORIGINS": origins}) == Settings(
        port=0,
        api_keys=(
            PresetKey("alpha", "sk-alpha", trusted=False),
            PresetKey("beta", "sk=beta+1", trusted=True),
        ),
        data=Path("some/folder"),
        dynamodb_url=None,
        allowed_origins=origins,
    )
    assert read({"DYNAMODB_URL": "http://127.0.0.1:1"}).dynamodb_url == "http://127.0.0.1:1"


@pytest.mark.parametrize("spec", ["x", "=x", "a=", "a=b,", "a+=b", "a+admin=b", "a=b c", "a=é", "a=b,c=b", ","])
def test_a_bad_key_spec_is_refused_without_repeating_it(spec: str) -> None:
    with pytest.raises(SettingsError, match=r"^API_KEYS") as caught:
        read({"API_KEYS": f"first=sk-first,{spec}"})
    assert "sk-first" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("port", ["x", "-1", "65536", "8000 ", "1e3", "٣"])
def test_a_bad_port_is_refused(port: str) -> None:
    with pytest.raises(SettingsError, match=r"^PORT is no number"):
        read({"PORT": port})


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://x", "http://", "http://a/b", "http://a b"])
def test_a_bad_url_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match=r"^DYNAMODB_URL is no URL"):
        read({"DYNAMODB_URL": url})


@pytest.mark.parametrize("origins", ["x", "https://a.example/", "null", "https://a.example,", "https://*", "*,x"])
def test_an_origin_that_no_browser_sends_is_refused(origins: str) -> None:
    with pytest.raises(SettingsError, match=r"^ALLOWED_ORIGINS is no list"):
        read({"ALLOWED_ORIGINS": origins})


def test_a_folder_and_a_url_exclude_each_other() -> None:
    with pytest.raises(SettingsError, match=r"^set DATA or DYNAMODB_URL, not both$"):
        read({"DATA": "x", "DYNAMODB_URL": "http://a"})
