"""The request to the chat endpoint. It has only parameters that were given: endpoints refuse unknown parameters."""

from shared.runs.endpoint import Endpoint, used_model
from shared.runs.records import Json, RunSettings, Usage

_NO_PARAMETERS = {"type": "object", "properties": {}}


def chat_request(endpoint: Endpoint, settings: RunSettings, messages: list[Json], used: Usage) -> Json | None:
    """Return the request for one call of the model, or None if the run has used up its max_completion_tokens.

    `used` are the tokens of the run's earlier calls of the model.
    """
    limit = settings.max_completion_tokens
    if limit is not None and limit <= used.completion:
        return None
    given = {
        "temperature": settings.temperature,
        "top_p": settings.top_p,
        "reasoning_effort": settings.reasoning_effort,
        "response_format": None if settings.response_format == "auto" else settings.response_format,
        endpoint.max_tokens_parameter: None if limit is None else limit - used.completion,
        **_tool_parameters(settings),
    }
    return {
        "model": used_model(endpoint, settings.model),
        "messages": messages,
        "stream": True,
        "stream_options": {"include_usage": True},
        **_without_none(given),
    }


def _tool_parameters(settings: RunSettings) -> Json:
    functions = [tool["function"] for tool in settings.tools if tool["type"] == "function"]
    if not functions:
        return {}
    return {
        "tools": [{"type": "function", "function": _function(function)} for function in functions],
        "tool_choice": _tool_choice(settings),
        "parallel_tool_calls": settings.parallel_tool_calls,
    }


def _function(function: Json) -> Json:
    parameters = function.get("parameters")
    return _without_none(
        {
            "name": function["name"],
            "description": function.get("description"),
            "parameters": _NO_PARAMETERS if parameters is None else parameters,
            "strict": function.get("strict") or None,
        }
    )


def _tool_choice(settings: RunSettings) -> str | Json | None:
    choice: str | Json | None = settings.tool_choice
    # code_interpreter and file_search are not sent as tools, so no endpoint could choose them.
    return "auto" if isinstance(choice, dict) and choice["type"] != "function" else choice


def _without_none(given: Json) -> Json:
    return {name: value for name, value in given.items() if value is not None}
