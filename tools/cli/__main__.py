"""`python -m tools.cli`: what `./message-api` runs."""

from tools.cli.program import program

program(prog_name="message-api")
