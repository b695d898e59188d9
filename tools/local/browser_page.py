"""`/browser/` of the local API: the thread browser, its files as they are."""

from pathlib import Path

from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

_FILES = Path(__file__).parents[2] / "browser"


def before(api: ASGIApp) -> ASGIApp:
    """Return the application that serves these files itself and leaves all other paths to the API."""
    page = Starlette(routes=[Mount("/browser", StaticFiles(directory=_FILES, html=True))])

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        is_ours = scope["path"] == "/browser" or scope["path"].startswith("/browser/")
        await (page if is_ours else api)(scope, receive, send)

    return serve
