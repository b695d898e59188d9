"""API keys: create, list, revoke, and find by the hash of their secret. A secret itself is never stored."""

import hashlib
import re
import secrets
import time
from typing import NamedTuple

from shared.store import keys, table
from shared.store.errors import StoreError
from shared.store.head import SCHEMA, check_schema
from shared.store.table import Item

# The name `key` is reserved: policies recognize API keys by their partition `key#<sha256>`. The partitions of a project
# `key` would begin in the same way.
PROJECT = re.compile(r"(?!key$)[a-z0-9][a-z0-9-]{0,62}")
PROJECT_RULE = (
    "A project's name is 1 to 63 lower-case letters, digits and hyphens, and does not begin with a hyphen. "
    "The name 'key' is reserved."
)
_SORT = "key"
_ID_LENGTH = 16


class InvalidProjectError(StoreError):
    """The project's name breaks `PROJECT_RULE`."""


class ApiKeyNotFoundError(StoreError):
    """There is no key with this id."""


class ApiKey(NamedTuple):
    """A stored key. `id` is the start of the secret's SHA-256, times are in seconds since 1970."""

    id: str
    project: str
    name: str
    trusted: bool
    created: int
    revoked: int | None


def create(project: str, name: str, *, trusted: bool, secret: str | None = None) -> str:
    """Make a key for a project and return its secret, which is not stored. Raises `InvalidProjectError`.

    A new key with the secret of an existing key replaces the existing key.
    """
    if not PROJECT.fullmatch(project):
        raise InvalidProjectError(project)
    secret = secret or f"sk-{secrets.token_urlsafe(32)}"
    digest = hash_of(secret)
    item: Item = {
        **keys.key(keys.api_key_partition(digest), _SORT),
        "v": {"N": str(SCHEMA)},
        "project": {"S": project},
        "name": {"S": name},
        "trusted": {"BOOL": trusted},
        "created": {"N": str(int(time.time()))},
    }
    table.put({**keys.key(keys.API_KEYS, f"{project}#{digest}"), "v": {"N": str(SCHEMA)}})
    table.put(item)
    return secret


def list_keys() -> list[ApiKey]:
    """Return all keys, ordered by project, including revoked keys."""
    digests = _digests()
    found = table.batch_get([keys.key(keys.api_key_partition(digest), _SORT) for digest in digests])
    return [_api_key(digest, found[keys.api_key_partition(digest), _SORT]) for digest in digests]


def revoke(key_id: str) -> None:
    """Revoke a key. Requests with it are refused after a minute at most. Raises `ApiKeyNotFoundError`."""
    for digest in _digests():
        if digest.startswith(key_id) and len(key_id) == _ID_LENGTH:
            table.update(
                keys.key(keys.api_key_partition(digest), _SORT),
                UpdateExpression="SET revoked = if_not_exists(revoked, :now)",
                ExpressionAttributeValues={":now": {"N": str(int(time.time()))}},
            )
            return
    raise ApiKeyNotFoundError(key_id)


def find(digest: str) -> ApiKey | None:
    """Return the key whose secret has this digest, revoked or not, or None."""
    item = table.get(keys.key(keys.api_key_partition(digest), _SORT))
    return _api_key(digest, item) if item else None


def hash_of(secret: str) -> str:
    """Return the SHA-256 of a secret, in hexadecimal. Only this is stored. The secret may contain any characters."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _digests() -> list[str]:
    return [entry["messageId"]["S"].partition("#")[2] for entry in table.query(keys.API_KEYS, "!", "~")]


def _api_key(digest: str, item: Item) -> ApiKey:
    check_schema(item)
    return ApiKey(
        id=digest[:_ID_LENGTH],
        project=item["project"]["S"],
        name=item["name"]["S"],
        trusted=item["trusted"]["BOOL"],
        created=int(item["created"]["N"]),
        revoked=int(item["revoked"]["N"]) if "revoked" in item else None,
    )
