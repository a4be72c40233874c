"""The origins of hubs."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from sqlalchemy import Connection, insert, select, update

from db import hub_origins, hubs, keys
from db.engine import Database
from db.errors import Failed, NotFound, Refused
from db.tables import MOST_ORIGINS
from db.tables import hubs as rows
from tests.postgresql import fresh_database

FORMS = (
    "*",
    "null",
    "",
    None,
    "https://A.example",
    "https://a.example\r\n",
    "https://a.example/",
    "https://a.example ",
)
APP, SHOP = "https://app.example", "https://shop.example"


@pytest.fixture
def database(any_server: str, tables: str) -> Iterator[Database]:
    """A database with a hub named alpha, on a server of each kind."""
    with fresh_database(any_server, "origins", tables) as url, closing(Database(url)) as database:
        with database.begin() as connection:
            hubs.create(connection, "alpha")
        yield database


def test_a_hub_has_no_origins_until_some_are_added(connection: Connection) -> None:
    """They are sorted, an origin is there once, and another hub has its own."""
    hubs.create(connection, "alpha")
    hubs.create(connection, "beta")
    assert hub_origins.of_hub(connection, "alpha") == []
    assert hub_origins.add(connection, "alpha", SHOP) == [SHOP]
    assert hub_origins.add(connection, "alpha", APP) == hub_origins.add(connection, "alpha", APP) == [APP, SHOP]
    assert hub_origins.of_hub(connection, "alpha") == [APP, SHOP]
    assert hub_origins.of_hub(connection, "beta") == []
    assert hub_origins.remove(connection, "alpha", SHOP) == hub_origins.of_hub(connection, "alpha") == [APP]


def test_a_hub_has_at_most_twenty_origins(connection: Connection) -> None:
    """One that is listed can be added again, and another one once a place is free."""
    hubs.create(connection, "alpha")
    for number in range(MOST_ORIGINS):
        hub_origins.add(connection, "alpha", f"https://a{number}.example")
    with pytest.raises(Refused, match="has 20 origins, which is the limit: remove one first"):
        hub_origins.add(connection, "alpha", APP)
    assert len(hub_origins.add(connection, "alpha", "https://a7.example")) == 20
    hub_origins.remove(connection, "alpha", "https://a7.example")
    assert APP in hub_origins.add(connection, "alpha", APP)


def test_operators_who_add_at_the_same_time_lose_nothing(database: Database) -> None:
    """Each change waits for the one before."""

    def add(number: int) -> None:
        with database.begin() as connection:
            hub_origins.add(connection, "alpha", f"https://a{number}.example")

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(add, range(20)))
    with database.begin() as connection:
        assert len(hub_origins.of_hub(connection, "alpha")) == 20


def test_what_is_absent_is_reported(connection: Connection) -> None:
    """An unknown hub, and an origin that is not listed."""
    hubs.create(connection, "alpha")
    with pytest.raises(NotFound, match="there is no hub named 'beta'"):
        hub_origins.of_hub(connection, "beta")
    for change in (hub_origins.add, hub_origins.remove):
        with pytest.raises(NotFound, match="there is no hub named 'beta'"):
            change(connection, "beta", APP)
    with pytest.raises(NotFound, match=r"the hub 'alpha' has not listed 'https://app\.example'"):
        hub_origins.remove(connection, "alpha", APP)


@pytest.mark.parametrize(
    "origins", [*[[form] for form in FORMS], [f"https://a{number}.example" for number in range(21)]]
)
def test_the_database_refuses_what_no_command_stores(database: Database, origins: list[str | None]) -> None:
    """Also from plain SQL: what stands for many pages never becomes the header of a response."""
    with pytest.raises(Failed, match="CheckViolation"), database.begin() as connection:
        connection.execute(update(rows).values(origins=origins))


def test_a_row_of_an_earlier_release_has_none(connection: Connection) -> None:
    """It does not name the column."""
    connection.execute(
        insert(rows).values(id="00000000-0000-7000-8000-000000000001", name="a", api_key=keys.digest("a"))
    )
    assert connection.execute(select(rows.c.origins)).scalar() == []
