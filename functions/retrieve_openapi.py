"""Retrieve openapi: `GET /openapi.json`, the API's description. Only this and a browser's preflight need no key."""

from pathlib import Path

from shared.public import publish

# The file is next to the folders of the code, in the repository and in this function's bundle (see the Makefile).
_DOCUMENT = Path(__file__).parent.parent / "openapi.json"

handler = publish("retrieve_openapi", _DOCUMENT.read_text(encoding="utf-8"))
