"""Pages of the event type registry that anybody may see."""

from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, event, insert

from db import event_types
from db.engine import Database
from db.event_types import PUBLIC, Page
from db.tables import event_type_registry as registry
from tests.db.read_blocks import vacuum
from tests.postgresql import fresh_database

COUNT = 10_000
FILL = f"""
    INSERT INTO event_type_registry (name, description, status, version)
    SELECT 'acme.area_' || md5(n::text), repeat(md5(n::text), 20),
        CASE WHEN n % 1000 = 0 THEN 'deprecated' WHEN n % 10 = 1 THEN 'pending' ELSE 'active' END, n
    FROM generate_series(1, {COUNT}) AS n
"""  # noqa: S608 (a number of ours)


@pytest.fixture(scope="module")
def many(any_server: str, partitioned: str) -> Iterator[Database]:
    """A registry with 10,000 more types: their rows are wide, in random order, and few of them are deprecated."""
    with fresh_database(any_server, "many_types", partitioned) as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(FILL)
            vacuum(connection, "event_type_registry")
        with closing(Database(url)) as database:
            yield database


def blocks(connection: Connection, read: Callable[[], Any]) -> int:
    """The blocks that the statements of `read` read, in memory or not, as PostgreSQL counts them."""
    statements: list[tuple[str, Any]] = []

    def keep(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        statements.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", keep)
    read()
    event.remove(connection, "before_cursor_execute", keep)
    return sum(_explained(connection, *statement) for statement in statements)


def _explained(connection: Connection, statement: str, parameters: Any) -> int:
    explain = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}"
    ((explanation,),) = connection.exec_driver_sql(explain, parameters)
    plan = explanation[0]["Plan"]
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


@pytest.mark.slow
@pytest.mark.parametrize("statuses", [PUBLIC, ("active",), ("deprecated",)], ids=["both", "active", "deprecated"])
def test_a_page_of_many_types_reads_few_blocks(many: Database, statuses: tuple[str, ...]) -> None:
    """At most four for each of its 50 rows, wherever it begins; all types are in more than a thousand blocks."""
    with many.begin() as connection:
        for after in ("", "acme.area_8", "acme.area_ff"):
            assert blocks(connection, partial(event_types.page, connection, statuses, "", after, 50)) <= 200


@pytest.mark.slow
@pytest.mark.parametrize("part", ["AREA_C4CA4238", "nothing", "a"], ids=["one", "none", "all"])
def test_a_search_of_many_types_reads_names_alone(many: Database, part: str) -> None:
    """The names are in the index; to the blocks of it come those of the rows that are found."""
    with many.begin() as connection:
        assert blocks(connection, partial(event_types.page, connection, PUBLIC, part, "", 50)) <= 350


@pytest.mark.slow
def test_the_list_of_the_contract_reads_few_blocks_too(many: Database) -> None:
    """It has the same order."""
    with many.begin() as connection:
        assert blocks(connection, partial(event_types.active, connection, "", 100)) <= 120


def listed(page: Page) -> list[str]:
    """The names of a page."""
    return [entry.name for entry in page.entries]


def test_pages_have_each_name_once_and_in_order(connection: Connection) -> None:
    """Both statuses are in one order, that of code points; entries that wait are left out."""
    event_types.deprecate(connection, "clicked")
    names: list[str] = []
    after = ""
    connection.execute(insert(registry).values(name="waits", status="pending"))
    for name in ("Zebra", "\u202e", "\U0001f600", "é"):
        event_types.register(connection, name)
    while True:
        page = event_types.page(connection, PUBLIC, "", after, 4)
        names += listed(page)
        if page.next_after is None:
            break
        assert (len(page.entries), page.next_after) == (4, names[-1])
        after = page.next_after
    assert names == sorted(entry.name for entry in event_types.list_all(connection) if entry.status != "pending")
    assert listed(event_types.page(connection, ("deprecated",), "", "", 50)) == ["clicked"]


def test_a_search_takes_no_account_of_case(connection: Connection) -> None:
    """In any script; and a percent sign means itself."""
    for name in ("STRASSE 100%", "Ärger"):
        event_types.register(connection, name)
    for part, names in {"straße": ["STRASSE 100%"], "ÄRGER": ["Ärger"], "0%": ["STRASSE 100%"], "%g": []}.items():
        assert listed(event_types.page(connection, PUBLIC, part, "", 50)) == names
    first = event_types.page(connection, PUBLIC, "flagged", "", 1)
    second = event_types.page(connection, PUBLIC, "flagged", first.next_after or "", 1)
    assert [listed(first), listed(second), second.next_after] == [["flagged_confusing"], ["flagged_helpful"], None]


def test_a_search_ends_after_some_names(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next page goes on from there."""
    monkeypatch.setattr(event_types, "SEARCHED", 5)
    first = event_types.page(connection, PUBLIC, "viewed", "", 50)
    assert (first.entries, first.next_after) == ([], "commented")
    after = ""
    names: list[str] = []
    while (page := event_types.page(connection, PUBLIC, "viewed", after, 50)).next_after:
        after, names = page.next_after, [*names, *listed(page)]
    assert [*names, *listed(page)] == ["viewed"]


def test_a_waiting_entry_is_not_public(connection: Connection) -> None:
    """One that waits for approval cannot be read by its name; a deprecated one can."""
    connection.execute(insert(registry).values(name="waits", status="pending"))
    event_types.deprecate(connection, "clicked")
    assert event_types.public(connection, "waits") is None
    rows = [event_types.public(connection, name) for name in ("clicked", "viewed")]
    assert [row["status"] for row in rows if row] == ["deprecated", "active"]
