"""Fixtures for the tests of the running service."""

import pytest

from tests.generators import Clients, command
from tests.node_programs import Programs, programs


def pytest_configure(config: pytest.Config) -> None:
    """Load the fixtures."""
    config.pluginmanager.import_plugin("tests.service")


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Programs:
    """The tools on Node.js, which are large: they are installed where the group is."""
    command("openapi-generator-cli")
    return programs(tmp_path_factory.mktemp("tools"), "node_generators")


@pytest.fixture(scope="session")
def clients(tmp_path_factory: pytest.TempPathFactory, node: Programs) -> Clients:
    """The generated clients."""
    return Clients(tmp_path_factory.mktemp("clients"), node)
