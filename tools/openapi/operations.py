"""The operations of the API: parameters, bodies, responses and errors.

Their routes come from the template, and those of assistants and runs from the functions.
"""

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from shared import models, trusted
from shared.runs import models as of_runs
from tools.openapi import refusals, responses
from tools.openapi.responses import ASSISTANT_ID, MESSAGE_ID, PLAIN_ID, RUN_ID, STEP_ID, THREAD_ID

EXTENSION = {"x-extension": "Not in the Assistants v2 API."}
_ALL_PARAMETERS = "#/components/parameters/"


@dataclass(frozen=True)
class Operation:
    """An operation of the API. `refusals` and `parameters` are names of the document's components."""

    summary: str
    tag: str
    response: type[BaseModel]
    refusals: tuple[str, ...]
    parameters: tuple[str, ...] = ()
    bodies: tuple[type[BaseModel], ...] = ()
    extension: bool = False


_ONCE = ("IdempotencyKey",)
_RANGE = ("Limit", "Order")
_OF_MESSAGES = (*refusals.OF_A_BODY, *refusals.OF_CONTENT)
# The path `/threads/runs` looks like the path of a thread, but has another method.
_OF_THREAD_ITSELF = (*refusals.OF_A_THREAD, "method_not_allowed")

OPERATIONS = {
    "create_message": Operation(
        "Append a message to a thread.",
        "Messages",
        responses.MessageObject,
        (*refusals.OF_A_THREAD, *_OF_MESSAGES, *refusals.OF_A_REPEAT, "run_active"),
        _ONCE,
        (models.CreateMessage, trusted.AssistantMessage),
    ),
    "list_messages": Operation(
        "List the messages of a thread, or those of one run.",
        "Messages",
        responses.MessageList,
        (
            *refusals.OF_A_THREAD,
            *refusals.OF_A_PAGE,
            "malformed_message_cursor",
            "message_not_found",
            "invalid_run_id",
        ),
        (*_RANGE, "MessageAfter", "MessageBefore", "RunId"),
    ),
    "retrieve_message": Operation("Retrieve a message.", "Messages", responses.MessageObject, refusals.OF_A_MESSAGE),
    "modify_message": Operation(
        "Replace the metadata of a message, its content, or both.",
        "Messages",
        responses.MessageObject,
        (*refusals.OF_A_MESSAGE, *_OF_MESSAGES),
        (),
        (models.ModifyMessage, trusted.ModifyTrustedMessage),
    ),
    "delete_message": Operation("Delete a message.", "Messages", responses.DeletedMessage, refusals.OF_A_MESSAGE),
    "create_thread": Operation(
        "Create a thread, with its first messages if there are any.",
        "Threads",
        responses.ThreadObject,
        (*_OF_MESSAGES, "invalid_tool_resources", "number_out_of_range", *refusals.OF_A_REPEAT),
        _ONCE,
        (models.CreateThread,),
    ),
    "list_threads": Operation(
        "List the threads of the key's project, newest first, or those with one value of the indexed metadata key.",
        "Threads",
        responses.ThreadList,
        (
            *refusals.OF_A_PAGE,
            "malformed_thread_cursor",
            "thread_not_found",
            "unknown_query_parameter",
            "metadata_not_indexed",
            "empty_filter",
        ),
        (*_RANGE, "ThreadAfter", "ThreadBefore", "IndexedMetadata"),
        extension=True,
    ),
    "retrieve_thread": Operation("Retrieve a thread.", "Threads", responses.ThreadObject, _OF_THREAD_ITSELF),
    "modify_thread": Operation(
        "Replace the metadata of a thread, its tool resources, or both.",
        "Threads",
        responses.ThreadObject,
        (*_OF_THREAD_ITSELF, *refusals.OF_A_BODY, "invalid_tool_resources", "number_out_of_range"),
        (),
        (models.ModifyThread,),
    ),
    "delete_thread": Operation(
        "Delete a thread with all its messages.", "Threads", responses.DeletedThread, _OF_THREAD_ITSELF
    ),
}

_OF_ASSISTANTS = (*refusals.OF_A_BODY, *refusals.OF_SETTINGS, "invalid_tool_resources", "body_too_large")
_OF_NEW_RUNS = (
    *_OF_MESSAGES,
    *refusals.OF_SETTINGS,
    *refusals.OF_A_NEW_RUN,
    *refusals.OF_A_REPEAT,
    "invalid_tool_resources",
)

