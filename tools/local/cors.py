"""What an HTTP API with a CorsConfiguration does for pages of other origins: it answers preflights, adds headers."""

from starlette.requests import Request
from starlette.responses import Response

from tools.local.template import Cors

_PREFIX = "access-control-"
_ASKING = ("origin", "access-control-request-method")


def preflight(cors: Cors | None, request: Request) -> Response | None:
    """Answer a browser that asks what a page may send; to an origin that is not allowed this says nothing.

    Without a configuration, or for any other request, there is no answer here.
    """
    is_preflight = request.method == "OPTIONS" and all(name in request.headers for name in _ASKING)
    if cors is None or not is_preflight:
        return None
    response = Response(status_code=204)
    if origin := _allowed_origin(cors, request):
        response.headers[f"{_PREFIX}allow-origin"] = origin
        response.headers[f"{_PREFIX}allow-methods"] = ",".join(cors.methods)
        response.headers[f"{_PREFIX}allow-headers"] = ",".join(cors.headers)
        response.headers[f"{_PREFIX}max-age"] = str(cors.max_age)
    return response


def mark(cors: Cors | None, request: Request, response: Response) -> Response:
    """Put the headers on what a function answered, in place of any that it set itself.

    Nothing else gets them: API Gateway's documentation promises them for what functions answer.
    """
    if cors is None:
        return response
    for name in [name for name in response.headers if name.startswith(_PREFIX)]:
        del response.headers[name]
    if origin := _allowed_origin(cors, request):
        response.headers[f"{_PREFIX}allow-origin"] = origin
        response.headers[f"{_PREFIX}expose-headers"] = ",".join(cors.exposed)
    return response


def _allowed_origin(cors: Cors, request: Request) -> str:
    origin = request.headers.get("origin", "")
    if origin and "*" in cors.origins:
        return "*"
    return origin if origin in cors.origins else ""
