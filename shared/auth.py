"""Authentication: finds the key in the headers of a request, with its project and its rights."""

import time

from shared import errors
from shared.store import api_keys
from shared.store.api_keys import ApiKey

# A revoked key works for at most this time. An unknown key is looked up once in this time.
_REMEMBERED_SECONDS = 60.0
# Bounds the memory that keys take. The oldest entry is removed first.
_REMEMBERED_KEYS = 1_000

# Two maps, so that made-up keys never displace a valid key.
_remembered: dict[str, tuple[float, ApiKey | None]] = {}
_unknown: dict[str, tuple[float, ApiKey | None]] = {}


def authenticate(headers: dict[str, str]) -> ApiKey:
    """Return the key of a request; header names are in lower case. Raises a 401 `WireError`.

    The key is the bearer token in `authorization`. Without one it is `api-key`, which clients of Azure send. Only one
    key is looked up: a valid key in the other header does not help.
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
