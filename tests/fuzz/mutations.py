"""Requests that nobody should send: good ones, each changed in one to three places by a seeded generator."""

import gzip
import json
import random
from collections.abc import Callable
from typing import Any, NamedTuple

from tools.local.gateway import MAX_BODY, MAX_EVENT

_ROUTES = (
    ("POST", "/threads"),
    ("GET", "/threads"),
    ("GET", "/threads/{thread}"),
    ("POST", "/threads/{thread}"),
    ("DELETE", "/threads/{thread}"),
    ("POST", "/threads/{thread}/messages"),
    ("POST", "/threads/{thread}/messages"),
    ("GET", "/threads/{thread}/messages"),
    ("GET", "/threads/{thread}/messages"),
    ("GET", "/threads/{thread}/messages/{message}"),
    ("POST", "/threads/{thread}/messages/{message}"),
    ("POST", "/threads/{thread}/messages/{message}"),
    ("DELETE", "/threads/{thread}/messages/{message}"),
    ("GET", "/openapi.json"),
)
_STEMS = ("", "/v1", "/v1", "/openai", "/openai/v1")
_OTHER_METHODS = ("PUT", "PATCH", "HEAD", "OPTIONS", "TRACE", "CONNECT", "get", "QUERY", "X" * 200)
_SURROGATE = "\ud800"
_PLAIN = {"role": "user", "content": "hello"}
_RICH = {
    "role": "assistant",
    "content": [
        {"type": "text", "text": "a"},
        {"type": "text", "text": {"value": "b", "annotations": []}},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "low"}},
        {"type": "image_file", "image_file": {"file_id": "file-1"}},
        {"type": "refusal", "refusal": "no"},
    ],
    "attachments": [{"file_id": "file-1", "tools": [{"type": "file_search"}]}],
    "metadata": {"user_id": "u-17", "b": ""},
    "run_id": "run_1",
    "status": "incomplete",
    "incomplete_details": {"reason": "max_tokens"},
}
_BODIES: tuple[Any, ...] = (
    _PLAIN,
    _PLAIN,
    _RICH,
    {"metadata": {"a": "b"}},
    {"content": "edited", "metadata": None},
    {"messages": [_PLAIN, _RICH], "metadata": {"user_id": "u"}, "tool_resources": {"file_search": {"x": [1.5, None]}}},
    {},
)
_STRANGE: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    2**64,
    10**300,
    1.5e308,
    -0.0,
    "",
    "\0",
    "\x7f\x1b[31m\u2028\ufeff\U0010ffff",
    _SURROGATE,
    "../../etc/passwd",
    "'; DROP TABLE x; --",
    "{{7*7}}${7*7}",
    "a" * 10_000,
    [],
    {},
    [[]],
    {"": ""},
    {"__proto__": {"a": 1}, "constructor": 1, "[key]": 1},
    {_SURROGATE: "a"},
    [None] * 1_000,
    {str(number): number for number in range(1_000)},
)
_FACE = "\N{GRINNING FACE}".encode()
# Bytes that are no UTF-8, overlong forms among them; what JSON has no place for; what parsers differ on.
_INSERTED = (
    *(b"\0", b"\xff", b"\xc0\x80", b"\xe0\x80\xaf", b"\xf8\x88\x80\x80\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80"),
    *rb"\u0000 \ud800 \udc00\ud800 \x41 NaN -Infinity // /**/ , ' 1e400 -1e400 1E-400 1. 0x1 } [".split(),
    *(b"\xef\xbb\xbf", b"9" * 5_000, b"0" * 500 + b"1", b'"', b"\r\n\t "),
)
_NUMBERS = (*b"1e400 NaN Infinity -0 1e-999".split(), b"9" * 4_300, b"9" * 4_301, b"0.1" + b"0" * 5_000)
_FIELDS = ("role", "content", "metadata", "type", "x", "", "\0", _SURROGATE, "content[0].text", "a" * 70, "a" * 5_000)
_STEPS = (
    *b". .. %2e%2e %00 %2F %252F %C0%AF %ED%A0%80 %FF%FE %zz % %3F %23a runs ;a=b ~ thread_abc123 msg_abc123".split(),
    *(b"thread_" + b"a" * length for length in (120, 121, 122)),
    *(b"msg_" + b"a" * length for length in (123, 124, 125)),
    *(b"", b"\xff\xfe", _FACE),
)
_PARAMETERS = (
    *b"limit order after before run_id metadata[user_id] metadata%5Buser_id%5D api-version".split() * 5,
    *b"metadata[] metadata[a limit[] && = %00 __proto__ \xff".split(),
    b"a" * 5_000,
)
_VALUES = (
    *b"0 1 100 101 -1 +1 1.0 1e2 %201 asc desc ASC %00 %FF %ED%A0%80 %C0%80 % a=b=c a;b run_1".split(),
    *(b"0" * 5_000 + b"1", b"9" * 5_000, b"a" * 10_000, "\N{ARABIC-INDIC DIGIT ONE}".encode(), _FACE, b""),
    *(b"msg_" + b"7" * 26, b"thread_" + b"Z" * 26),
)
_HEADERS: dict[str, tuple[bytes, ...]] = {
    "idempotency-key": (
        *(b"", b"same", b"same", b"same", b"k,k", b"a b~", b"\xc3\xa9", b"a\tb", b"\x7f"),
        *(b"k" * length for length in (1, 254, 255, 256, 8_000)),
    ),
    "content-type": (
        *b"text/plain x multipart/form-data application/xml application/json;charset=latin-1".split(),
        *(b"", b"/" * 1_000, b"text/plain; charset=utf-16"),
    ),
    "content-encoding": (b"gzip", b"br", b"identity, gzip"),
    "accept-encoding": (b"gzip", b"gzip;q=0", b"gzip;q=0.000,br", b"*", b"gzip;q=" + b"0" * 5_000),
    "authorization": (
        b"",
        b"Bearer",
        b"Bearer ",
        b"Bearer\t",
        b"Basic a:b",
        b"bearer \xff",
        b"Bearer sk-" + b"x" * 7_000,
    ),
    "api-key": (b"", b"sk-wrong", b"\xff"),
    "cookie": (b"a=b", b"; ".join([b"a=b"] * 200)),
    "accept": (b"", b"text/html"),
    "x-forwarded-for": (b"evil, 127.0.0.1",),
    "x-http-method-override": (b"DELETE",),
    "transfer-encoding": (b"identity",),
    "expect": (b"100-continue",),
    "range": (b"bytes=0-0",),
    "origin": (b"null", b"https://example.com"),
    "x-amz-date": (b"\xe9" * 2_000,),
}


