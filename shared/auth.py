"""Authentication: from the headers of a request to the project and the rights of its key."""

import time

from shared import errors
from shared.store import api_keys
from shared.store.api_keys import ApiKey

# A revoked key is refused after this time at most, and an unknown one is looked up once in it.
_REMEMBERED_SECONDS = 60.0
# Bounds the memory that keys can take; the oldest entry goes first.
_REMEMBERED_KEYS = 1_000

# Apart from each other, so that made-up keys, however many, never push out one that is good.
_remembered: dict[str, tuple[float, ApiKey | None]] = {}
_unknown: dict[str, tuple[float, ApiKey | None]] = {}


def authenticate(headers: dict[str, str]) -> ApiKey:
    """Return the key of a request; header names are in lower case. Raises a 401 `WireError`.

    A bearer token in `authorization` is the key, whatever else there is; without one, `api-key` is, which clients of
    Azure send. Only one is looked up, so that a second key never helps a wrong one.
    """
    secret = _bearer(headers.get("authorization", "")) or headers.get("api-key", "").strip()
    if not secret:
        raise errors.no_api_key()
    key = _find(secret)
    if key is None or key.revoked is not None:
        raise errors.wrong_api_key(secret)
    return key


def _bearer(authorization: str) -> str:
    scheme, _, secret = authorization.strip().partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""


def _find(secret: str) -> ApiKey | None:
    digest = api_keys.hash_of(secret)
    entry = _remembered.get(digest) or _unknown.get(digest)
    if entry and time.monotonic() < entry[0]:
        return entry[1]
    key = api_keys.find(digest)
    _remembered.pop(digest, None)
    _unknown.pop(digest, None)
    remembered = _remembered if key else _unknown
    if len(remembered) >= _REMEMBERED_KEYS:
        remembered.pop(next(iter(remembered)), None)
    remembered[digest] = (time.monotonic() + _REMEMBERED_SECONDS, key)
    return key
