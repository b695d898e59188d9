"""The program `./message-api`: each module has one command, or several related commands."""


def example(arguments: str) -> str:
    r"""Return the end of a command's help: an example of a call. A line break is `\` and a new line."""
    return f"\b\nExample:\n  ./message-api {arguments}"
