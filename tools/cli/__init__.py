"""The program `./message-api`: each module has one command, or several that work on the same thing."""


def example(arguments: str) -> str:
    r"""Return the end of a command's help: how it may be called. A line break is `\` and a new line."""
    return f"\b\nExample:\n  ./message-api {arguments}"
