"""Malformed requests: a seeded generator changes each valid request in one to three places."""

import gzip
import json
import random
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from tools.local import template
from tools.local.gateway import MAX_BODY, MAX_EVENT
from tools.openapi.routes import ROUTES

_ROUTES = [
    (route.method, route.path)
    for function in template.load().functions
    for route in function.routes
    for _ in range(1 + 2 * ("message" in route.path and route.method != "DELETE"))
    if "/" in route.path
]
_ROUTES += [
    (method, prefix + path) for _, method, path in ROUTES.values() for prefix in ("", "/v1", "/openai", "/openai/v1")
]
_METHODS = ("PUT", "PATCH", "HEAD", "OPTIONS", "TRACE", "CONNECT", "get", "QUERY", "X" * 200)
_PLAIN = {"role": "user", "content": "hello"}
_RICH = json.loads("""{
    "role": "assistant",
    "content": [
        {"type": "text", "text": "a"}, {"type": "text", "text": {"value": "b", "annotations": []}},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "low"}},
        {"type": "image_file", "image_file": {"file_id": "file-1"}}, {"type": "refusal", "refusal": "no"}
    ],
    "attachments": [{"file_id": "file-1", "tools": [{"type": "file_search"}]}],
    "metadata": {"user_id": "u-17", "b": ""},
    "run_id": "run_1", "status": "incomplete", "incomplete_details": {"reason": "max_tokens"}
}""")
_THREAD = {"messages": [_PLAIN, _RICH], "metadata": {"user_id": "u"}, "tool_resources": {"file_search": {"x": [1.5]}}}
_EDIT = {"content": "edited", "metadata": None}
_BODIES: list[Any] = [_PLAIN, _PLAIN, _RICH, {"metadata": {"a": "b"}}, _EDIT, _THREAD, {}]
_ASSISTANT = json.loads("""{
    "model": "gpt-4o", "name": "a", "description": "b", "instructions": "Be brief.", "temperature": 0.5, "top_p": 1,
    "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}, "strict": true}},
              {"type": "file_search"}],
    "tool_resources": {"file_search": {"vector_store_ids": ["vs_1"]}}, "metadata": {"a": "b"},
    "response_format": {"type": "json_schema", "json_schema": {"name": "s", "schema": {}}}, "reasoning_effort": "low"
}""")
_RUN: dict[str, Any] = {"assistant_id": "asst_abc123"}
_RUN_WITH_ALL = _ASSISTANT | json.loads("""{
    "assistant_id": "asst_abc123", "max_prompt_tokens": 256, "max_completion_tokens": 16, "parallel_tool_calls": false,
    "tool_choice": {"type": "function", "function": {"name": "f"}},
    "truncation_strategy": {"type": "last_messages", "last_messages": 1}
}""")
del _RUN_WITH_ALL["name"], _RUN_WITH_ALL["description"]
_MORE = {"additional_instructions": "Now.", "additional_messages": [_PLAIN, _PLAIN]}
# The bodies by the end of the path. Other paths get a body of _BODIES.
_BODIES_OF_RUNS: dict[str, list[Any]] = {
    "assistants": [_ASSISTANT, {"model": "m"}],
    "{assistantId}": [_ASSISTANT, {"name": None}],
    "runs": [_RUN, _RUN | _MORE, _RUN_WITH_ALL, _RUN | {"thread": _THREAD}, _RUN | {"stream": True}],
    "submit_tool_outputs": [{"tool_outputs": [{"tool_call_id": "call_abc123", "output": "sunny"}], "stream": False}],
}
# Values of other types, and texts with a special meaning for parsers, terminals, paths or queries.
_STRANGE: list[Any] = json.loads(r"""[
    null, true, 0, -1, 18446744073709551616, 1.5e308, -0.0, [], {}, [[]], {"": ""}, "", "\u0000", "\ud800",
    "\u007f\u001b[31m\u2028\ufeff\udbff\udfff", "../../etc/passwd", "'; DROP TABLE x; --", "{{7*7}}${7*7}",
    {"__proto__": {"a": 1}, "constructor": 1, "[key]": 1}, {"\ud800": "a"}
]""")
_STRANGE += [10**300, "a" * 10_000, [None] * 1_000, {str(number): number for number in range(1_000)}]
_FIELDS = ("role", "content", "metadata", "type", "x", "", "\0", "\ud800", "content[0].text", "a" * 70, "a" * 5_000)
# Bytes that are not UTF-8, including overlong forms; values that JSON does not have; and JSON on which parsers differ.
_INSERTED = rb"\u0000 \ud800 \udc00\ud800 \x41 NaN -Infinity // /**/ , ' 1e400 -1e400 1E-400 1. 0x1 } [".split()
_INSERTED += b"\0 \xff \xc0\x80 \xe0\x80\xaf \xf8\x88\x80\x80\x80 \xed\xa0\x80 \xf4\x90\x80\x80".split()
_INSERTED += [b"\xef\xbb\xbf", b"9" * 5_000, b"0" * 500 + b"1", b'"', b"\r\n\t "]
_NUMBERS = [*b"1e400 NaN Infinity -0 1e-999".split(), b"9" * 4_300, b"9" * 4_301, b"0.1" + b"0" * 5_000]
_STEPS = (
    b". .. %2e%2e %00 %2F %252F %C0%AF %ED%A0%80 %FF%FE %zz % %3F %23a runs ;a=b thread_abc123 msg_abc run_1".split()
)
_STEPS += [prefix + b"a" * length for prefix in (b"thread_", b"msg_") for length in range(120, 126)] + [b"", b"\xff"]
_PARAMETERS = b"limit order after before run_id metadata[user_id] metadata%5Buser_id%5D api-version".split() * 5
_PARAMETERS += [*b"metadata[] metadata[a limit[] && = %00 __proto__ \xff".split(), b"a" * 5_000]
_VALUES = b"0 1 100 101 -1 +1 1.0 1e2 %201 asc desc ASC %00 %FF %ED%A0%80 %C0%80 % a=b=c a;b run_1 %D9%A1".split()
_VALUES += [b"%F0%9F%98%80", b"0" * 5_000 + b"1", b"9" * 5_000, b"a" * 10_000, b""]
_VALUES += [b"msg_" + b"7" * 26, b"thread_" + b"Z" * 26]
_HEADERS: dict[str, list[bytes]] = {
    "idempotency-key": [
        b"",
        *[b"same"] * 3,
        b"k,k",
        b"a b~",
        b"\xc3\xa9",
        b"\x7f",
        *(b"k" * n for n in (254, 255, 256, 8_000)),
    ],
    "content-type": [
        *b"text/plain x application/xml application/json;charset=latin-1 text/plain;charset=utf-16".split(),
        b"",
    ],
    "content-encoding": [b"gzip", b"br", b"identity, gzip"],
    "accept-encoding": [b"gzip", b"gzip;q=0", b"gzip;q=0.000,br", b"*", b"gzip;q=" + b"0" * 5_000],
    "authorization": [
        b"",
        b"Bearer",
        b"Bearer ",
        b"Bearer\t",
        b"Basic a:b",
        b"bearer \xff",
        b"Bearer sk-" + b"x" * 7_000,
    ],
    "api-key": [b"", b"sk-wrong", b"\xff"],
    "cookie": [b"a=b", b"; ".join([b"a=b"] * 200)],
    "accept": [b"", b"text/html"],
    "x-forwarded-for": [b"evil, 127.0.0.1"],
    "x-http-method-override": [b"DELETE"],
    "expect": [b"100-continue"],
    "range": [b"bytes=0-0"],
    "origin": [b"null", b"https://example.com"],
    "x-amz-date": [b"\xe9" * 2_000],
}


