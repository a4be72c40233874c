"""Fixtures for the tests of the running service."""

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Load the fixtures."""
    config.pluginmanager.import_plugin("tests.service")
