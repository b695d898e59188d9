"""The errors that the store raises. They know no HTTP: `shared.error_mapping` maps them to the API's errors."""


class StoreError(Exception):
    """The base of all errors that the store raises on purpose."""


class ThreadNotFoundError(StoreError):
    """The project has no such thread, or the thread was deleted.

    `thread_id` is empty if the missing thread is the one in the request's path.
    """

    def __init__(self, thread_id: str = "") -> None:
        super().__init__(thread_id)
        self.thread_id = thread_id


class MessageNotFoundError(StoreError):
    """The thread has no such message."""

    def __init__(self, message_id: str) -> None:
        super().__init__(message_id)
        self.message_id = message_id


class RunActiveError(StoreError):
    """The thread has an active run, so a key that is not trusted cannot add a message."""

    def __init__(self, run_id: str) -> None:
        super().__init__(run_id)
        self.run_id = run_id


class IdempotencyKeyReusedError(StoreError):
    """The Idempotency-Key was first sent with another body."""


class TooLargeError(StoreError):
    """The object is too large for one transaction, or for a response."""


class BusyError(StoreError):
    """Contention, throttling or an unreachable table outlasted the retries; the same call may succeed later."""


class NewerItemError(StoreError):
    """An item was written by a later version of this software than the one that reads it."""
