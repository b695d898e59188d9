"""Calls that must be refused before any request to the table. So they cannot have written anything either."""

from typing import Any

from tests.support import fault_injection
from tests.support.client import OPERATIONS, Answer, Client

# Ids of valid form, which do not exist. A refusal of a call with them comes before the check of existence.
NOWHERE = "thread_00000000000000000000000000"
NOTHING = "msg_00000000000000000000000000"
# For each operation, ids of valid form, and a body if the operation needs one.
IDS = {function: (NOWHERE, NOTHING)[:count] for function, count in OPERATIONS.items()}
BODIES: dict[str, dict[str, Any]] = {
    "create_message": {"role": "user", "content": "hello"},
    "modify_message": {"metadata": {"a": "b"}},
    "modify_thread": {"metadata": {"a": "b"}},
}


def refused(client: Client, function: str, *ids: str, **options: Any) -> Answer:
    """Make a call whose key is already known, and return its response. The call must not use the table."""
    client.call("retrieve_thread", "runs")  # looks the key up
    with fault_injection.inject() as attempts:
        answer = client.call(function, *ids, **options)
    assert attempts.operations == []
    return answer


def refused_message(client: Client, body: Any) -> Answer:
    """Return the refusal of a create message with this body."""
    return refused(client, "create_message", NOWHERE, body=body)
