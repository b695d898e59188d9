"""The samples of assistants and runs: an assistant, and a thread whose run waits for the output of a call."""

import time
from unittest import mock

from shared.records import MessageData, ThreadData
from shared.runs.records import SECONDS_TO_EXPIRY, AssistantData, Outcome, RunSettings, ToolCall, Usage
from shared.runs.store import assistants, lifecycle, run_items, runs
from shared.store import head, keys, table, threads
from shared.store.table import CancelledError

ASSISTANT_ULID = "01ARZ3NDEKTSV4RRFFQ69G5FC0"
THREAD_ULID = "01ARZ3NDEKTSV4RRFFQ69G5FD0"
MESSAGE_ULID = "01ARZ3NDEKTSV4RRFFQ69G5FD1"
RUN_ULID = "01ARZ3NDEKTSV4RRFFQ69G5FD2"
STEP_ULID = "01ARZ3NDEKTSV4RRFFQ69G5FD3"
CALL_ID = "call_sample"

_CONTENT = '[{"type":"text","text":{"value":"How is the weather in Paris?","annotations":[]}}]'
_PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
_WEATHER = {"type": "function", "function": {"name": "get_weather", "parameters": _PARAMETERS}}
_INSTRUCTIONS = "Answer in one sentence."


def put(project: str) -> None:
    """Put the samples into the table that the environment names. The run waits for ten minutes.

    A second call changes nothing.
    """
    assistant = AssistantData("gpt-4o", instructions=_INSTRUCTIONS, tools=(_WEATHER,))
    with mock.patch("shared.ids.new_ulid", side_effect=[ASSISTANT_ULID, THREAD_ULID, MESSAGE_ULID]):
        assistant_id = assistants.create(project, assistant).id
        thread_id = threads.create(project, ThreadData(messages=(MessageData("user", _CONTENT),)), None)[0].id
    partition = keys.thread_partition(project, thread_id)
    settings = RunSettings("gpt-4o", _INSTRUCTIONS, (_WEATHER,))
    # Otherwise the run would have expired ten minutes after the time in its id.
    expires_at = int(time.time()) + SECONDS_TO_EXPIRY
    run = run_items.new_run(thread_id, RUN_ULID, assistant_id, settings, "{}")._replace(expires_at=expires_at)
    try:
        table.transact([head.change(partition, sets=runs.head_fields(run)), *runs.run_writes(partition, run, "", [])])
    except CancelledError:
        return
    lifecycle.claim(partition, run.id, "sample")
    call = ToolCall(CALL_ID, "get_weather", '{"city":"Paris"}')
    outcome = Outcome("requires_action", calls=(call,), usage=Usage(60, 16))
    with mock.patch("shared.ids.new_ulid", return_value=STEP_ULID):
        lifecycle.finish(project, runs.retrieve(project, thread_id, run.id), outcome)
