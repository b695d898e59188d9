"""What a client meant by a path that has a slash or a `/v1` too many."""

import re

_SLASHES = re.compile("/{2,}")
_VERSIONS = re.compile("(?:/v1)+(?=/)")
# Here a client left an id empty. The path without the second slash is another one.
_EMPTY_ID = re.compile("(?:/threads//+(?:messages|runs)|/runs//+(?:cancel|steps|submit_tool_outputs))(?:/|$)")


def meant(path: str) -> str:
    """Return a path without the slashes and versions that are too many; as it is, when it has none or lacks an id."""
    if _EMPTY_ID.search(path):
        return path
    return _VERSIONS.sub("/v1", _SLASHES.sub("/", path).rstrip("/"))
