"""The errors of this package. Each text is one line for the person who runs a command."""

from tools.errors import ToolError


class TransferError(ToolError):
    """The base of the errors that end a command."""


class SourceError(TransferError):
    """The source endpoint of a copy refuses the key, fails, or lacks an operation."""


class RefusedError(Exception):
    """An object or a line of a file cannot be imported. The text is the reason, without the place in the file."""
