"""Fixtures for all tests."""

from tests.engines import dynamodb_local
from tests.memory import in_memory, tidy

__all__ = ["dynamodb_local", "in_memory", "tidy"]
