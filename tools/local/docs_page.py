"""`/docs` of the local API: openapi.json as a page where people can try requests. It loads nothing from other hosts."""

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

_PAGES = Path(__file__).parent / "pages"
# The package is for Django, but its files of Swagger UI do not need Django.
_SWAGGER_UI = ("drf_spectacular_sidecar", "static/drf_spectacular_sidecar/swagger-ui-dist")
# Swagger UI writes styles into its elements, and has its icons in the stylesheet.
_POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'"


async def _page(_: Request) -> Response:
    return FileResponse(_PAGES / "docs.html", headers={"content-security-policy": _POLICY})


async def _start(_: Request) -> Response:
    return FileResponse(_PAGES / "docs.js")


ROUTES = [
    Route("/docs", _page),
    Route("/docs/start.js", _start),
    Mount("/docs", StaticFiles(packages=[_SWAGGER_UI])),
]
