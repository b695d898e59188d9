"""Errors that the store of runs raises in addition to `shared.store.errors`. They do not depend on HTTP."""

from shared.store.errors import StoreError


class AssistantNotFoundError(StoreError):
    """The project has no such assistant."""

    def __init__(self, assistant_id: str) -> None:
        super().__init__(assistant_id)
        self.assistant_id = assistant_id


class RunNotFoundError(StoreError):
    """The thread has no such run."""

    def __init__(self, run_id: str) -> None:
        super().__init__(run_id)
        self.run_id = run_id


class StepNotFoundError(StoreError):
    """The run has no such step."""

    def __init__(self, step_id: str) -> None:
        super().__init__(step_id)
        self.step_id = step_id


class RunExistsError(StoreError):
    """The thread has an active run already."""

    def __init__(self, run_id: str) -> None:
        super().__init__(run_id)
        self.run_id = run_id


class NothingToRunError(StoreError):
    """The run has no instructions, and its thread never had a message."""


class RunStatusError(StoreError):
    """The status of a run forbids an action: `cancel`, `update` or `submit`."""

    def __init__(self, action: str, status: str) -> None:
        super().__init__(action, status)
        self.action = action
        self.status = status


class OutputsMismatchError(StoreError):
    """The submitted tool outputs do not belong to the calls that the run waits for."""

    def __init__(self, expected: list[str], got: list[str]) -> None:
        super().__init__(expected, got)
        self.expected = expected
        self.got = got
