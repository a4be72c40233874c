"""The fixtures of the tests of commands and services."""

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Load the fixtures."""
    config.pluginmanager.import_plugin("tests.service")
