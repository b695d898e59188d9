"""List threads: `GET /threads`, an operation of ours."""

from shared.entry import Response, serve
from shared.request import Request
from shared.store import thread_pages
from shared.wire import list_json, thread_json


def list_threads(request: Request) -> Response:
    """Answer one page of the project's threads, or of those with one value of the indexed metadata key."""
    page = thread_pages.list_threads(request.project, request.page_request("thread"), request.indexed_value)
    return Response(list_json(page, thread_json))


handler = serve(list_threads)