class Ids(NamedTuple):
    """A thread with a message, and a thread of another project."""

    thread: str
    message: str
    foreign: str


class Sent(NamedTuple):
    """A request as it stands on the wire, without what frames it; `target` has the query."""

    method: str
    target: bytes
    headers: list[tuple[str, bytes]]
    body: bytes


Draw = random.Random


def request(draw: Draw, secrets: tuple[str, ...], ids: Ids) -> Sent:
    """Return the next request of this generator."""
    method, path = draw.choice(_ROUTES)
    path = draw.choice(_STEMS) + path.format(thread=ids.thread, message=ids.message)
    headers = [("host", b"localhost"), ("authorization", f"Bearer {draw.choice(secrets)}".encode())]
    body = json.dumps(draw.choice(_BODIES)).encode() if method == "POST" else b""
    sent = Sent(method, path.encode(), headers, body)
    for _ in range(draw.choice((1, 1, 2, 3))):
        sent = draw.choices(*_CHANGES)[0](draw, sent, ids)
    return sent


def _method(draw: Draw, sent: Sent, ids: Ids) -> Sent:
    return sent._replace(method=draw.choice(_OTHER_METHODS))


def _path(draw: Draw, sent: Sent, ids: Ids) -> Sent:
    path, mark, query = sent.target.partition(b"?")
    steps = path.split(b"/")
    place = draw.randrange(len(steps))
    step = steps[place]
    changed = (
        step.upper(),
        step + b"/",
        step + b"%20",
        step + b"%0d%0aSet-Cookie:a=b",
        step + b"x" * draw.choice((1, 95, 96, 97, 98, 99, 2_000)),
        step[: draw.randrange(len(step) + 1)],
        b"".join(b"%%%02x" % byte for byte in step),
        ids.foreign.encode(),
    )
    steps[place] = draw.choice(changed if draw.random() < 0.4 else _STEPS)
    return sent._replace(target=b"/".join(steps) + mark + query)


def _query(draw: Draw, sent: Sent, ids: Ids) -> Sent:
    values = (*_VALUES, *(value.encode() for value in ids))
    pairs = [draw.choice(_PARAMETERS) + b"=" + draw.choice(values) for _ in range(draw.choice((1, 1, 1, 2, 3)))]
    pairs *= draw.choice((1,) * 20 + (2, 500))
    # Servers, uvicorn and API Gateway among them, let no longer ones through to an application.
    query = b"&".join(pairs)[:60_000]
    return sent._replace(target=sent.target.partition(b"?")[0] + b"?" + query)


def _header(draw: Draw, sent: Sent, ids: Ids) -> Sent:
    name = draw.choice([*_HEADERS])
    kept = [pair for pair in sent.headers if pair[0] != name or draw.random() < 0.3]
    return sent._replace(headers=[*kept, (name, draw.choice(_HEADERS[name]))])


def _node(draw: Draw, sent: Sent, ids: Ids) -> Sent:
    """Put something strange at some place of the body."""
    try:
        body = json.loads(sent.body or b"{}")
    except (ValueError, RecursionError):
        return sent
    return sent._replace(body=json.dumps(_changed(draw, body)).encode())


def _changed(draw: Draw, value: Any) -> Any:
    if isinstance(value, dict) and value and draw.random() < 0.8:
        name = draw.choice([*value])
        return value | {name: _changed(draw, value[name])}
    if isinstance(value, list) and value and draw.random() < 0.8:
        place = draw.randrange(len(value))
        return [*value[:place], _changed(draw, value[place]), *value[place + 1 :]]
    strange = draw.choice(_STRANGE)
    if isinstance(value, dict) and draw.random() < 0.5:
        return value | {draw.choice(_FIELDS): strange}
    return strange


