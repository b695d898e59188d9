"""Calls that must be refused before the table is asked anything: so nothing can have been written either."""

from typing import Any

from tests.support import fault_injection
from tests.support.client import OPERATIONS, Answer, Client

# The form of ids, and no more: whatever is refused for them is refused before existence is looked at.
NOWHERE = "thread_00000000000000000000000000"
NOTHING = "msg_00000000000000000000000000"
# Each operation's ids of that form, and its body where it needs one.
IDS = {function: (NOWHERE, NOTHING)[:count] for function, count in OPERATIONS.items()}
BODIES: dict[str, dict[str, Any]] = {
    "create_message": {"role": "user", "content": "hello"},
    "modify_message": {"metadata": {"a": "b"}},
    "modify_thread": {"metadata": {"a": "b"}},
}


def refused(client: Client, function: str, *ids: str, **options: Any) -> Answer:
    """Make a call whose key is known already, and return its answer; the table must not be asked."""
    client.call("retrieve_thread", "runs")  # looks the key up
    with fault_injection.inject() as attempts:
        answer = client.call(function, *ids, **options)
    assert attempts.operations == []
    return answer


def refused_message(client: Client, body: Any) -> Answer:
    """Return the refusal of a create message with this body."""
    return refused(client, "create_message", NOWHERE, body=body)
