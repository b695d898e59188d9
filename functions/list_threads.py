"""List threads: `GET /threads`, an operation that OpenAI's API does not have."""

from shared.entry import Response, serve
from shared.request import Request
from shared.store import thread_pages
from shared.wire import list_json, thread_json


def list_threads(request: Request) -> Response:
    """Return one page of the project's threads, or only of the threads with one value of the indexed metadata key."""
    value, page_request = request.indexed_value, request.page_request("thread")
    page = thread_pages.list_threads(request.project, page_request, value)
    return Response(list_json(page, thread_json))


handler = serve(list_threads)
