"""The errors of this package. Each text is one line for the person who runs a command."""

from tools.errors import ToolError


class TransferError(ToolError):
    """The base of the errors that end a command."""


class SourceError(TransferError):
    """The endpoint that is copied from does not respond as it must."""


class RefusedError(Exception):
    """Something in a file cannot be imported. The text is the reason, without the place in the file."""
