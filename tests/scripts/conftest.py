"""What the tests of commands and services are given."""

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Load the fixtures."""
    config.pluginmanager.import_plugin("tests.service")
