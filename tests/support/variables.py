"""The functions' variables for `monkeypatch.setitem`. After each change and its undo, they are read again."""

import os
from collections.abc import Iterator, MutableMapping

from shared.runs.endpoint import endpoint
from shared.settings import settings


def _forget() -> None:
    settings.cache_clear()
    endpoint.cache_clear()


class _Variables(MutableMapping[str, str]):
    def __getitem__(self, name: str) -> str:
        return os.environ[name]

    def __setitem__(self, name: str, value: str) -> None:
        os.environ[name] = value
        _forget()

    def __delitem__(self, name: str) -> None:
        del os.environ[name]
        _forget()

    def __iter__(self) -> Iterator[str]:
        return iter(os.environ)

    def __len__(self) -> int:
        return len(os.environ)


VARIABLES = _Variables()
