"""The tail: the submissions of all hubs, accepted and rejected, in one order."""

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import Select, text
from sqlalchemy.dialects.postgresql.psycopg import dialect

from db import tail
from db.engine import Database
from db.errors import UnknownPosition
from db.tail import LAST_POSITION, PAYLOAD_CHARACTERS, Filters
from tests.live_submissions import annotate, reject, report
from tests.postgresql import fresh_database

HUB, OTHER_HUB = UUID(int=1), UUID(int=2)
MANY = 20_000

Connect = Callable[[], psycopg.Connection]


@pytest.fixture
def database(any_server: str, partitioned: str) -> Iterator[Database]:
    """A database with the tables, whose sequence of positions is fresh, on a server of each kind."""
    with fresh_database(any_server, "tail", partitioned) as url, closing(Database(url)) as database:
        yield database


@pytest.fixture
def writer(database: Database) -> Iterator[psycopg.Connection]:
    """A connection in which each statement is committed."""
    with psycopg.connect(database.url, autocommit=True) as connection:
        yield connection


def read(database: Database, after: int = 0, limit: int = 100) -> tail.Page:
    """The page after `after`."""
    with database.begin() as connection:
        return tail.page(connection, after, limit)


def planned(database: Database, plans: str, statement: Select[Any]) -> dict[str, Any]:
    """How PostgreSQL executed a statement the second time, with `plans` as `plan_cache_mode`."""
    of_psycopg = dialect()  # type: ignore[no-untyped-call] # SQLAlchemy has no types here
    compiled = statement.compile(dialect=of_psycopg)
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute("SELECT set_config('plan_cache_mode', %s, false)", [plans])
        query = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {compiled}"
        rows = [connection.execute(query.encode(), compiled.params, prepare=True).fetchone() for _ in range(2)]
    plan: dict[str, Any] = rows[-1][0][0]["Plan"]  # type: ignore[index] # EXPLAIN has a row
    return plan


def kinds(page: tail.Page) -> list[tuple[int, str, bool]]:
    """Position, kind and outcome of each row."""
    return [(row["position"], row["kind"], row["is_accepted"]) for row in page.rows]


def test_all_hubs_and_outcomes_are_in_one_order(database: Database, writer: psycopg.Connection) -> None:
    """That of their positions; a hub without a row has no name, and keeps its id."""
    writer.execute("INSERT INTO hubs (id, name, api_key) VALUES (%s, 'alpha', repeat('0', 64))", [HUB])
    report(writer, HUB)
    reject(writer, OTHER_HUB)
    annotate(writer, HUB)
    report(writer, OTHER_HUB)
    page = read(database)
    assert kinds(page) == [(1, "event", True), (2, "event", False), (3, "annotation", True), (4, "event", True)]
    assert [row["hub"] for row in page.rows] == ["alpha", None, "alpha", None]
    assert (page.last, page.horizon, page.behind) == (4, 4, 0)
    assert [row["code"] for row in page.rows] == [None, "invalid_body", None, None]
    assert [row["event_type"] for row in page.rows] == ["clicked", None, None, "clicked"]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8])
def test_pages_follow_each_other(database: Database, writer: psycopg.Connection, limit: int) -> None:
    """With any size each row comes once, in order."""
    for write in (report, reject, annotate, report, reject, reject, report):
        write(writer, HUB)
    seen, after, behind = [], 0, 1
    while behind:
        page = read(database, after, limit)
        assert len(page.rows) <= limit
        seen += [row["position"] for row in page.rows]
        after, behind = page.last, page.behind
    assert seen == list(range(1, 8))


def test_rows_that_are_committed_late_are_not_missed(database: Database, writer: psycopg.Connection) -> None:
    """A page ends before them, whichever table they are in."""
    report(writer, HUB)
    with psycopg.connect(database.url) as late:
        reject(late, HUB)
        report(writer, HUB)
        before = read(database)
        assert (kinds(before), before.last) == ([(1, "event", True)], 1)
    assert [position for position, _, _ in kinds(read(database, before.last))] == [2, 3]


def test_the_newest_come_first(database: Database, writer: psycopg.Connection) -> None:
    """Up to a position, or up to the horizon."""
    for write in (report, reject, annotate, report):
        write(writer, HUB)
    with database.begin() as connection:
        newest, earlier = tail.newest(connection, LAST_POSITION, 3), tail.newest(connection, 1, 3)
    assert ([row["position"] for row in newest.rows], newest.last) == ([4, 3, 2], 4)
    assert ([row["position"] for row in earlier.rows], earlier.last) == ([1], 1)


