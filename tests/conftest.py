"""Fixtures for all tests."""

from tests.engines import dynamodb_local
from tests.memory import in_memory, tidy, tidy_module

__all__ = ["dynamodb_local", "in_memory", "tidy", "tidy_module"]
