"""A reader of threads in a browser, with an own page and an own project. The requests of the page are recorded."""

import functools
import http.server
import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from playwright.sync_api import Browser, Locator, Page, Request

from tests.support.local_api import ROOT

PROJECTS = 40
_numbers = itertools.count()


@dataclass
class Reader:
    """`client` calls the API directly, with a trusted key. `requests` and `errors` are those of the page."""

    page: Page
    client: httpx.Client
    address: str
    key: str
    requests: list[Request] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    unanswered: int = 0

    def connect(self, key: str = "") -> None:
        """Open the page and give it the key, or another one."""
        self.page.goto(self.address)
        self.page.get_by_label("API key").fill(key or self.key)
        self.button("Connect").click()

    def connect_from(self, address: str, base_url: str) -> None:
        """Open the page at another host's address, and give it the API's and the key."""
        self.page.goto(address)
        self.page.get_by_label("Base URL").fill(base_url)
        self.page.get_by_label("API key").fill(self.key)
        self.button("Connect").click()

    def open(self, thread_id: str) -> None:
        """Open the page at a thread, and wait for its messages."""
        self.page.goto(f"{self.address}#{thread_id}")
        self.page.get_by_label("API key").fill(self.key)
        with self.page.expect_response(lambda answer: "/messages" in answer.url):
            self.button("Connect").click()

    def begin(self, request: Request) -> None:
        self.requests.append(request)
        self.unanswered += 1

    def end(self, _: Request) -> None:
        self.unanswered -= 1

    def wait(self, seconds: int) -> int:
        """Let time pass on the page, whose clock must be installed. Return the number of requests that it made."""
        before = len(self.requests)
        for _ in range(seconds):
            self.page.clock.run_for(1000)
            self.page.wait_for_timeout(10)
            while self.unanswered:
                self.page.wait_for_timeout(10)
        return len(self.requests) - before

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    @property
    def draft(self) -> Locator:
        """The field of a new message."""
        return self.page.get_by_label("New message").last

    @property
    def dialog(self) -> Locator:
        return self.page.get_by_role("dialog")

    @property
    def problem(self) -> Locator:
        return self.page.locator("#problem-text")

    @property
    def rows(self) -> Locator:
        return self.page.get_by_role("navigation").get_by_role("listitem").get_by_role("link")

    @property
    def messages(self) -> Locator:
        return self.page.get_by_label("Messages").get_by_role("article")

    @property
    def texts(self) -> Locator:
        return self.messages.locator(".text")

    @property
    def runs(self) -> Locator:
        return self.page.get_by_role("region", name="Runs").get_by_role("article")

    def assistant(self, name: str = "Clerk", **fields: Any) -> str:
        """Create an assistant and return its id."""
        return str(self.post("/assistants", {"model": "gpt-4o", "name": name, **fields})["id"])

    def thread(self, **body: Any) -> str:
        """Create a thread and return its id."""
        return str(self.post("/threads", body)["id"])

    def message(self, thread_id: str, content: Any, **fields: Any) -> str:
        """Create a message and return its id. Its role is assistant unless another is given."""
        body = {"role": "assistant", "content": content, **fields}
        return str(self.post(f"/threads/{thread_id}/messages", body)["id"])

    def only_message(self, thread_id: str) -> Any:
        """Return the one message of a thread, as the API has it."""
        (message,) = self.get(f"/threads/{thread_id}/messages")["data"]
        return message

    def get(self, path: str) -> Any:
        return self.client.get(path).raise_for_status().json()

    def post(self, path: str, body: Any) -> Any:
        return self.client.post(path, json=body).raise_for_status().json()


def api_keys() -> str:
    """Return a value of API_KEYS for the local API: a trusted key for each of the next readers, each in its project."""
    first = next(_numbers) + 1
    return ",".join(f"p{number}+trusted=sk-reader-{number}" for number in range(first, first + PROJECTS))


@contextmanager
def reading(browser: Browser, base_url: str, **options: Any) -> Iterator[Reader]:
    """Yield a reader with its own project. `options` are those of a browser's new page."""
    key = f"sk-reader-{next(_numbers)}"
    context = browser.new_context(**options)
    context.set_default_timeout(15_000)
    page = context.new_page()
    with httpx.Client(base_url=base_url, headers={"Authorization": f"Bearer {key}"}, timeout=30) as client:
        reader = Reader(page, client, f"{base_url.removesuffix('/v1')}/browser/", key)
        page.on("request", reader.begin)
        page.on("requestfinished", reader.end)
        page.on("requestfailed", reader.end)
        page.on("pageerror", lambda error: reader.errors.append(str(error)))
        page.on("console", lambda said: reader.errors.append(said.text) if said.type in ("error", "warning") else None)
        yield reader
    context.close()


@contextmanager
def checked_reading(browser: Browser, base_url: str) -> Iterator[Reader]:
    """Yield a reader. Afterwards its page must have logged no error, and sent requests to this server only.

    The page must not have left its key in a URL, a cookie, the local storage or the history.
    """
    with reading(browser, base_url) as found:
        yield found
        # The browser's own message for a response that is not a success.
        assert [line for line in found.errors if not line.startswith("Failed to load resource")] == []
        assert all(request.url.startswith(base_url.removesuffix("/v1")) for request in found.requests)
        assert not any(found.key in request.url for request in found.requests)
        kept = "[location.href, document.cookie, JSON.stringify(localStorage), JSON.stringify(history.state)]"
        assert not any(found.key in text for text in found.page.evaluate(kept))


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def static_host() -> Iterator[int]:
    """Serve the files of the thread browser as any static host does, and yield the port."""
    handler = functools.partial(_Quiet, directory=ROOT / "browser")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()
