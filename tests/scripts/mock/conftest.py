"""A mock that the tests of this folder share, in the test process; each test begins with an empty one."""

from collections.abc import Iterator

import httpx
import pytest

from scripts.mock.command import PROGRAM
from scripts.mock.control import RESET
from tests.postgresql import fresh_database
from tests.service import Service, running


@pytest.fixture(scope="session")
def shared_mock(embedded_url: str, template: str) -> Iterator[Service]:
    """A mock under the newest contracts, in which a hub may send 1000 items at once, and one each second after them."""
    limits = {"IR_RATE_LIMIT": "1", "IR_RATE_BURST": "1000"}
    with (
        fresh_database(embedded_url, "mock", template) as url,
        running(url, program=PROGRAM, **limits) as started,
    ):
        yield started


@pytest.fixture
def mock(shared_mock: Service) -> Service:
    """The shared mock, after a reset."""
    assert httpx.post(shared_mock.url + RESET).status_code == 204
    return shared_mock