class Ids(NamedTuple):
    """A thread with a message; a thread of another project; a run that waits for a call's output, and its thread."""

    thread: str
    message: str
    foreign: str
    assistant: str
    waiting: str
    run: str
    step: str
    call: str


class Sent(NamedTuple):
    """A request as sent, without the headers that frame it. `target` includes the query."""

    method: str
    target: bytes
    headers: list[tuple[str, bytes]]
    body: bytes


Draw = random.Random


def request(draw: Draw, secrets: tuple[str, ...], ids: Ids) -> Sent:
    """Return the next request of this generator."""
    method, path = draw.choice(_ROUTES)
    bodies = _BODIES_OF_RUNS.get(path.rpartition("/")[2], _BODIES)
    known = ids._asdict() | ({"thread": ids.waiting} if "{runId}" in path else {})
    path = re.sub(r"\{(\w+)Id\}", lambda name: known[name[1]], path)
    headers = [("host", b"localhost"), ("authorization", f"Bearer {draw.choice(secrets)}".encode())]
    text = json.dumps(draw.choice(bodies)).replace("asst_abc123", ids.assistant).replace("call_abc123", ids.call)
    body = text.encode() if method == "POST" else b""
    sent = Sent(method, path.encode(), headers, body)
    for _ in range(draw.choice((1, 1, 2, 3))):
        (change,) = draw.choices([*_CHANGES], [*_CHANGES.values()])
        sent = change(draw, sent, ids)
    return sent


