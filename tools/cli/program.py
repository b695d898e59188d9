"""The group of all commands."""

import importlib
from typing import Any

import click

from tools.cli.errors import OneLineErrors


class _Lazy(click.Command):
    """A command whose module is imported only when it is used: `keys list` and completion do not load a server."""

    def __init__(self, name: str, target: str, short_help: str) -> None:
        super().__init__(name, short_help=short_help)
        self._module, self._function = target.split(".")

    def make_context(self, info_name: str | None, args: list[str], *more: Any, **options: Any) -> click.Context:
        module = importlib.import_module(f"tools.cli.{self._module}")
        command: click.Command = getattr(module, self._function)
        return command.make_context(info_name, args, *more, **options)


class _InThisOrder(OneLineErrors):
    def list_commands(self, _ctx: click.Context) -> list[str]:
        return [*self.commands]


_COMMANDS = [
    _Lazy("serve", "serve.serve", "Serve the API on this machine."),
    _Lazy("keys", "keys.keys", "Create, list and revoke API keys."),
    _Lazy("events", "events.events", "Print events of the local API; publish events again."),
    _Lazy("commands", "commands.commands", "Send commands to the local API."),
    _Lazy("import", "transfer.import_", "Import threads from JSONL, with their ids."),
    _Lazy("export", "transfer.export", "Export the threads of a project as JSONL."),
    _Lazy("copy", "copy.copy", "Copy threads from another endpoint as JSONL."),
    _Lazy("check", "repair.check", "Find problems that no operation leaves in a table."),
    _Lazy("repair", "repair.repair", "Repair them."),
    _Lazy("invoke", "invoke.invoke", "Run one function on its sample event."),
    _Lazy("samples", "samples.samples", "Write what the sample events name to a DynamoDB."),
    _Lazy("openapi", "openapi.openapi", "Write openapi.json from the code."),
]

_EPILOG = """\
\b
Exit codes:
  0  done
  1  not done, or only in part. One line on stderr says why. `import` and
     `copy` refused a line, a command was rejected, or `check` found problems
  2  the command line or a variable is wrong. Nothing was done

\b
Completion with TAB, in bash:
  eval "$(_MESSAGE_API_COMPLETE=bash_source ./message-api)"
In zsh and in fish, with this folder on PATH:
  eval "$(_MESSAGE_API_COMPLETE=zsh_source message-api)"
  _MESSAGE_API_COMPLETE=fish_source message-api | source

\b
Example:
  ./message-api serve --api-key alpha=sk-alpha
"""


@click.group(cls=_InThisOrder, commands={str(command.name): command for command in _COMMANDS}, epilog=_EPILOG)
def program() -> None:
    """Run the Message API on this machine, and work with its tables, local or deployed.

    Each command has its own --help with an example. Commands that use AWS use your ordinary AWS credentials.
    """
