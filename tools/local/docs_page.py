"""`/docs` of the local API: openapi.json as a page where requests can be tried; all of it comes from this machine."""

from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

_PAGES = Path(__file__).parent / "pages"
# The package is for Django, but its files of Swagger UI need nothing of it.
_SWAGGER_UI = ("drf_spectacular_sidecar", "static/drf_spectacular_sidecar/swagger-ui-dist")
# Swagger UI writes styles into its elements, and has its icons in the stylesheet.
_POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'"


def before(api: ASGIApp) -> ASGIApp:
    """Return the application that serves the page itself and leaves all other paths to the API."""
    page = Starlette(
        routes=[
            Route("/docs", _page),
            Route("/docs/start.js", _start),
            Mount("/docs", StaticFiles(packages=[_SWAGGER_UI])),
        ]
    )

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        await (page if scope["path"] == "/docs" or scope["path"].startswith("/docs/") else api)(scope, receive, send)

    return serve


async def _page(_: Request) -> Response:
    return FileResponse(_PAGES / "docs.html", headers={"content-security-policy": _POLICY})


async def _start(_: Request) -> Response:
    return FileResponse(_PAGES / "docs.js")
