"""Delete assistant: `DELETE /assistants/{assistantId}`."""

from shared.request import Request
from shared.responses import Response
from shared.runs.store import assistants
from shared.wire import deleted_json


def delete_assistant(request: Request) -> Response:
    """Delete an assistant. Its runs continue with their own copy of the assistant."""
    assistant_id = request.path_id("assistantId", "assistant_id", "asst")
    assistants.delete(request.project, assistant_id)
    return Response(deleted_json(assistant_id, "assistant.deleted"))