# The routes of these operations are in the packages of their functions.
OPERATIONS_OF_RUNS = {
    "create_assistant": Operation(
        "Create an assistant.",
        "Assistants",
        responses.AssistantObject,
        ("unknown_url", *_OF_ASSISTANTS),
        (),
        (of_runs.CreateAssistant,),
    ),
    "list_assistants": Operation(
        "List the assistants of the key's project, newest first.",
        "Assistants",
        responses.AssistantList,
        ("unknown_url", *refusals.OF_A_PAGE, "malformed_assistant_cursor", "assistant_not_found"),
        (*_RANGE, "AssistantAfter", "AssistantBefore"),
    ),
    "retrieve_assistant": Operation(
        "Retrieve an assistant.", "Assistants", responses.AssistantObject, refusals.OF_AN_ASSISTANT
    ),
    "modify_assistant": Operation(
        "Replace what the body names; null sets the default.",
        "Assistants",
        responses.AssistantObject,
        (*refusals.OF_AN_ASSISTANT, *_OF_ASSISTANTS),
        (),
        (of_runs.ModifyAssistant,),
    ),
    "delete_assistant": Operation(
        "Delete an assistant. Its runs keep their copy of it.",
        "Assistants",
        responses.DeletedAssistant,
        refusals.OF_AN_ASSISTANT,
    ),
    "create_run": Operation(
        "Create a run, which has a model answer the thread.",
        "Runs",
        responses.RunObject,
        (*refusals.OF_A_THREAD, *_OF_NEW_RUNS, "run_exists"),
        _ONCE,
        (of_runs.CreateRun,),
    ),
    "create_thread_and_run": Operation(
        "Create a thread with its first messages, and a run.",
        "Runs",
        responses.RunObject,
        ("unknown_url", *_OF_NEW_RUNS),
        _ONCE,
        (of_runs.CreateThreadAndRun,),
    ),
    "list_runs": Operation(
        "List the runs of a thread.",
        "Runs",
        responses.RunList,
        (*refusals.OF_A_THREAD, *refusals.OF_A_PAGE, "malformed_run_cursor", "run_not_found"),
        (*_RANGE, "RunAfter", "RunBefore"),
    ),
    "retrieve_run": Operation("Retrieve a run.", "Runs", responses.RunObject, refusals.OF_A_RUN),
    "modify_run": Operation(
        "Replace the metadata of a run.",
        "Runs",
        responses.RunObject,
        (*refusals.OF_A_RUN, *refusals.OF_A_BODY, "run_not_modifiable"),
        (),
        (of_runs.ModifyRun,),
    ),
    "cancel_run": Operation(
        "Cancel a run. The next read shows it as cancelled.",
        "Runs",
        responses.RunObject,
        (*refusals.OF_A_RUN, "run_not_cancellable"),
    ),
    "submit_tool_outputs": Operation(
        "Submit the outputs of all the calls that a run waits for, in any order.",
        "Runs",
        responses.RunObject,
        (
            *refusals.OF_A_RUN,
            *refusals.OF_A_JSON_BODY,
            "missing",
            "outputs_too_large",
            "run_takes_no_outputs",
            "outputs_mismatch",
        ),
        (),
        (of_runs.SubmitToolOutputs,),
    ),
    "list_run_steps": Operation(
        "List the steps of a run. The list is empty while the model works.",
        "Run steps",
        responses.RunStepList,
        (*refusals.OF_A_RUN, *refusals.OF_A_PAGE, "malformed_step_cursor", "step_not_found"),
        (*_RANGE, "StepAfter", "StepBefore"),
    ),
    "retrieve_run_step": Operation(
        "Retrieve a step of a run.", "Run steps", responses.RunStepObject, refusals.OF_A_STEP
    ),
}


def _of_query(name: str, description: str, schema: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": description, "schema": schema} | more


def _cursor(name: str, pattern: str) -> dict[str, Any]:
    descriptions = {
        "after": "The page continues past this id, in the requested order.",
        "before": "The page ends just before this id, in the requested order.",
    }
    more = "An id is a position: it stays valid when its object is deleted."
    return _of_query(name, f"{descriptions[name]} {more}", {"type": "string", "pattern": _or_empty(pattern)})


def _or_empty(pattern: str) -> str:
    """Return the pattern of a query parameter that may be empty. Some SDKs send an empty text for an absent one."""
    return f"^({pattern.strip('^$')})?$"


def _of_path(name: str, pattern: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "pattern": pattern}}


PARAMETERS: dict[str, dict[str, Any]] = {
    "ThreadId": _of_path("threadId", THREAD_ID),
    "MessageId": _of_path("messageId", MESSAGE_ID),
    "AssistantId": _of_path("assistantId", ASSISTANT_ID),
    "PathRunId": _of_path("runId", RUN_ID),
    "StepId": _of_path("stepId", STEP_ID),
    "Limit": _of_query(
        "limit",
        "The largest size of a page.",
        {"type": "integer", "minimum": 1, "maximum": 100, "default": 20},
    ),
    "Order": _of_query("order", "By time of creation.", {"type": "string", "enum": ["asc", "desc"], "default": "desc"}),
    **{
        f"{noun}{name.title()}": _cursor(name, pattern)
        for noun, pattern in (
            ("Message", MESSAGE_ID),
            ("Thread", THREAD_ID),
            ("Assistant", ASSISTANT_ID),
            ("Run", RUN_ID),
            ("Step", STEP_ID),
        )
        for name in ("after", "before")
    },
    "RunId": _of_query("run_id", "Only the messages of this run.", {"type": "string", "pattern": _or_empty(PLAIN_ID)}),
    "IndexedMetadata": _of_query(
        "metadata",
        "Only the threads with this value of the metadata key that the deployment indexes, `user_id` by default: "
        "`metadata[user_id]=u-17`. Other keys and an empty value are refused.",
        {
            "type": "object",
            "properties": {"user_id": {"type": "string", "minLength": 1}},
            "additionalProperties": False,
        },
        style="deepObject",
        explode=True,
        **EXTENSION,
    ),
    "IdempotencyKey": EXTENSION
    | {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "For 24 hours, a request with the same key and an equal body gets the first response again.",
        "schema": {"type": "string", "pattern": "^[ -~]{1,255}$"},
    },
}


def parameters(path: str, operation: Operation) -> list[dict[str, str]]:
    """Return references to the parameters of an operation, those of its path first."""
    of_path = [name for name, parameter in PARAMETERS.items() if f"{{{parameter['name']}}}" in path]
    return [{"$ref": f"{_ALL_PARAMETERS}{name}"} for name in (*of_path, *operation.parameters)]
