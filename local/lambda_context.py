"""The context object that a handler gets beside its event, as the Lambda runtime makes it."""

import time
import uuid

from local.template import ACCOUNT, REGION, Function


class LambdaContext:
    """Attributes and types are those of the runtime; `memory_limit_in_mb` is a string there too."""

    function_version = "$LATEST"
    client_context = None
    identity = None

    def __init__(self, function: Function) -> None:
        self.aws_request_id = str(uuid.uuid4())
        self.function_name = function.name
        self.invoked_function_arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function.name}"
        self.log_group_name = f"/aws/lambda/{function.name}"
        self.log_stream_name = "local"
        self.memory_limit_in_mb = str(function.memory)
        self._deadline = time.monotonic() + function.timeout

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until the function's time-out, never below 0."""
        return max(0, int((self._deadline - time.monotonic()) * 1000))
