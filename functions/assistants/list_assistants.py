"""List assistants: `GET /assistants`."""

from shared.request import Request
from shared.responses import Response
from shared.runs.store import assistants
from shared.runs.wire import assistant_json
from shared.wire import list_json


def list_assistants(request: Request) -> Response:
    """Return one page of the project's assistants."""
    page = assistants.list_assistants(request.project, request.page_request("asst"))
    return Response(list_json(page, assistant_json))
