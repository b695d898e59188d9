"""Corrects a path that has an extra slash or an extra `/v1`."""

import re

_SLASHES = re.compile("/{2,}")
_VERSIONS = re.compile("(?:/v1)+(?=/)")
# In these paths an id is empty. Without the second slash they would mean another route.
_EMPTY_ID = re.compile("(?:/threads//+(?:messages|runs)|/runs//+(?:cancel|steps|submit_tool_outputs))(?:/|$)")


def meant(path: str) -> str:
    """Return a path without extra slashes and versions. A path that lacks an id is returned unchanged."""
    if _EMPTY_ID.search(path):
        return path
    return _VERSIONS.sub("/v1", _SLASHES.sub("/", path).rstrip("/"))
