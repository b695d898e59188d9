"""Reads saved files with objects, list pages and JSON arrays, one on each line or over several lines."""

import codecs
import io
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

from shared.errors import body_not_json
from tools.transfer.errors import RefusedError

STDIN = "-"
# The limit of characters of a line, or of a file whose JSON spans several lines. A page of 100 of the longest messages
# has less than half of this.
_LONGEST = 64 * 1024 * 1024
# The depth of objects in an array of pages.
_LEVELS = 2
_ARCHIVES = {b"PK\x03\x04": "a zip archive", b"\x1f\x8b": "a gzip archive", b"BZh": "a bzip2 archive"}
_BLANK = re.compile(r"\s*")

Refuse = Callable[[str, str], None]
Advance = Callable[[int], None]


class Candidate(NamedTuple):
    """A JSON value that should be a thread, message or assistant, or the RefusedError of a text that is not JSON.

    `source` is the place of the page, array or file that contains the value. `rest` is set for the last value of a page
    with `has_more`: "older" or "newer" messages follow it.
    """

    place: str
    source: str
    value: Any
    in_page: bool = False
    rest: str = ""


def expand(names: Iterable[str], refuse: Refuse) -> list[str]:
    """Return the files with these names, and the files in folders with these names, except hidden files."""
    files = []
    for name in names:
        folder = Path(name)
        if name == STDIN or not folder.is_dir():
            files.append(name)
            continue
        inside = [path for path in folder.rglob("*") if path.is_file() and not _is_hidden(path.relative_to(folder))]
        files += map(str, sorted(inside, key=_in_natural_order))
        if not inside:
            refuse(name, "the folder has no files")
    return files


def size(names: Iterable[str]) -> int | None:
    """Return the total bytes of all files, or None if standard input is among them."""
    return None if STDIN in names else sum(Path(name).stat().st_size for name in names)


def read(name: str, advance: Advance) -> Iterator[Candidate]:
    """Yield the values in a file. `advance` gets the bytes read."""
    with sys.stdin.buffer if name == STDIN else Path(name).open("rb") as file:
        yield from objects(name, file, advance)


def objects(name: str, file: IO[bytes], advance: Advance) -> Iterator[Candidate]:
    """Yield the values in an open file, as `read` does. Each place begins with `name`."""
    name = name.encode(errors="backslashreplace").decode()  # a file's name need not be UTF-8
    try:
        with _decoded(file) as text:
            for number, value in _values(_lines(text, advance)):
                place = f"{name}:{number}" if number else name
                yield from _objects(Candidate(place, name, value), 0)
    except UnicodeDecodeError:
        yield Candidate(name, name, RefusedError("it begins as UTF-16, but is not UTF-16 to its end"))
    except RefusedError as error:
        yield Candidate(name, name, error)


def _objects(candidate: Candidate, level: int) -> Iterator[Candidate]:
    """Yield the value, or, if it is a list page or an array, the values in it."""
    value = candidate.value
    in_page = isinstance(value, dict) and value.get("object", "list") == "list" and isinstance(value.get("data"), list)
    values = value["data"] if in_page else value
    if level > _LEVELS or not isinstance(values, list):
        yield candidate
        return
    for number, child in enumerate(values, start=1):
        place = f"{candidate.place}{', ' if level else ': '}{_name(child)} {number}"
        rest = _rest(values) if in_page and value.get("has_more") is True and number == len(values) else ""
        yield from _objects(Candidate(place, candidate.place, child, in_page, rest), level + 1)


def _name(value: Any) -> str:
    kind = value.get("object") if isinstance(value, dict) else None
    return {"list": "page", "thread": "thread", "thread.message": "message", "assistant": "assistant"}.get(
        str(kind), "item"
    )


def _rest(values: list[Any]) -> str:
    first, last = (value.get("created_at") if isinstance(value, dict) else None for value in (values[0], values[-1]))
    return "newer" if isinstance(first, int) and isinstance(last, int) and first < last else "older"


@contextmanager
def _decoded(file: IO[bytes]) -> Iterator[io.TextIOWrapper]:
    """Decode a file. Bytes that are not UTF-8 become lone surrogates, so that their line can be refused."""
    with io.BufferedReader(cast("io.RawIOBase", file)) as buffered:
        start = buffered.peek(4)
        for magic, kind in _ARCHIVES.items():
            if start.startswith(magic):
                raise RefusedError(f"it is {kind}: extract it first")
        is_utf_16 = start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        encoding, errors = ("utf-16", "strict") if is_utf_16 else ("utf-8", "surrogateescape")
        with io.TextIOWrapper(buffered, encoding, errors, newline="\n") as text:
            yield text


