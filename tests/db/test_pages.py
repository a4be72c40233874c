"""Pages of a hub's submissions."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, delete, event, insert, text

from db import annotations, pages, partitions, positions
from db.engine import Database
from db.pages import Query
from db.tables import interaction_events as table

HUB, OTHER_HUB, WIDGET, OTHER_WIDGET = (UUID(int=number) for number in range(1, 5))
NOW = datetime.now(UTC).replace(microsecond=0)
MINUTE = timedelta(minutes=1)

_numbers = itertools.count()


@pytest.fixture
def start(connection: Connection) -> int:
    """The position after which a test's own rows come."""
    return int(connection.scalar(text("SELECT nextval('positions')")) or 0)


def write(connection: Connection, *rows: dict[str, Any]) -> list[UUID]:
    """Write an event for each of `rows`, with the required columns added; their ids."""
    ids = []
    for row in rows:
        identifier = UUID(int=partitions.lowest_id(row.get("received_at", NOW)).int + next(_numbers))
        common = {
            "hub_id": HUB,
            "widget_id": WIDGET,
            "event_type": "clicked",
            "occurred_at": NOW,
            "contract_version": "1.1",
        }
        connection.execute(insert(table).values(common | row | {"id": identifier}))
        ids.append(identifier)
    return ids


def walk(connection: Connection, query: Query, limit: int) -> Iterator[list[UUID]]:
    """The ids of each page, up to the last page."""
    has_more = True
    while has_more:
        page = pages.page(connection, table, query, limit)
        assert page.last > query.after or not page.has_more
        yield [row["id"] for row in page.rows]
        query, has_more = replace(query, after=page.last), page.has_more


@pytest.fixture
def readable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a test read the rows of its own transaction, which is not committed."""
    monkeypatch.setattr(positions, "horizon", lambda _connection: 2**62)


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 6, 7])
@pytest.mark.usefixtures("readable")
def test_pages_follow_each_other(connection: Connection, start: int, limit: int) -> None:
    """With any size: each row once, in the order of positions, and no empty page."""
    ids = write(connection, *[{}] * 6)
    walked = list(walk(connection, Query(HUB, after=start), limit))
    assert walked == [ids[first : first + limit] for first in range(0, 6, limit)]


@pytest.mark.usefixtures("readable")
def test_the_next_page_begins_where_new_rows_will_be(connection: Connection, start: int) -> None:
    """A reader that continues from the last position gets only the rows written since."""
    first = write(connection, {}, {})
    page = pages.page(connection, table, Query(HUB, after=start), 10)
    assert ([row["id"] for row in page.rows], page.has_more) == (first, False)
    again = pages.page(connection, table, Query(HUB, after=page.last), 10)
    assert (list(again.rows), again.last, again.has_more) == ([], page.last, False)
    second = write(connection, {})
    assert list(walk(connection, Query(HUB, after=again.last), 10)) == [second]


@pytest.mark.usefixtures("readable")
def test_rows_of_other_hubs_are_hidden(connection: Connection, start: int) -> None:
    """They are in no page, end no page, and cannot be read by id."""
    ids = write(connection, {}, {"hub_id": OTHER_HUB}, {}, {"hub_id": OTHER_HUB})
    assert list(walk(connection, Query(HUB, after=start), 1)) == [ids[:1], ids[2:3]]
    assert list(walk(connection, Query(UUID(int=9), after=start), 1)) == [[]]
    mine = pages.get(connection, table, HUB, ids[0])
    assert mine is not None
    assert (mine["id"], mine["hub_id"]) == (ids[0], HUB)
    assert pages.get(connection, table, HUB, ids[1]) is None
    assert pages.get(connection, table, HUB, UUID(int=7)) is None


@pytest.mark.parametrize(
    ("conditions", "numbers"),
    [
        pytest.param({"equal": {"widget_id": WIDGET}}, [0, 2, 3], id="widget"),
        pytest.param({"equal": {"widget_id": WIDGET, "event_type": "focused"}}, [2], id="widget and type"),
        pytest.param({"occurred_from": NOW}, [0, 2], id="from an instant"),
        pytest.param({"occurred_until": NOW}, [1, 3], id="until before an instant"),
        pytest.param({"occurred_from": NOW - MINUTE, "occurred_until": NOW}, [1], id="a minute"),
        pytest.param({"received_since": NOW}, [2, 3], id="received since"),
        pytest.param({"received_since": NOW + MINUTE}, [], id="received after all"),
    ],
)
@pytest.mark.usefixtures("readable")
def test_a_query_returns_every_matching_row(
    connection: Connection, start: int, conditions: dict[str, Any], numbers: list[int]
) -> None:
    """All conditions hold for each row, no matching row is missing, and no empty page follows."""
    before = {"received_at": NOW - timedelta(microseconds=1)}
    ids = write(
        connection,
        before,
        before | {"widget_id": OTHER_WIDGET, "occurred_at": NOW - MINUTE},
        {"event_type": "focused", "received_at": NOW},
        {"occurred_at": NOW - MINUTE - timedelta(microseconds=1), "received_at": NOW},
    )
    assert list(walk(connection, Query(HUB, after=start, **conditions), 10)) == [[ids[number] for number in numbers]]


@pytest.mark.usefixtures("readable")
def test_a_page_scans_a_bounded_number_of_rows(
    connection: Connection, start: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If few of many rows match, some pages are empty, and each row comes once."""
    monkeypatch.setattr(pages, "SCANNED_ROWS", 3)
    ids = write(connection, *({"event_type": "focused" if number in (4, 5, 10) else "clicked"} for number in range(11)))
    query = Query(HUB, equal={"event_type": "focused"}, after=start)
    assert list(walk(connection, query, 2)) == [[], ids[4:6], [], ids[10:]]
    assert list(walk(connection, query, 1)) == [[], ids[4:5], ids[5:6], ids[10:], []]


