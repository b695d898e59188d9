"""The error that ends a command."""


class ToolError(Exception):
    """A tool cannot do its work. The text is one line for the person who runs it."""
