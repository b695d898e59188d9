"""Fixtures for all tests."""

from tests.engines import dynamodb_local

__all__ = ["dynamodb_local"]