FILTERS = {
    Filters("alpha"): [1, 3, 6, 7],
    Filters("nobody"): [],
    Filters(event_type="clicked"): [1, 4, 7],
    Filters(not_type="clicked"): [2, 3, 5, 6],
    Filters(outcome="accepted"): [1, 3, 4, 5, 7],
    Filters(outcome="rejected"): [2, 6],
    Filters("alpha", not_type="clicked", outcome="rejected"): [6],
    Filters("alpha", event_type="clicked", outcome="accepted"): [1, 7],
}


@pytest.mark.parametrize("span", [2, 100])
@pytest.mark.parametrize("limit", [1, 3, 100])
@pytest.mark.parametrize("asked", FILTERS, ids=str)
def test_filters_leave_rows_out_and_move_on(  # noqa: PLR0917 (parameters and fixtures)
    database: Database,
    writer: psycopg.Connection,
    asked: Filters,
    limit: int,
    span: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In both directions, however few positions a page is searched for."""
    monkeypatch.setattr(tail, "SPAN", span)
    writer.execute("INSERT INTO hubs (id, name, api_key) VALUES (%s, 'alpha', repeat('0', 64))", [HUB])
    report(writer, HUB)
    reject(writer, OTHER_HUB)
    annotate(writer, HUB)
    report(writer, OTHER_HUB)
    report(writer, OTHER_HUB, "viewed")
    reject(writer, HUB)
    report(writer, HUB)
    forwards, backwards, after, until, behind = [], [], 0, LAST_POSITION, 1
    with database.begin() as connection:
        while behind:
            page = tail.page(connection, after, limit, asked)
            forwards += [row["position"] for row in page.rows]
            after, behind = page.last, page.behind
        while until:
            newest = tail.newest(connection, until, limit, asked)
            backwards += [row["position"] for row in newest.rows]
            until = newest.after
    assert forwards == backwards[::-1] == FILTERS[asked]


@pytest.mark.parametrize("asked", [Filters("nobody"), Filters(event_type="none"), Filters(outcome="rejected")], ids=str)
@pytest.mark.parametrize("plans", ["force_custom_plan", "force_generic_plan"])
def test_what_is_left_out_is_searched_for_a_while_only(
    database: Database, writer: psycopg.Connection, plans: str, asked: Filters
) -> None:
    """Of many rows a page with a filter reads those of its span."""
    report(writer, HUB, count=MANY)
    writer.execute("ANALYZE interaction_events")
    plan = planned(database, plans, tail.statement(0, tail.SPAN, 100, asked))
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < 500


def test_a_position_of_another_database_is_refused(database: Database, writer: psycopg.Connection) -> None:
    """A viewer would otherwise wait for ever. The last position itself is none of these."""
    report(writer, HUB)
    assert read(database, 1).rows == ()
    with pytest.raises(UnknownPosition):
        read(database, 2)


def test_a_row_has_only_the_beginning_of_its_content(database: Database, writer: psycopg.Connection) -> None:
    """A viewer holds a thousand of them."""
    long = "\N{GREEK SMALL LETTER ALPHA}" * 100_000
    report(writer, HUB, metadata=f'{{"note": "{long}"}}')
    reject(writer, HUB, raw=b"\xff" * 100_000, error=long)
    event, rejection = read(database).rows
    assert len(event["payload"]) == PAYLOAD_CHARACTERS + 1
    assert len(rejection["raw"]) == PAYLOAD_CHARACTERS + 1
    assert len(rejection["error"]) == PAYLOAD_CHARACTERS


@pytest.mark.parametrize("plans", ["force_custom_plan", "force_generic_plan"])
@pytest.mark.parametrize("newest_first", [False, True])
def test_a_page_is_found_by_an_index(
    database: Database, writer: psycopg.Connection, plans: str, newest_first: bool
) -> None:
    """Of many rows only those of the page are read, and a few blocks, also by a plan for any position."""
    report(writer, HUB, count=MANY)
    writer.execute("ANALYZE interaction_events")
    after, until = (0, MANY) if newest_first else (MANY // 2, MANY)
    plan = planned(database, plans, tail.statement(after, until, 100, newest_first=newest_first))
    assert plan["Actual Rows"] == 100
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < 60
    assert "interaction_events" in str(plan)
    assert "position" in str(plan)


def test_the_sequence_is_not_advanced(database: Database) -> None:
    """Reading takes no position, however often it is done."""
    for _ in range(3):
        read(database)
    with database.begin() as connection:
        assert connection.scalar(text("SELECT is_called FROM positions")) is False
