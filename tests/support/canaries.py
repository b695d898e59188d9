"""What must never be emitted: keys, contents, metadata. Noted as tests send them, looked for in all that is written.

That is what the functions log, at the level of a deployment, what any other logger and every print writes, errors that
are answered, and what a local API writes to its terminal. A test during which one of them is found fails.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

# Values below these keys of a body are a client's own business, but for what the contract enumerates.
_PRIVATE = {"content", "metadata", "attachments", "tool_resources"}
_PRIVATE |= {"instructions", "additional_instructions", "arguments", "output"}  # of runs and their functions
_ENUMERATED = {"type", "detail", "role"}
# Shorter ones, or those of so few characters, are found by chance, as "first" is in the name of a function. The shared
# builders' is not.
_SHORTEST, _FEWEST = 8, 3
_OF_THE_BUILDERS = "hello"
# Ids are in the paths that are logged, also where metadata names an object.
_ID = re.compile("(thread|msg|run|asst)_[0-9A-Z]{26}")
# Enough to know a text by, of a text that may have 256,000 characters.
_LENGTH = 40
_KEPT_OF_OUTPUT = 20_000

_secrets: set[str] = set()
_sent: set[str] = set()
_of_this_test: set[str] = set()


def note_key(secret: str) -> None:
    """Note an API key: what follows its prefix."""
    if len(secret) > _SHORTEST + len("sk-"):
        _secrets.add(secret.removeprefix("sk-"))


def note_body(body: str, *, in_base64: bool = False) -> set[str]:
    """Note what a body in JSON holds that is private; return that."""
    try:
        text = base64.b64decode(body).decode() if in_base64 else body
        value = json.loads(text)
        # What stands elsewhere too, such as in a role that there is not, may be told.
        found = set(_words(value, private=False)) - set(_elsewhere(value))
    except (ValueError, RecursionError, binascii.Error):
        return set()
    _of_this_test.update(found)
    return found


def note_sent(body: str) -> None:
    """Note what a body that goes over HTTP holds that is private."""
    _sent.update(note_body(body))


def leaked(output: str, words: Iterable[str]) -> list[str]:
    """Return which of the words, and of all keys, an output holds, as they are or escaped."""
    forms = {form: word for word in words for form in (word, json.dumps(word)[1:-1], repr(word)[1:-1])}
    return sorted({word for form, word in forms.items() if form in output} | {key for key in _secrets if key in output})


def check_error(text: str, words: set[str]) -> None:
    """Assert that an error that is answered repeats nothing private of the request."""
    found = leaked(text, words)
    assert not found, f"an error holds {found}: {text}"


def check_terminal(output: str) -> None:
    """Assert that what a process wrote holds nothing of what was ever sent to one."""
    found = leaked(output, _sent)
    assert not found, f"{found} in what was written: {output[:_KEPT_OF_OUTPUT]}"


def checked(report: pytest.TestReport) -> pytest.TestReport:
    """Return the report of a test's phase, failed when one of them is in what was written during it."""
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
    """Tell whether a text would not be found by chance, as a row of one letter is in a long path."""
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
