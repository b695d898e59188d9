"""Assistants, runs and steps as responses show them: all keys, in the contract's order."""

import json
from typing import Any

from shared.runs.records import ACTIVE, Assistant, Failure, Run, Step, ToolCall, Usage

_NOT_GIVEN = 1.0  # shown for `temperature` and `top_p` if no request gave a value


def assistant_json(assistant: Assistant) -> str:
    """Return an assistant object."""
    data = assistant.data
    return _dump(
        {
            "id": assistant.id,
            "object": "assistant",
            "created_at": assistant.created_at,
            "name": data.name,
            "description": data.description,
            "model": data.model,
            "instructions": data.instructions,
            "tools": data.tools,
            "top_p": _or(data.top_p, _NOT_GIVEN),
            "temperature": _or(data.temperature, _NOT_GIVEN),
            "reasoning_effort": data.reasoning_effort,
            "tool_resources": data.tool_resources or {},
            "metadata": data.metadata or {},
            "response_format": data.response_format,
        }
    )


def run_json(run: Run, calls: tuple[ToolCall, ...] = ()) -> str:
    """Return a run object; `calls` are the calls whose outputs it waits for."""
    return _dump(run_object(run, calls))


def run_object(run: Run, calls: tuple[ToolCall, ...] = ()) -> dict[str, Any]:
    """Return a run object as a dictionary; `calls` are the calls whose outputs it waits for."""
    settings = run.settings
    is_active = run.status in (*ACTIVE, "cancelling")
    return {
        "id": run.id,
        "object": "thread.run",
        "created_at": run.created_at,
        "assistant_id": run.assistant_id,
        "thread_id": run.thread_id,
        "status": run.status,
        "started_at": run.started_at,
        "expires_at": run.expires_at if is_active else None,
        "cancelled_at": _ended(run, "cancelled"),
        "failed_at": _ended(run, "failed"),
        "completed_at": _ended(run, "completed", "incomplete"),
        "required_action": _required_action(calls),
        "last_error": _error(run.last_error),
        "model": settings.model,
        "instructions": settings.instructions,
        "tools": settings.tools,
        "tool_resources": settings.tool_resources or {},
        "metadata": json.loads(run.metadata),
        "temperature": _or(settings.temperature, _NOT_GIVEN),
        "top_p": _or(settings.top_p, _NOT_GIVEN),
        "reasoning_effort": settings.reasoning_effort,
        "max_completion_tokens": settings.max_completion_tokens,
        "max_prompt_tokens": settings.max_prompt_tokens,
        "truncation_strategy": {"type": "auto", "last_messages": None} | (settings.truncation_strategy or {}),
        "incomplete_details": {"reason": run.incomplete_reason} if run.incomplete_reason else _no_details(run),
        "usage": None if is_active else _usage(run.usage),
        "response_format": settings.response_format,
        "tool_choice": _or(settings.tool_choice, "auto"),
        "parallel_tool_calls": _or(settings.parallel_tool_calls, True),
    }


def step_json(step: Step) -> str:
    """Return a step object."""
    return _dump(
        {
            "id": step.id,
            "object": "thread.run.step",
            "created_at": step.created_at,
            "run_id": step.run_id,
            "assistant_id": step.assistant_id,
            "thread_id": step.thread_id,
            "type": "message_creation" if step.message_id else "tool_calls",
            "status": step.status,
            "cancelled_at": step.cancelled_at,
            "completed_at": step.completed_at,
            "expires_at": step.expires_at,
            "expired_at": step.expires_at if step.status == "expired" else None,
            "failed_at": step.failed_at,
            "last_error": _error(step.last_error),
            "step_details": _details(step),
            "usage": None if step.status == "in_progress" else _usage(step.usage),
            "metadata": {},
        }
    )


def _details(step: Step) -> dict[str, Any]:
    if step.message_id:
        return {"type": "message_creation", "message_creation": {"message_id": step.message_id}}
    calls = [_call(call) for call in step.calls]
    for shown, call in zip(calls, step.calls, strict=True):
        shown["function"]["output"] = call.output
    return {"type": "tool_calls", "tool_calls": calls}


def _required_action(calls: tuple[ToolCall, ...]) -> dict[str, Any] | None:
    if not calls:
        return None
    waiting = {"tool_calls": [_call(call) for call in calls]}
    return {"type": "submit_tool_outputs", "submit_tool_outputs": waiting}


def _call(call: ToolCall) -> dict[str, Any]:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def _ended(run: Run, *statuses: str) -> int | None:
    return run.ended_at if run.status in statuses else None


def _error(failure: Failure | None) -> dict[str, str] | None:
    return {"code": failure.code, "message": failure.message} if failure else None


def _no_details(run: Run) -> dict[str, str] | None:
    """Return the details without a reason: an empty object for an incomplete run, because the API does not name it."""
    return {} if run.status == "incomplete" else None


def _usage(usage: Usage) -> dict[str, int]:
    return {
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.completion,
        "total_tokens": usage.prompt + usage.completion,
    }


def _or(value: Any, default: Any) -> Any:
    return default if value is None else value


def _dump(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
