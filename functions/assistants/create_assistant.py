"""Create assistant: `POST /assistants`."""

from shared.request import Request
from shared.responses import Response
from shared.runs.bodies import new_assistant_data
from shared.runs.store import assistants
from shared.runs.wire import assistant_json


def create_assistant(request: Request) -> Response:
    """Create an assistant."""
    return Response(assistant_json(assistants.create(request.project, new_assistant_data(request.body()))))
