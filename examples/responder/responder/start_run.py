"""Starts a run for a message of a user. The Message API executes the run and stores the answer."""

from typing import Any

import openai
from openai.types.beta.threads import Message


def start_run(event: dict[str, Any], client: openai.OpenAI, assistant_id: str) -> str | None:
    """Return the id of the run for the message of an event. Return None if the message needs no run.

    Raises `openai.BadRequestError` while another run of the thread is active: deliver the event again later.
    """
    message_id, threads = event["detail"]["id"], client.beta.threads
    try:
        message = threads.messages.retrieve(message_id, thread_id=event["detail"]["thread_id"])
    except openai.NotFoundError:  # deleted since
        return None
    if message.role != "user" or _is_answered(message, client):
        return None
    run = threads.runs.create(
        message.thread_id,
        assistant_id=assistant_id,
        metadata={"message_id": message_id},
        # Two deliveries of the event at the same time start one run.
        extra_headers={"Idempotency-Key": message_id},
    )
    return run.id


def _is_answered(message: Message, client: openai.OpenAI) -> bool:
    """Tell whether a later message of an assistant answers this one."""
    later = client.beta.threads.messages.list(message.thread_id, after=message.id, order="asc")
    return any(answer.role == "assistant" and not _may_have_missed(message, answer, client) for answer in later)


def _may_have_missed(message: Message, answer: Message, client: openai.OpenAI) -> bool:
    """Tell whether an answer is from a run that was already active when the message was added."""
    if not answer.run_id:
        return False
    try:
        run = client.beta.threads.runs.retrieve(answer.run_id, thread_id=answer.thread_id)
    except openai.NotFoundError:  # the thread was imported; runs are not
        return False
    return (run.metadata or {}).get("message_id") != message.id and (run.started_at or 0) <= message.created_at
