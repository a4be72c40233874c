"""Every page on a database as large as a busy service has: what its statements read is bounded."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, event

from db.engine import Database
from handlers.admin.roles import GET, TABLE
from handlers.contracts.publications import Publications
from scripts.service.routes import pages
from scripts.trials.large import large_database, page_paths
from scripts.trials.large.page_paths import Known, Paths
from tests.db.read_blocks import EXPLAIN, MOST_BLOCKS, blocks_of
from tests.handlers.hub.browsers import sign_in, visitor
from tests.page_admins import signed_in
from tests.page_clients import BROWSER, SECONDS
from tests.postgresql import IS_HOSTILE, fresh_database
from tests.service import Service, running

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("large"),
    pytest.mark.timeout(600),
    pytest.mark.skipif(IS_HOSTILE, reason="a database without index scans reads all of each table"),
]

_EXPLAINED = ("SELECT", "WITH", "UPDATE", "DELETE")
"""An insert would meet its own row when it is explained, and reads hardly more than it writes."""


@dataclass
class Reading:
    """What one statement read: its blocks, for the page at a path."""

    path: str
    blocks: int
    statement: str


class Readings:
    """The statements that pages execute. Each is executed once more, explained, where it was executed."""

    def __init__(self) -> None:
        self.path = ""
        self.readings: list[Reading] = []

    def explain(
        self, _connection: Any, cursor: Any, statement: str, parameters: Any, _context: Any, executemany: bool
    ) -> None:
        """Explain a statement that has been executed, and undo what it changed once more."""
        is_of_page = self.path and threading.current_thread().name.startswith("database")  # not of the upkeep
        if not is_of_page or executemany or not statement.lstrip().startswith(_EXPLAINED):
            return
        with cursor.connection.cursor() as again:
            again.execute("SAVEPOINT explaining")
            again.execute(f"{EXPLAIN} {statement}", parameters)
            blocks = blocks_of(again.fetchone()[0])
            again.execute("ROLLBACK TO SAVEPOINT explaining")
        self.readings.append(Reading(self.path, blocks, " ".join(statement.split())))

    @contextmanager
    def of(self, path: str) -> Iterator[None]:
        """Explain what is executed until the end of the block."""
        self.path = path
        try:
            yield
        finally:
            self.path = ""

    def open(self, client: httpx.Client, paths: Paths) -> list[Reading]:
        """Open each page; what the statements read. None may fail, and the first one of each route is there."""
        self.readings, statuses = [], {}
        for path in (path for every in paths.values() for path in every):
            with self.of(path):
                statuses[path] = client.get(path).status_code
        assert {path: status for path, status in statuses.items() if status not in {200, 303, 404, 409}} == {}
        return self.readings


@pytest.fixture(scope="session")
def large(embedded_url: str, template: str) -> Iterator[str]:
    """The URL of a filled database."""
    with fresh_database(embedded_url, "large", template) as url:
        with closing(Database(url)) as database:
            large_database.fill(database)
        yield url


@pytest.fixture(scope="module")
def readings() -> Iterator[Readings]:
    """What statements read while a page is opened; it listens for longer than the service has other tasks."""
    readings = Readings()
    event.listen(Engine, "after_cursor_execute", readings.explain)
    yield readings
    event.remove(Engine, "after_cursor_execute", readings.explain)


@pytest.fixture(scope="module")
def service(large: str, readings: Readings) -> Iterator[Service]:  # noqa: ARG001 (it ends first)
    """A service on it."""
    with running(large) as service:
        yield service


@pytest.fixture(scope="module")
def known(service: Service) -> Known:
    """Names and ids of its rows."""
    with service.database.begin() as connection:
        return page_paths.known(connection)


def require_bounded(readings: Sequence[Reading]) -> None:
    """Fail if a statement read more than MOST_BLOCKS."""
    large = sorted((each for each in readings if each.blocks > MOST_BLOCKS), key=lambda each: -each.blocks)
    assert [(each.blocks, each.path, each.statement) for each in large] == []


def test_every_route_of_a_page_has_paths(known: Known) -> None:
    """A new one has to be added to `page_paths`."""
    assert set(page_paths.of_admin(known)) == {path for method, path in TABLE if method == GET}
    own = {route.path for route in pages(Publications(""), "") if GET in (route.methods or ())}
    assert {*page_paths.of_everyone(known), *page_paths.of_hub(known)} == own


def test_pages_of_admins_read_few_blocks(service: Service, readings: Readings, known: Known) -> None:
    """With filters, searches and later parts of lists, too."""
    with signed_in(service, "an owner") as owner:
        read = readings.open(owner.client, page_paths.of_admin(known))
    assert len(read) > len(page_paths.of_admin(known))
    require_bounded(read)


def test_pages_of_everyone_read_few_blocks(service: Service, readings: Readings, known: Known) -> None:
    """Those that are made once, too."""
    with httpx.Client(base_url=service.url, headers={"accept": BROWSER}, timeout=SECONDS) as client:
        read = readings.open(client, page_paths.of_everyone(known))
    assert read
    require_bounded(read)


def test_pages_of_a_hub_read_few_blocks(service: Service, readings: Readings, known: Known) -> None:
    """Signing in, too: a hub is found by its key."""
    with visitor(service) as client:
        readings.readings = []
        with readings.of("/hub/sign-in"):
            assert sign_in(client, large_database.key_of(known.hub)).status_code == 303
        require_bounded(readings.readings)
        read = readings.open(client, page_paths.of_hub(known))
    assert read
    require_bounded(read)