def _lines(text: IO[str], advance: Advance) -> Iterator[str]:
    """Yield the lines without byte order marks. If a line is too long, yield only its beginning."""
    while line := text.readline(_LONGEST):
        advance(len(line.encode(errors="surrogateescape")))
        yield line.removeprefix("\ufeff")
        while len(line) == _LONGEST and not line.endswith("\n"):
            line = text.readline(_LONGEST)
            advance(len(line))


def _values(lines: Iterator[str]) -> Iterator[tuple[int, Any]]:
    """Yield each JSON value, or its RefusedError, with the number of its line. 0 means that it is the whole file."""
    held = _start(lines)
    if held and _goes_on(held[-1]):
        rest = [*_until_too_long(lines)]
        held += rest
        values = [*_documents("".join(held))]
        if not isinstance(values[0][1], RefusedError) or not _has_object(next(filter(str.strip, rest), "")):
            is_whole = len(values) == 1 and not isinstance(values[0][1], RefusedError)
            yield from [(0, values[0][1])] if is_whole else values
            return
    for number, line in enumerate(chain(held, lines), start=1):
        for value in _of_line(line, number):
            yield number, value


def _start(lines: Iterator[str]) -> list[str]:
    """Return the lines up to the first one that is not blank."""
    start = []
    for line in lines:
        start.append(line)
        if line.strip():
            break
    return start


def _until_too_long(lines: Iterator[str]) -> Iterator[str]:
    length = 0
    for line in lines:
        yield line
        length += len(line)
        if length >= _LONGEST:
            return


def _documents(text: str, first: int = 1) -> Iterator[tuple[int, Any]]:
    """Yield the JSON values that follow one another in a text, each with the number of the line where it begins.

    `first` is the number of the text's first line.
    """
    decoder = json.JSONDecoder(parse_constant=_refuse_constant)
    end, line = 0, first
    try:
        text.encode()
        while (start := cast("re.Match[str]", _BLANK.match(text, end)).end()) < len(text):
            line += text.count("\n", end, start)
            value, end = decoder.raw_decode(text, start)
            yield line, value
            line += text.count("\n", start, end)
    except (ValueError, RecursionError, RefusedError) as error:
        if len(text) >= _LONGEST:
            yield line, RefusedError(f"it has more than {_LONGEST} characters")
            return
        if isinstance(error, json.JSONDecodeError):
            line = first - 1 + error.lineno
        yield line, RefusedError(_reason(error, line))


def _of_line(line: str, number: int = 1) -> list[Any]:
    """Return the JSON values of a line, or one RefusedError."""
    values = [value for _, value in _documents(line.rstrip(), number)]
    if not values or not isinstance(values[-1], RefusedError):
        return values
    at_the_end = "" if line.endswith("\n") or len(line) >= _LONGEST else " (the file ends in this line)"
    return [RefusedError(f"{values[-1]}{at_the_end}")]


def _has_object(line: str) -> bool:
    return any(isinstance(value, dict | list) for value in _of_line(line))


def _goes_on(line: str) -> bool:
    """Return whether a line ends between two tokens of JSON, like the first line of an indented file."""
    try:
        json.loads(line)
    except json.JSONDecodeError as error:
        return error.pos >= len(line.rstrip()) > 0
    except (ValueError, RecursionError):
        return False
    return False


def _reason(error: Exception, line: int) -> str:
    match error:
        case json.JSONDecodeError():
            said = str(body_not_json(error.msg, line, error.colno))
            return said[said.index("it is not") :].removesuffix(".")
        case UnicodeEncodeError():
            return "it is not UTF-8"
        case RecursionError():
            return "it is nested too deeply"
        case RefusedError():
            return str(error)
    return "it contains a number with too many digits"


def _refuse_constant(name: str) -> None:
    raise RefusedError(f"it is not valid JSON: invalid value {name}")


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _in_natural_order(path: Path) -> list[int | str]:
    """Return a key by which `page10.json` comes after `page2.json`."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", str(path))]
