"""Authentication: from the headers of a request to the project and the rights of its key."""

import time

from shared import errors
from shared.store import api_keys
from shared.store.api_keys import ApiKey

# A revoked key is refused after this time at most, and an unknown one is looked up once in it.
_REMEMBERED_SECONDS = 60.0
# Bounds the memory that made-up keys can take; the oldest entry goes first.
_REMEMBERED_KEYS = 1_000

_remembered: dict[str, tuple[float, ApiKey | None]] = {}


def authenticate(headers: dict[str, str]) -> ApiKey:
    """Return the key of a request; header names are in lower case. Raises a 401 `WireError`."""
    scheme, _, secret = headers.get("authorization", "").strip().partition(" ")
    secret = secret.strip()
    if scheme.lower() != "bearer" or not secret:
        raise errors.no_api_key()
    key = _find(secret)
    if key is None or key.revoked is not None:
        raise errors.wrong_api_key(secret)
    return key


def _find(secret: str) -> ApiKey | None:
    digest = api_keys.hash_of(secret)
    until, key = _remembered.get(digest, (0.0, None))
    if time.monotonic() < until:
        return key
    key = api_keys.find(digest)
    _remembered.pop(digest, None)
    if len(_remembered) >= _REMEMBERED_KEYS:
        _remembered.pop(next(iter(_remembered)), None)
    _remembered[digest] = (time.monotonic() + _REMEMBERED_SECONDS, key)
    return key
