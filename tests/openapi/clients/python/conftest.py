"""The service of each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from openapi.clients.python.testing import FakeHub
from tests.openapi.clients.python.outboxes import KIND


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    """A service that stores items of one kind."""
    with FakeHub([KIND]) as each:
        yield each


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file of an outbox may be."""
    return tmp_path / "outbox.db"
