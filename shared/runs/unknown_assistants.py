"""The assistant of a run, or what stands in for one that does not exist here: many ids were made elsewhere."""

import os

from shared import errors
from shared.runs.errors import AssistantNotFoundError
from shared.runs.records import Assistant, AssistantData
from shared.runs.store import assistants
from shared.store import threads

# A model name without an entry in ModelMap: there, `*` says which model it is.
_MODEL = "default"


def assistant_for_run(project: str, assistant_id: str, thread_id: str = "") -> Assistant:
    """Return the assistant of a new run.

    Where UNKNOWN_ASSISTANTS is `default`, one that does not exist has the instructions of DEFAULT_INSTRUCTIONS. Else
    raises `WireError`, but `ThreadNotFoundError` when there is no thread with this id either.
    """
    try:
        return assistants.retrieve(project, assistant_id)
    except AssistantNotFoundError:
        if os.environ.get("UNKNOWN_ASSISTANTS") == "default":
            data = AssistantData(_MODEL, instructions=os.environ.get("DEFAULT_INSTRUCTIONS") or None)
            return Assistant(assistant_id, 0, data)
        if thread_id:
            threads.retrieve(project, thread_id)
        raise errors.unknown_assistant(assistant_id) from None
