"""Responds to preflights and adds headers for pages of other origins, as an HTTP API with a CorsConfiguration does."""

from starlette.requests import Request
from starlette.responses import Response

from tools.local.template import Cors

_PREFIX = "access-control-"
_PREFLIGHT_HEADERS = ("origin", "access-control-request-method")


def preflight(cors: Cors | None, request: Request) -> Response | None:
    """Respond to a browser's preflight. To an origin that is not allowed, the response has no CORS headers.

    Return None for other requests, and without a configuration.
    """
    is_preflight = request.method == "OPTIONS" and all(name in request.headers for name in _PREFLIGHT_HEADERS)
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
    """Set the CORS headers on a function's response. They replace those that the function set.

    Responses of API Gateway itself do not get the headers: its documentation promises them for functions only.
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
