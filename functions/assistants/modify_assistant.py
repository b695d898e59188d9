"""Modify assistant: `POST /assistants/{assistantId}`."""

from functools import partial

from shared.request import Request
from shared.responses import Response
from shared.runs.bodies import assistant_changes, modified
from shared.runs.store import assistants
from shared.runs.wire import assistant_json


def modify_assistant(request: Request) -> Response:
    """Replace the fields that the body names, each as a whole. Null sets the default. Return the whole assistant."""
    assistant_id = request.path_id("assistantId", "assistant_id", "asst")
    change = partial(modified, changes=assistant_changes(request.body()))
    return Response(assistant_json(assistants.modify(request.project, assistant_id, change)))
