"""What ends a command of this package; each text is one line for the person who gave it."""

from tools.errors import ToolError


class TransferError(ToolError):
    """The base of all of them."""


class FileError(TransferError):
    """The file is not one of threads and messages."""


class SourceError(TransferError):
    """The endpoint that is copied from does not answer as it must."""
