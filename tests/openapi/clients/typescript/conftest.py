"""Fixtures of the tests of the client for TypeScript."""

from collections.abc import Iterator

import pytest

from openapi.clients.python.testing import FakeHub
from tests.openapi.clients.typescript.programs import Programs, kinds, programs


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Programs:
    """Programs with the client for the newest contract."""
    return programs(tmp_path_factory.mktemp("typescript"))


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    """A service that stores batches of events and annotations."""
    with FakeHub(kinds()) as hub:
        yield hub
