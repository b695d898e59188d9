"""A stand-in for a model, `MODEL_URL=demo`: a chat endpoint on this machine that needs no key and no network.

It repeats the last user message, and says in each answer that it is a demo. It calls a function if that message has a
word of the function's name. The word must have four letters or more: "Will it rain?" calls `get_rain_probability`.
"""

import json
import re
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import takewhile
from typing import Any

Json = dict[str, Any]

_DEMO = "This is a demo without a model."
_VALUES: Json = {"string": "demo", "integer": 1, "number": 1.5, "boolean": True, "array": [], "null": None}


@contextmanager
def running() -> Iterator[str]:
    """Serve the stand-in on a free port of 127.0.0.1; yield its base URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Endpoint)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def chunks(request: Json) -> Iterator[Json]:
    """Yield the chunks of the answer to a request; a token is a word."""
    functions = _functions_to_call(request)
    if functions:
        calls = [_call(index, function) for index, function in enumerate(functions)]
        yield _chunk(request, {"index": 0, "delta": {"role": "assistant", "content": None, "tool_calls": calls}})
        yield _chunk(request, {"index": 0, "delta": {}, "finish_reason": "tool_calls"})
        used = len(functions)
    else:
        words = re.findall(r"\s*\S+", _answer(request["messages"]))
        limit = request.get("max_tokens") or request.get("max_completion_tokens") or len(words)
        for word in words[:limit]:
            yield _chunk(request, {"index": 0, "delta": {"content": word}})
        yield _chunk(request, {"index": 0, "delta": {}, "finish_reason": "length" if limit < len(words) else "stop"})
        used = min(limit, len(words))
    read = len(" ".join(_text(message) for message in request["messages"]).split())
    usage = {"prompt_tokens": read, "completion_tokens": used, "total_tokens": read + used}
    yield _chunk(request) | {"usage": usage}


def _functions_to_call(request: Json) -> list[Json]:
    """Return the functions that the tool choice or the last user message asks for. Return none after tool outputs."""
    functions = [tool["function"] for tool in request.get("tools") or []]
    choice = request.get("tool_choice") or "auto"
    if request["messages"][-1]["role"] == "tool" or choice == "none":
        return []
    if isinstance(choice, dict):
        return [function for function in functions if function["name"] == choice["function"]["name"]]
    asked = _last_user_text(request["messages"])
    words = _words(asked)
    named = [function for function in functions if function["name"] in asked or words & _words(function["name"])]
    if choice == "required":
        named = named or functions[:1]
    return named[:1] if request.get("parallel_tool_calls") is False else named


def _words(text: str) -> set[str]:
    """Return the words of a text or a name, in lower case, without short ones such as "get"."""
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", text) if len(word) > 3}


def _call(index: int, function: Json) -> Json:
    arguments = json.dumps(_example({"type": "object"} | (function.get("parameters") or {})))
    return {
        "index": index,
        "id": f"call_demo_{index}",
        "type": "function",
        "function": {"name": function["name"], "arguments": arguments},
    }


def _example(schema: Json) -> Any:
    """Return a value that matches a schema. An object has only the required properties."""
    for keyword in ("const", "default"):
        if keyword in schema:
            return schema[keyword]
    if schema.get("enum"):
        return schema["enum"][0]
    kinds = schema.get("type", "object" if "properties" in schema else "string")
    kind = kinds[0] if isinstance(kinds, list) else kinds
    if kind == "object":
        properties = schema.get("properties") or {}
        return {name: _example(properties.get(name) or {}) for name in schema.get("required") or []}
    return _VALUES.get(kind)


def _answer(messages: list[Json]) -> str:
    newest_first = reversed(messages)
    outputs = [_text(message) for message in takewhile(lambda message: message["role"] == "tool", newest_first)]
    if outputs:
        return f"{_DEMO} The functions returned: {', '.join(reversed(outputs))}"
    return f"{_DEMO} You said: {_last_user_text(messages)}"


def _last_user_text(messages: Iterable[Json]) -> str:
    texts = [_text(message) for message in messages if message["role"] == "user"]
    return texts[-1] if texts else ""


def _text(message: Json) -> str:
    content = message["content"] or ""
    return content if isinstance(content, str) else " ".join(part.get("text", "(an image)") for part in content)


def _chunk(request: Json, *choices: Json) -> Json:
    fields = {"id": "chatcmpl-demo", "object": "chat.completion.chunk", "created": 0, "model": request["model"]}
    return fields | {"choices": list(choices)}


class _Endpoint(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.path != "/chat/completions":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("content-type", "text/event-stream; charset=utf-8")
        self.end_headers()
        with suppress(OSError):  # the run has ended
            for chunk in chunks(json.loads(body)):
                self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
            self.wfile.write(b"data: [DONE]\n\n")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the base class
        """Log nothing, because requests hold conversations."""
