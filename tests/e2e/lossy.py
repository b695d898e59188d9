"""A front of the local API that loses answers: what was asked is done, and the client never hears of it."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

_KEPT = {"authorization", "content-type", "idempotency-key", "x-stainless-retry-count"}


@contextmanager
def losing_answers(base_url: str) -> Iterator[str]:
    """Yield the base URL of a front that closes the connection instead of answering.

    It does so for the first request of each value of the header `x-lose`. Every answer that it lets through
    tells by the header `x-attempt` how many requests with that value have come.
    """
    attempts: Counter[str] = Counter()

    class Front(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            token = self.headers.get("x-lose", "")
            attempts[token] += 1
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            headers = {name: value for name, value in self.headers.items() if name.lower() in _KEPT}
            answer = httpx.post(base_url + self.path, content=body, headers=headers)
            if token and attempts[token] == 1 and not token.startswith("only-count"):
                self.close_connection = True
                return
            self.send_response(answer.status_code)
            for name in ("content-type", "x-should-retry", "idempotent-replayed"):
                if name in answer.headers:
                    self.send_header(name, answer.headers[name])
            self.send_header("x-attempt", str(attempts[token]))
            self.send_header("content-length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the base class
            """Say nothing: the local API logs each request."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Front)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