def _method(draw: Draw, sent: Sent, ids: Ids) -> Sent:
    return sent._replace(method=draw.choice(_METHODS))


def _path(draw: Draw, sent: Sent, ids: Ids) -> Sent:
    path, mark, query = sent.target.partition(b"?")
    steps = path.split(b"/")
    place = draw.randrange(len(steps))
    step = steps[place]
    changed = [step.upper(), step[: draw.randrange(len(step) + 1)], b"".join(b"%%%02x" % byte for byte in step)]
    ends = (b"/", b"%20", b"%0d%0aSet-Cookie:a=b", *(b"x" * length for length in (1, 95, 96, 97, 98, 99, 2_000)))
    changed += [ids.foreign.encode(), *[step + draw.choice(ends)] * 3]
    steps[place] = draw.choice(changed if draw.random() < 0.4 else _STEPS)
    return sent._replace(target=b"/".join(steps) + mark + query)


def _query(draw: Draw, sent: Sent, ids: Ids) -> Sent:
    values = [*_VALUES, *(value.encode() for value in ids)]
    pairs = [draw.choice(_PARAMETERS) + b"=" + draw.choice(values) for _ in range(draw.choice((1, 1, 1, 2, 3)))]
    pairs *= draw.choice((1,) * 20 + (2, 500))
    # Servers such as uvicorn and API Gateway do not pass longer ones on to an application.
    return sent._replace(target=sent.target.partition(b"?")[0] + b"?" + b"&".join(pairs)[:60_000])


def _header(draw: Draw, sent: Sent, ids: Ids) -> Sent:
    name = draw.choice([*_HEADERS])
    kept = [pair for pair in sent.headers if pair[0] != name or draw.random() < 0.3]
    return sent._replace(headers=[*kept, (name, draw.choice(_HEADERS[name]))])


def _node(draw: Draw, sent: Sent, ids: Ids) -> Sent:
    """Put an unusual value at a random place of the body."""
    try:
        body = json.loads(sent.body or b"{}")
    except (ValueError, RecursionError):
        return sent
    return sent._replace(body=json.dumps(_changed(draw, body)).encode())


def _changed(draw: Draw, value: Any) -> Any:
    if value and isinstance(value, dict | list) and draw.random() < 0.8:
        place = draw.choice([*value] if isinstance(value, dict) else range(len(value)))
        copy: Any = value.copy()
        copy[place] = _changed(draw, value[place])
        return copy
    strange = draw.choice(_STRANGE)
    return value | {draw.choice(_FIELDS): strange} if isinstance(value, dict) and draw.random() < 0.5 else strange


def _text(draw: Draw, sent: Sent, ids: Ids) -> Sent:
    """Damage the body's text: the result is not JSON, not UTF-8, or JSON on which parsers differ."""
    body = sent.body or b"{}"
    place = draw.randrange(len(body) + 1)
    before, after = body[:place], body[place:]
    spoiled = [
        *[before + draw.choice(_INSERTED) + after] * 4,
        *[before + bytes([draw.randrange(256)]) + after[1:]] * 2,
        *(before, body + body, body[:-1] + b"," + body[1:], gzip.compress(body), b"role=user&content=a"),
        b'{"role":"user","role":"assistant","content":"a","content":"","metadata":{"a":"b","a":1}}',
        b'{"tool_resources":{"a":%b},"metadata":{"a":%b}}' % (draw.choice(_NUMBERS), draw.choice(_NUMBERS)),
        body.decode(errors="replace").encode(draw.choice(("utf-16", "utf-32-le"))),
        draw.randbytes(draw.choice((1, 10, 1_000))),
        draw.choice([*b'null true 1 "a" [] [{}] \xef\xbb\xbf{}'.split(), b" ", b"\n"]),
    ]
    return sent._replace(body=draw.choice(spoiled))


def _bomb(draw: Draw, sent: Sent, ids: Ids) -> Sent:
    """Nest or repeat a value very often."""
    key = draw.choice((b'{"metadata":', b'{"content":', b'{"tool_resources":', b'{"a":'))
    depth = draw.choice((62, 63, 64, 65, 66, 500, 1_000, 20_000, 200_000))
    width = draw.choice((100, 10_000, 100_000))
    closed = draw.random() < 0.7
    bombs: list[Callable[[], bytes]] = [
        lambda: key + b"[" * depth + (b"]" * depth + b"}" if closed else b""),
        lambda: key + b'{"a":' * depth + b"1" + (b"}" * (depth + 1) if closed else b""),
        lambda: key + b"[" + b",".join([draw.choice((b"[]", b"{}"))] * width) + b"]}",
        lambda: key + b"{" + b",".join(b'"%d":1' % number for number in range(width)) + b"}}",
        lambda: key + b"{" + b",".join([b'"a":1'] * width) + b"}}",
        lambda: b'{"role":"user","content":"' + draw.choice((b"\\ud83d\\ude00", b"\\")) * width + b'"}',
    ]
    return sent._replace(body=draw.choice(bombs)())


