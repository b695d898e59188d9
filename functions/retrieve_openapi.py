"""Retrieve openapi: `GET /openapi.json`, the description of this API; the one function that takes no key."""

from pathlib import Path

from shared.public import publish

# Beside the folders of the code: in the repository, and, by the Makefile, in this function's bundle.
_DOCUMENT = Path(__file__).parent.parent / "openapi.json"

handler = publish("retrieve_openapi", _DOCUMENT.read_text(encoding="utf-8"))
