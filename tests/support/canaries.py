"""Finds data that must never be emitted: keys, contents, metadata. Tests record what they send, and search all output.

The output is: the functions' logs at the level of a deployment, the lines of all other loggers and prints, the error
responses, and the terminal of a local API. A test fails if such data appears in the output during it.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

# Values below these keys of a body are private, except values that the contract enumerates.
_PRIVATE = {"content", "metadata", "attachments", "tool_resources"}
_PRIVATE |= {"instructions", "additional_instructions", "arguments", "output"}  # of runs and their functions
_ENUMERATED = {"type", "detail", "role"}
# A text that is shorter, or has fewer different characters, could be found by chance, as "first" in a function's name.
# The text that the shared builders of messages send is searched although it is short.
_SHORTEST, _FEWEST = 8, 3
_OF_THE_BUILDERS = "hello"
# Ids are not private, even as values of metadata: they are in the paths that are logged.
_ID = re.compile("(thread|msg|run|asst)_[0-9A-Z]{26}")
# The beginning of this length identifies a text, which may have 256,000 characters.
_LENGTH = 40
_KEPT_OF_OUTPUT = 20_000

_secrets: set[str] = set()
_sent: set[str] = set()
_of_this_test: set[str] = set()


def note_key(secret: str) -> None:
    """Record the part of an API key after its prefix."""
    if len(secret) > _SHORTEST + len("sk-"):
        _secrets.add(secret.removeprefix("sk-"))


def note_body(body: str, *, in_base64: bool = False) -> set[str]:
    """Record the private texts of a JSON body, and return them."""
    try:
        text = base64.b64decode(body).decode() if in_base64 else body
        value = json.loads(text)
        # A text may be emitted if the body also has it in a place that is not private, such as an unknown role.
        found = set(_words(value, private=False)) - set(_elsewhere(value))
    except (ValueError, RecursionError, binascii.Error):
        return set()
    _of_this_test.update(found)
    return found


def note_sent(body: str) -> None:
    """Record the private texts of a body that is sent over HTTP."""
    _sent.update(note_body(body))


def leaked(output: str, words: Iterable[str]) -> list[str]:
    """Return the words, and the recorded keys, that an output contains, plain or escaped."""
    forms = {form: word for word in words for form in (word, json.dumps(word)[1:-1], repr(word)[1:-1])}
    return sorted({word for form, word in forms.items() if form in output} | {key for key in _secrets if key in output})


def check_error(text: str, words: set[str]) -> None:
    """Assert that an error response repeats nothing private of the request."""
    found = leaked(text, words)
    assert not found, f"an error holds {found}: {text}"


def check_terminal(output: str) -> None:
    """Assert that the output of a process contains no private text that was ever sent over HTTP."""
    found = leaked(output, _sent)
    assert not found, f"{found} in what was written: {output[:_KEPT_OF_OUTPUT]}"


def checked(report: pytest.TestReport) -> pytest.TestReport:
    """Return the report of a test's phase. The report fails if the phase's output contains private data."""
    written = "\n".join(text for _, text in report.sections)
    if found := leaked(written, _of_this_test):
        before = f"{report.longreprtext}\n" if report.failed else ""
        report.outcome = "failed"
        report.longrepr = f"{before}written to a log or terminal: {found}"
    elif report.passed:
        report.sections = [(name, text[-_KEPT_OF_OUTPUT:]) for name, text in report.sections]
    if report.when == "teardown":
        _of_this_test.clear()
    return report


def _words(value: Any, *, private: bool) -> Iterator[str]:
    if isinstance(value, dict):
        for name, child in value.items():
            yield from _words(child, private=(private or name in _PRIVATE) and name not in _ENUMERATED)
    elif isinstance(value, list):
        for child in value:
            yield from _words(child, private=private)
    elif private and isinstance(value, str) and _is_telling(value):
        yield value[:_LENGTH]


def _is_telling(value: str) -> bool:
    """Return whether a text is distinctive. A row of one letter, for example, could be in a long path by chance."""
    if _ID.fullmatch(value):
        return False
    return value == _OF_THE_BUILDERS or (len(value) >= _SHORTEST and len(set(value[:_LENGTH])) > _FEWEST)


def _elsewhere(value: Any) -> Iterator[str]:
    """Yield all strings that are not private: names of fields, enumerated values, ids."""
    if isinstance(value, dict):
        for name, child in value.items():
            yield name
            if name not in _PRIVATE:
                yield from _elsewhere(child)
    elif isinstance(value, list):
        for child in value:
            yield from _elsewhere(child)
    elif isinstance(value, str):
        yield value[:_LENGTH]
