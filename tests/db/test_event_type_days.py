"""The days of event types: events of a type that are older are deleted with their claims, and nothing else."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, insert, select

from db import advisory_locks, event_type_days, event_types, partitions, sweeps, tables
from db.advisory_locks import AdvisoryLock
from db.engine import Database
from tests.postgresql import fresh_database

NOW = datetime.now(UTC)
HUB = UUID(int=1)
EVENT = {"hub_id": HUB, "widget_id": HUB, "occurred_at": NOW, "contract_version": "1.1"}
_TABLES = {table.name: table for table in (tables.interaction_events, tables.annotations, tables.idempotency_keys)}


@pytest.fixture
def database(any_server: str, partitioned: str) -> Iterator[Database]:
    """A database of the test's own, with partitions of ten weeks, on a server of each kind."""
    with fresh_database(any_server, "days", partitioned) as url, closing(Database(url)) as database:
        with database.begin() as connection:
            partitions.ensure(connection, NOW - timedelta(weeks=10), NOW)
        yield database


def store(
    database: Database, days: float, event_type: str = "clicked", number: int = 0, id_days: float | None = None
) -> UUID:
    """The id of an event that was received so many days ago by the database's clock, and by the worker's."""
    received_at = NOW - timedelta(days=days)
    made_at = NOW - timedelta(days=days if id_days is None else id_days)
    identifier = UUID(int=partitions.lowest_id(made_at).int + number + 1)
    row = EVENT | {"id": identifier, "event_type": event_type, "received_at": received_at}
    claim = {"hub_id": HUB, "kind": "event", "key": str(identifier), "digest": HUB, "id": identifier}
    with database.begin() as connection:
        connection.execute(insert(tables.interaction_events).values(row))
        connection.execute(insert(tables.idempotency_keys).values(claim))
    return identifier


def kept(database: Database, table: str = "interaction_events") -> list[UUID]:
    """The ids in a table, in order."""
    with database.begin() as connection:
        return sorted(connection.scalars(select(_TABLES[table].c.id)))


def keep(database: Database, **days: int | None) -> None:
    """Keep the events of types for so many days."""
    with database.begin() as connection:
        for name, number in days.items():
            event_types.keep(connection, name, number)


def test_old_events_of_the_type_are_deleted_with_their_claims(database: Database) -> None:
    """Those of other types stay, and younger ones; a type without days of its own keeps all."""
    keep(database, clicked=30, viewed=60)
    for days in (31, 59, 69):
        store(database, days)
    others = [store(database, days) for days in (29, 1)] + [store(database, 58, "viewed"), store(database, 68, "x")]
    store(database, 61, "viewed")
    assert event_type_days.delete_old(database) == 4
    assert kept(database) == kept(database, "idempotency_keys") == sorted(others)


@pytest.mark.parametrize(("days", "id_days"), [(29, 31), (31, 29)])
def test_an_event_is_old_by_both_clocks(database: Database, days: float, id_days: float) -> None:
    """One clock was wrong when it was received: it stays until it is old by the other one, too."""
    keep(database, clicked=30)
    event = store(database, days, id_days=id_days)
    assert event_type_days.delete_old(database) == 0
    assert kept(database) == [event]


def test_an_annotation_stays_when_its_event_is_deleted(database: Database) -> None:
    """It is of its own age, as when a week of events is dropped."""
    keep(database, clicked=30)
    row = EVENT | {"category": "idea", "body": "Red.", "event_id": store(database, 31), "id": store(database, 1, "x")}
    with database.begin() as connection:
        connection.execute(insert(tables.annotations).values(row))
    assert event_type_days.delete_old(database) == 1
    assert len(kept(database, "annotations")) == 1


def test_many_are_deleted_some_at_a_time(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """No transaction reads more rows than it may, and none is left, in any partition."""
    monkeypatch.setattr(sweeps, "ROWS", 3)
    keep(database, clicked=30)
    for number in range(11):
        store(database, 31 + 3 * number, number=number)
    assert event_type_days.delete_old(database) == 11
    assert (kept(database), kept(database, "idempotency_keys")) == ([], [])


def test_the_next_run_goes_on_where_the_last_one_ended(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Less a day. Other days for the type let it begin anew."""
    keep(database, clicked=30)
    event_type_days.delete_old(database)
    late = [store(database, 30.5, number=1), store(database, 32)]
    read: list[int] = []
    after = sweeps.Sweep.after

    def counted(*arguments: Any) -> sweeps.Swept:
        swept = after(*arguments)
        read.append(swept.read)
        return swept

    monkeypatch.setattr(sweeps.Sweep, "after", counted)
    assert event_type_days.delete_old(database) == 1
    assert (read, kept(database)) == ([1], late[1:])
    keep(database, clicked=30)
    assert event_type_days.delete_old(database) == 1


def test_one_process_at_a_time_deletes(database: Database) -> None:
    """Another one finds the lock taken, and leaves it to the first."""
    keep(database, clicked=30)
    store(database, 31)
    with database.session() as session:
        assert advisory_locks.try_session_lock(session, AdvisoryLock.EVENT_TYPE_DAYS)
        assert event_type_days.delete_old(database) == 0
    assert event_type_days.delete_old(database) == 1


def test_what_would_be_deleted_is_counted(database: Database) -> None:
    """For each type with days of its own; nothing is deleted, and forever takes a type off the list."""
    keep(database, clicked=30, viewed=60, focused=1)
    keep(database, focused=None)
    store(database, 31)
    store(database, 29)
    with database.begin() as connection:
        old = event_type_days.list_old(connection)
        assert [(row.event_type, row.keep_days, row.events) for row in old] == [("clicked", 30, 1), ("viewed", 60, 0)]
        assert connection.execute(select(func.count()).select_from(tables.interaction_events)).scalar_one() == 2