@pytest.mark.parametrize("first", [1, 2], ids=["one by one", "two at once"])
@pytest.mark.usefixtures("readable")
def test_a_page_ends_where_its_scan_ended(
    connection: Connection, start: int, monkeypatch: pytest.MonkeyPatch, first: int
) -> None:
    """A deletion between its statements neither lets in a row that does not match nor repeats one."""
    monkeypatch.setattr(pages, "SCANNED_ROWS", 3)
    ids = write(connection, *[{}] * 4, {"event_type": "focused"})
    forgotten = iter([ids[:first], ids[first:2]])

    def forget(executing: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith("DELETE"):
            executing.execute(delete(table).where(table.c.id.in_(next(forgotten, []))))

    event.listen(connection, "after_cursor_execute", forget)
    walked = list(walk(connection, Query(HUB, equal={"event_type": "focused"}, after=start), 2))
    event.remove(connection, "after_cursor_execute", forget)
    assert [identifier for page in walked for identifier in page] == ids[4:]


@pytest.mark.usefixtures("readable")
def test_a_page_ends_when_its_texts_are_large(connection: Connection, start: int) -> None:
    """As characters or as JSON, in any column."""
    for large in ({"view_context_ref": "é" * 300_000}, {"metadata": {"a": "x" * 600_000}}):
        for column in (large, {"additional_fields": large}):
            write(connection, *[column] * 3)
    walked = [len(page) for page in walk(connection, Query(HUB, after=start), 10)]
    assert walked == [2] * 6


@pytest.mark.usefixtures("readable")
def test_a_snapshot_ends_at_its_position(connection: Connection, start: int) -> None:
    """Rows beyond `until` are not there, and do not set has_more."""
    ids = write(connection, *[{}] * 4)
    until = pages.page(connection, table, Query(HUB, after=start), 2).last
    assert list(walk(connection, Query(HUB, after=start, until=until), 2)) == [ids[:2]]
    assert list(walk(connection, Query(HUB, after=start, until=until), 1)) == [ids[:1], ids[1:2]]
    nothing = pages.page(connection, table, Query(HUB, after=until, until=until), 2)
    assert (nothing.rows, nothing.last, nothing.has_more) == ([], until, False)


def test_no_page_goes_beyond_the_horizon(connection: Connection, start: int) -> None:
    """Not even with a larger `until`: the rows of this transaction are hidden until it commits."""
    write(connection, {})
    assert list(walk(connection, Query(HUB, after=start, until=2**62), 2)) == [[]]


def test_own_events_has_only_those_of_the_hub(connection: Connection) -> None:
    """Of the events that an annotation names, neither another hub's nor unknown ones."""
    mine, another = write(connection, {}, {"hub_id": OTHER_HUB})
    named = [str(mine), str(another), str(UUID(int=7))]
    assert annotations.own_events(connection, HUB, named) == {str(mine)}
    assert annotations.own_events(connection, HUB, []) == set()


def test_the_fields_of_an_annotation_are_columns(migrated: Database) -> None:
    """The table has the fields that a hub may fill, and the service fills its other columns."""
    with migrated.begin() as connection:
        query = "SELECT attname FROM pg_attribute WHERE attrelid = 'annotations'::regclass AND attnum > 0"
        columns = set(connection.scalars(text(query)))
    filled = {"id", "hub_id", "additional_fields", "contract_version", "received_at", "position"}
    assert columns - filled == annotations.TABLE.fields