def _limit(draw: Draw, sent: Sent, ids: Ids) -> Sent:
    """Make the body reach a limit of kilobytes, exactly or within one, or rarely a limit of megabytes."""
    off = draw.choice((-1, 0, 1))
    size = draw.choice((MAX_EVENT // 4 * 3 - 1_500, MAX_EVENT - 1_500, MAX_EVENT, MAX_BODY)) - 35
    bodies: list[dict[str, Any]] = [
        _PLAIN | {"content": draw.choice("aé\U0001f408") * (256_000 + off) if draw.random() < 0.1 else "b"},
        _PLAIN | {"content": "a" * (size + off) if draw.random() < 0.03 else "b"},
        _PLAIN | {"metadata": {f"{number}{'k' * 62}": "\U0001f408" * (512 + off) for number in range(15, 31 + off)}},
        {"messages": [_PLAIN] * (32 + off), "tool_resources": {"a": "b" * (16_376 + draw.choice((-1, 0, 1)))}},
    ]
    body = json.dumps(draw.choice(bodies), ensure_ascii=draw.random() < 0.5)
    return sent._replace(method="POST", body=body.encode())


# The changes, each with its frequency.
_CHANGES: dict[Callable[[Draw, Sent, Ids], Sent], int] = {
    _method: 40,
    _path: 150,
    _query: 170,
    _header: 150,
    _node: 200,
    _text: 180,
    _bomb: 45,
    _limit: 65,
}


def framed(draw: Draw, sent: Sent) -> tuple[bytes, bool, bool]:
    """Return a request as bytes for a socket; whether a server need not wait for more; whether HTTP allows it."""
    length = len(sent.body)
    chunked = b"%x\r\n%b\r\n0\r\n\r\n" % (length, sent.body) if length else b"0\r\n\r\n"
    own, body, whole, valid = b"content-length: %d\r\n" % length, sent.body, True, True
    if draw.random() < 0.1:
        own, body, whole, valid = draw.choice(
            [
                (b"transfer-encoding: chunked\r\n", chunked, True, True),
                (
                    b"transfer-encoding: chunked\r\n",
                    chunked.replace(b"\r\n", b";x=" + b"y" * 5_000 + b"\r\n", 1),
                    True,
                    False,
                ),
                (b"transfer-encoding: chunked\r\n", b"zz\r\n" + body, True, False),
                (b"transfer-encoding: chunked\r\n", b"f" * 22 + b"\r\n" + body, False, False),
                (b"transfer-encoding: chunked\r\ncontent-length: 3\r\n", chunked, True, False),
                (b"transfer-encoding: gzip, chunked\r\n", chunked, True, False),
                (b"content-length: %d\r\ncontent-length: %d\r\n" % (length, length + 1), body, True, False),
                *((b"content-length: %b\r\n" % wrong, body, True, False) for wrong in (b"-1", b"0x10")),
                *((b"content-length: %d\r\n" % more, body, False, False) for more in (10**30, length + 10)),
                (b"x-long: " + b"a" * 100_000 + b"\r\n", b"", True, False),
                (b"".join(b"x-%d: a\r\n" % number for number in range(2_000)), b"", True, False),
                *((bad + b"\r\n", b"", True, False) for bad in (b"bad name: a", b"x: a\0b", b"x: a\r\n b", b": none")),
                (b"upgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n", b"", True, False),
                (b"upgrade: websocket\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n", b"", True, False),
            ]
        )
    headers = b"".join(b"%b: %b\r\n" % (name.encode(), value) for name, value in sent.headers)
    raw = b"%b %b HTTP/1.1\r\n%b%bconnection: close\r\n\r\n%b" % (sent.method.encode(), sent.target, headers, own, body)
    if draw.random() < 0.02:
        raw, whole = draw.choice(
            [
                (raw[: draw.randrange(len(raw))], False),
                *((raw.replace(b" HTTP/1.1", other, 1), whole) for other in (b" HTTP/1.0", b" HTTP/9.9", b"")),
                (raw.replace(b"host:", b"x-host:", 1), True),
                (raw.replace(b"\r\n", b"\n"), False),
                *((before + raw, whole) for before in (b"\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")),
                (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + draw.randbytes(100), False),
                (raw.replace(b" /", b" http://example.com/", 1), whole),
            ]
        )
        valid = False
    return raw, whole, valid
