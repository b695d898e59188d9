"""Requests to the local API that runs on this machine."""

import http.client

import click

from tools.errors import ToolError

port_option = click.option(
    "--port",
    envvar="PORT",
    show_envvar=True,
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="The port of the local API.",
)


def request(port: int, method: str, path: str, body: bytes | None = None) -> http.client.HTTPResponse:
    """Send a request and return the response before its body is read. Raises `ToolError`."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    try:
        connection.request(method, path, body, {"content-type": "application/json"})
        return connection.getresponse()
    except OSError as error:
        raise ToolError(f"no local API on port {port}: {error.strerror}") from error
