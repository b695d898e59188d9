"""API keys in the store: they are created, listed and revoked. Their secret is never stored."""

import re

import pytest

from tests.support import fault_injection
from tests.support.clock import Clock


def test_a_key_is_random_and_only_its_hash_is_stored() -> None:
    from shared.store import api_keys

    with fault_injection.inject() as attempts:
        first, second = (api_keys.create("alpha", "ci", trusted=False) for _ in range(2))

    assert first != second
    assert re.fullmatch(r"sk-[A-Za-z0-9_-]{43}", first)
    assert first not in repr(attempts.log)


def test_keys_are_listed_by_project_with_the_revoked_ones(clock: Clock) -> None:
    import time

    from shared.store import api_keys
    from shared.store.api_keys import ApiKey

    now = int(time.time())
    beta = api_keys.hash_of(api_keys.create("list-b", "worker", trusted=True))[:16]
    alpha = api_keys.hash_of(api_keys.create("list-a", "ci", trusted=False))[:16]
    clock.forward(5)
    api_keys.revoke(alpha)
    clock.forward(5)
    api_keys.revoke(alpha)

    listed = [key for key in api_keys.list_keys() if key.project.startswith("list-")]

    assert listed == [
        ApiKey(alpha, "list-a", "ci", trusted=False, created=now, revoked=now + 5),
        ApiKey(beta, "list-b", "worker", trusted=True, created=now, revoked=None),
    ]


def test_a_key_made_again_with_its_secret_replaces_the_former() -> None:
    from shared.store import api_keys

    for project in ("one", "two"):
        assert api_keys.create(project, project, trusted=False, secret="sk-chosen") == "sk-chosen"

    found = api_keys.find(api_keys.hash_of("sk-chosen"))
    assert found is not None
    assert found.project == "two"


@pytest.mark.parametrize("project", ["", "Alpha", "-a", "a_b", "a#b", "a" * 64, "é", "a\n", "key"])
def test_a_project_has_a_plain_name(project: str) -> None:
    from shared.store import api_keys

    with fault_injection.inject() as attempts, pytest.raises(api_keys.InvalidProjectError):
        api_keys.create(project, "x", trusted=False)
    assert attempts.operations == []


@pytest.mark.parametrize("key_id", ["", "0", "x" * 16, "0" * 15])
def test_only_a_whole_id_revokes(key_id: str) -> None:
    from shared.store import api_keys

    secret = api_keys.create("alpha", "ci", trusted=False)

    with pytest.raises(api_keys.ApiKeyNotFoundError):
        api_keys.revoke(key_id or api_keys.hash_of(secret)[:8])
    found = api_keys.find(api_keys.hash_of(secret))
    assert found is not None
    assert found.revoked is None
