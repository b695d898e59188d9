"""Whole assistants, runs and steps of the contract, with their keys in its order. Tests compare with them."""

from typing import Any

# The usage that the stub of the model reports for each call, and that of a run without a call.
USAGE = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
NO_USAGE = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
# The defaults of an assistant's fields.
DEFAULTS: dict[str, Any] = {
    "name": None,
    "description": None,
    "model": "gpt-4o",
    "instructions": None,
    "tools": [],
    "top_p": 1.0,
    "temperature": 1.0,
    "reasoning_effort": None,
    "tool_resources": {},
    "metadata": {},
    "response_format": "auto",
}


def assistant_object(found: dict[str, Any], fields: dict[str, Any]) -> dict[str, Any]:
    """Return an assistant, keys in the contract's order."""
    return {"id": found["id"], "object": "assistant", "created_at": found["created_at"], **DEFAULTS, **fields}


def run_object(run: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Return a run of the test's usual assistant, keys in the contract's order."""
    usual = {
        "id": run["id"],
        "object": "thread.run",
        "created_at": run["created_at"],
        "assistant_id": run["assistant_id"],
        "thread_id": run["thread_id"],
        "status": "queued",
        "started_at": None,
        "expires_at": run["created_at"] + 600,
        "cancelled_at": None,
        "failed_at": None,
        "completed_at": None,
        "required_action": None,
        "last_error": None,
        "model": "gpt-4o",
        "instructions": "Be brief.",
        "tools": [],
        "tool_resources": {},
        "metadata": {},
        "temperature": 1.0,
        "top_p": 1.0,
        "reasoning_effort": None,
        "max_completion_tokens": None,
        "max_prompt_tokens": None,
        "truncation_strategy": {"type": "auto", "last_messages": None},
        "incomplete_details": None,
        "usage": None,
        "response_format": "auto",
        "tool_choice": "auto",
        "parallel_tool_calls": True,
    }
    return usual | fields


def step_object(run: dict[str, Any], step: dict[str, Any], details: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Return a step, completed unless the fields say otherwise."""
    usual = {
        "id": step["id"],
        "object": "thread.run.step",
        "created_at": step["created_at"],
        "run_id": run["id"],
        "assistant_id": run["assistant_id"],
        "thread_id": run["thread_id"],
        "type": details["type"],
        "status": "completed",
        "cancelled_at": None,
        "completed_at": step["created_at"],
        "expires_at": run["created_at"] + 600,
        "expired_at": None,
        "failed_at": None,
        "last_error": None,
        "step_details": details,
        "usage": USAGE,
        "metadata": {},
    }
    return usual | fields


def of_message(message: dict[str, Any]) -> dict[str, Any]:
    return {"type": "message_creation", "message_creation": {"message_id": message["id"]}}


def of_calls(*found: dict[str, Any]) -> dict[str, Any]:
    return {"type": "tool_calls", "tool_calls": [*found]}


def call_object(call_id: str, arguments: str, **function: Any) -> dict[str, Any]:
    return {
        "id": call_id,
        "type": "function",
        "function": {"name": "get_weather", "arguments": arguments, **function},
    }