def _text(draw: Draw, sent: Sent, ids: Ids) -> Sent:
    """Spoil the body as text: what is no JSON, no UTF-8, or JSON that parsers differ on."""
    body = sent.body or b"{}"
    place = draw.randrange(len(body) + 1)
    before, after = body[:place], body[place:]
    spoiled = (
        *[before + draw.choice(_INSERTED) + after] * 4,
        *[before + bytes([draw.randrange(256)]) + after[1:]] * 2,
        before,
        body + body,
        body[:-1] + b"," + body[1:],
        b'{"role":"user","role":"assistant","content":"a","content":"","metadata":{"a":"b","a":1}}',
        b'{"tool_resources":{"a":%b},"metadata":{"a":%b}}' % (draw.choice(_NUMBERS), draw.choice(_NUMBERS)),
        body.decode(errors="replace").encode(draw.choice(("utf-16", "utf-32-le"))),
        gzip.compress(body),
        b"role=user&content=a",
        draw.randbytes(draw.choice((1, 10, 1_000))),
        draw.choice((b"null", b"true", b"1", b'"a"', b"[]", b"[{}]", b" ", b"\n", b"\xef\xbb\xbf{}")),
    )
    return sent._replace(body=draw.choice(spoiled))


def _bomb(draw: Draw, sent: Sent, ids: Ids) -> Sent:
    """Nest or repeat without end."""
    key = draw.choice((b'{"metadata":', b'{"content":', b'{"tool_resources":', b'{"a":'))
    depth = draw.choice((62, 63, 64, 65, 66, 500, 1_000, 20_000, 200_000))
    width = draw.choice((100, 10_000, 100_000))
    closed = draw.random() < 0.7
    bombs: tuple[Callable[[], bytes], ...] = (
        lambda: key + b"[" * depth + (b"]" * depth + b"}" if closed else b""),
        lambda: key + b'{"a":' * depth + b"1" + (b"}" * (depth + 1) if closed else b""),
        lambda: key + b"[" + b",".join([b"[]"] * width) + b"]}",
        lambda: key + b"[" + b",".join([b"{}"] * width) + b"]}",
        lambda: key + b"{" + b",".join(b'"%d":1' % number for number in range(width)) + b"}}",
        lambda: key + b"{" + b",".join([b'"a":1'] * width) + b"}}",
        lambda: b'{"role":"user","content":"' + b"\\ud83d\\ude00" * width + b'"}',
        lambda: b'{"role":"user","content":"' + b"\\" * width + b'"}',
    )
    return sent._replace(body=draw.choice(bombs)())


def _limit(draw: Draw, sent: Sent, ids: Ids) -> Sent:
    """Be at a limit, or one beside it."""
    off = draw.choice((-1, 0, 1))
    user = _PLAIN
    image = {"type": "image_url", "image_url": {"url": "h" * (2_048 + off)}}
    bodies: tuple[Callable[[], Any], ...] = (
        lambda: user | {"metadata": {str(number): "" for number in range(16 + off)}},
        lambda: user | {"metadata": {"k" * draw.choice((0, 1, 63, 64, 65)): "v"}},
        lambda: user | {"metadata": {"k": "\U0001f408" * (512 + off)}},
        lambda: user | {"content": [{"type": "text", "text": "a"}] * (64 + off)},
        lambda: user | {"content": [image]},
        lambda: user | {"content": [{"type": "image_file", "image_file": {"file_id": "f" * (128 + off)}}]},
        lambda: user | {"attachments": [{"file_id": "f"}] * (20 + off)},
        lambda: user | {"attachments": [{"tools": [{"type": "file_search"}] * (2 + off)}]},
        lambda: {"messages": [user] * (32 + off)},
        lambda: {"tool_resources": {"a": "b" * (16_384 - len('{"a":""}') + off)}},
    )
    return sent._replace(method="POST", body=json.dumps(draw.choice(bodies)()).encode())


def _largest(draw: Draw, sent: Sent, ids: Ids) -> Sent:
    """Be at a limit of megabytes, or one beside it."""
    off = draw.choice((-1, 0, 1))
    character = draw.choice(("a", "é", "\U0001f408"))
    text = {"role": "user", "content": character * (256_000 + off)}
    body = json.dumps(text, ensure_ascii=draw.random() < 0.5).encode()
    if draw.random() < 0.2:
        size = draw.choice((MAX_EVENT // 4 * 3 - 1_500, MAX_EVENT - 1_500, MAX_EVENT, MAX_BODY)) + off * draw.choice(
            (1, 500)
        )
        body = b'{"role":"user","content":"' + b"a" * (size - 28) + b'"}'
    return sent._replace(method="POST", body=body)


# The changes and how often each is made, in thousandths.
_CHANGES: tuple[list[Callable[[Draw, Sent, Ids], Sent]], list[int]] = (
    [_method, _path, _query, _header, _node, _text, _bomb, _limit, _largest],
    [40, 150, 170, 150, 200, 180, 45, 62, 3],
)
