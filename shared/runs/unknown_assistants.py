"""The assistant of a run. Many programs name assistants that exist only elsewhere: a default may replace these."""

import os

from shared import errors
from shared.runs.errors import AssistantNotFoundError
from shared.runs.records import Assistant, AssistantData
from shared.runs.store import assistants
from shared.store import threads

# A model name that has no entry of its own in ModelMap. The entry `*` there gives the model.
_MODEL = "default"


def assistant_for_run(project: str, assistant_id: str, thread_id: str = "") -> Assistant:
    """Return the assistant of a new run.

    If it does not exist and UNKNOWN_ASSISTANTS is `default`, return an assistant with DEFAULT_INSTRUCTIONS. Otherwise
    raises `ThreadNotFoundError` if the thread does not exist either, and `WireError` if it does.
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
