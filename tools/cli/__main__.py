"""`./message-api` runs this module, as `python -m tools.cli`."""

from tools.cli.program import program

program(prog_name="message-api")
