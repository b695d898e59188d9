"""A server on a free port, in place of a service that tests cannot reach. A function returns its responses."""

import json
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Request(NamedTuple):
    """`target` is the path with its query. The names of headers are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


class Response(NamedTuple):
    """A body of bytes is sent unchanged, an iterator of bytes in chunks, any other body as JSON.

    If the iterator raises `ConnectionError`, the response breaks off.
    """

    status: int
    body: Any
    headers: Mapping[str, str] = {"content-type": "application/json"}


class _Handler(BaseHTTPRequestHandler):
    server: "_Server"
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", "0")))
        try:
            response = self.server.respond(Request(self.command, self.path, headers, body))
            if response:
                self._send(response)
            else:
                self.close_connection = True
        except OSError:  # the client has closed the connection
            self.close_connection = True

    do_POST = do_GET  # noqa: N815 - the name is http.server's

    def _send(self, response: Response) -> None:
        content = response.body
        if not isinstance(content, bytes | Iterator):
            content = json.dumps(content).encode()
        is_whole = isinstance(content, bytes)
        framing = {"content-length": str(len(content))} if is_whole else {"transfer-encoding": "chunked"}
        self.send_response(response.status)
        for name, value in {**response.headers, **framing}.items():
            self.send_header(name, value)
        self.end_headers()
        if is_whole:
            self.wfile.write(content)
            return
        for chunk in content:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is http.server's
        """Log nothing."""


class _Server(ThreadingHTTPServer):
    respond: Callable[[Request], Response | None]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log nothing when a client has closed the connection."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def serving(respond: Callable[[Request], Response | None]) -> Iterator[str]:
    """Yield the server's URL. If the function returns None, the server closes the connection without a response."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.respond = respond
        running = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        running.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            running.join()
