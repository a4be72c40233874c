"""Stored submissions, newest first."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, Table, insert

from db import partitions, rehearsals
from db.tables import annotations, interaction_events, rejected_submissions

NOW = datetime.now(UTC)
COMMON: dict[str, Any] = {"hub_id": UUID(int=1), "contract_version": "1.1"}
SUBMITTED = COMMON | {"widget_id": UUID(int=2), "occurred_at": NOW}
COLUMNS: dict[Table, dict[str, Any]] = {
    interaction_events: SUBMITTED | {"event_type": "clicked"},
    annotations: SUBMITTED | {"category": "praise", "body": "b"},
    rejected_submissions: COMMON | {"kind": "event", "code": "c", "error": "e", "raw": b"\x00"},
}


def write(connection: Connection, table: Table, count: int, **columns: object) -> list[str]:
    """Write `count` rows, the newest of them a week ahead of the others; their ids, newest first."""
    ids = [UUID(int=partitions.lowest_id(NOW).int + number) for number in range(count - 1)]
    ids.append(partitions.lowest_id(NOW + timedelta(weeks=1)))
    rows = [COLUMNS[table] | columns | {"id": identifier, "hub_id": UUID(int=identifier.int % 3)} for identifier in ids]
    connection.execute(insert(table), rows)
    return [str(identifier) for identifier in reversed(ids)]


def pages(connection: Connection, table: Table, limit: int) -> Iterator[list[str]]:
    """The ids of each page, until one is empty."""
    before = None
    while rows := rehearsals.page(connection, table, before, limit):
        yield [row["id"] for row in rows]
        assert rows[-1]["id"] != str(before), "a page comes again"
        before = UUID(rows[-1]["id"])


@pytest.mark.parametrize("table", COLUMNS, ids=str)
def test_pages_have_each_row_once_and_the_newest_first(connection: Connection, table: Table) -> None:
    """Across all hubs and partitions, with any page size."""
    ids = write(connection, table, 5)
    assert list(pages(connection, table, 2)) == [ids[:2], ids[2:4], ids[4:]]
    assert list(pages(connection, table, 5)) == [ids]
    assert list(pages(connection, table, 6)) == [ids]


def test_a_row_is_returned_as_it_is_stored(connection: Connection) -> None:
    """Ids are strings, and every other value is the column's."""
    fields = {"metadata": {"a": [1, 0.1, None]}, "view_context_ref": "/é", "actor_id": UUID(int=7)}
    write(connection, interaction_events, 1, **fields)
    (row,) = rehearsals.page(connection, interaction_events, None, 9)
    assert set(row) == set(interaction_events.columns.keys())
    assert {name: row[name] for name in fields} == fields | {"actor_id": str(UUID(int=7))}
    assert (row["widget_id"], row["occurred_at"], row["actor_type"]) == (str(UUID(int=2)), NOW, None)


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        (interaction_events, "metadata", {"a": "x" * 999_989}),
        (annotations, "body", "x" * 999_995),
        (rejected_submissions, "raw", b"\x00" * 1_000_000),
    ],
)
def test_a_page_is_bounded_in_bytes(
    connection: Connection, monkeypatch: pytest.MonkeyPatch, table: Table, column: str, value: object
) -> None:
    """It ends with the row that fills it, so it has at least one, however well the text is compressed."""
    ids = write(connection, table, 4, **{column: value})
    monkeypatch.setattr(rehearsals, "PAGE_BYTES", 1_500_000)
    assert list(pages(connection, table, 9)) == [ids[:2], ids[2:]]
    monkeypatch.setattr(rehearsals, "PAGE_BYTES", 0)
    assert list(pages(connection, table, 9)) == [[identifier] for identifier in ids]


def test_a_page_is_bounded_in_rows(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """However large its limit is."""
    ids = write(connection, interaction_events, 3)
    monkeypatch.setattr(rehearsals, "PAGE_ROWS", 2)
    assert list(pages(connection, interaction_events, 10**9)) == [ids[:2], ids[2:]]


@pytest.mark.parametrize("table", COLUMNS, ids=str)
def test_rows_are_counted_up_to_a_number(connection: Connection, table: Table) -> None:
    """All of them, up to the number."""
    assert rehearsals.count(connection, table, 9) == 0
    write(connection, table, 3)
    assert [rehearsals.count(connection, table, last) for last in (2, 3, 4)] == [2, 3, 3]
