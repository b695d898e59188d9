"""Retrieve assistant: `GET /assistants/{assistantId}`."""

from shared.request import Request
from shared.responses import Response
from shared.runs.store import assistants
from shared.runs.wire import assistant_json


def retrieve_assistant(request: Request) -> Response:
    """Return one assistant."""
    assistant_id = request.path_id("assistantId", "assistant_id", "asst")
    return Response(assistant_json(assistants.retrieve(request.project, assistant_id)))
