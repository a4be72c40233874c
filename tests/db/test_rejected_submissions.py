"""Rejected submissions: how much of them is kept, and which can be submitted again."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from psycopg import sql
from sqlalchemy import Connection, event, func, insert, select

from db import event_types, hubs, rejected_submissions, submission_usage
from db.engine import Database
from db.ids import new_id
from db.rejected_submissions import (
    EVENT_TYPE_CHARACTERS,
    MOST_HUBS,
    MOST_UNREGISTERED,
    NOT_REGISTERED,
    SEARCHED,
    Bounds,
)
from db.tables import rejected_submissions as table
from tests.db.read_blocks import MOST_BLOCKS, most_blocks
from tests.postgresql import statement

HUB, OTHER_HUB = UUID(int=1), UUID(int=2)
NOW = datetime(2026, 11, 23, tzinfo=UTC)
DAY = timedelta(days=1)
ANY = 10**9


@pytest.fixture
def database(migrated: Database) -> Iterator[Database]:
    """A database with the tables, on a server of each kind, without rejections."""
    with closing(Database(migrated.url)) as database:
        yield database
    statement(migrated.url, sql.SQL("TRUNCATE rejected_submissions"))


def reject(connection: Connection, *sizes: int, hub_id: UUID = HUB, **columns: object) -> list[UUID]:
    """Store a rejection of each size; their ids."""
    ids = [UUID(new_id()) for _ in sizes]
    common = {"hub_id": hub_id, "kind": "event", "code": "x", "error": "No.", "contract_version": "1.1"}
    for identifier, size in zip(ids, sizes, strict=True):
        values = common | {"id": identifier, "raw": b"x" * size, "received_at": NOW} | columns
        connection.execute(insert(table).values(values))
    return ids


def kept(connection: Connection, hub_id: UUID = HUB) -> list[UUID]:
    """The ids of the hub's rejections, oldest first."""
    return list(connection.scalars(select(table.c.id).where(table.c.hub_id == hub_id).order_by(table.c.position)))


def waiting(
    connection: Connection, limit: int = 100, kinds: Sequence[str] = ("event", "annotation"), code: str | None = None
) -> list[UUID]:
    """The ids of the rejections that the hub can submit again."""
    return [row["id"] for row in rejected_submissions.waiting(connection, HUB, kinds, code, limit)]


def test_a_rejection_is_kept_to_the_byte(database: Database) -> None:
    """Bytes that are no text are kept, too, with the reason; a missing value is NULL."""
    raw = bytes(range(256))
    reason = {"hub_id": HUB, "kind": "event", "code": "not_json", "error": "é", "help": "h", "contract_version": "1.1"}

    async def write() -> None:
        writer = rejected_submissions.writer(database)
        rows = [rejected_submissions.row(reason, raw), rejected_submissions.row(reason | {"batch_index": 3}, b"")]
        async with writer.writing():
            assert (await writer.add_all(rows))[1] == [None, None]
            assert (await writer.add_all(rows))[1] == [None, None]  # as a batch whose outcome was unknown

    asyncio.run(write())
    with database.begin() as connection:
        first, second = connection.execute(select(table).order_by(table.c.position)).mappings()
    assert {name: first[name] for name in reason} == reason
    assert (first["raw"], first["batch_index"], first["pointer"], first["replayed_at"]) == (raw, None, None, None)
    assert (second["raw"], second["batch_index"]) == (b"", 3)


@pytest.mark.parametrize(
    ("bounds", "number"),
    [
        pytest.param(Bounds(ANY, 1000, ANY), 4, id="nothing is beyond"),
        pytest.param(Bounds(4, 1000, ANY), 4, id="exactly so many"),
        pytest.param(Bounds(2, 1000, ANY), 2, id="too many"),
        pytest.param(Bounds(0, 1000, ANY), 0, id="none"),
        pytest.param(Bounds(ANY, 1000, 100), 4, id="exactly so many bytes"),
        pytest.param(Bounds(ANY, 1000, 99), 3, id="a byte too many"),
        pytest.param(Bounds(ANY, 1000, 39), 0, id="fewer bytes than the newest has"),
        pytest.param(Bounds(3, 1000, 70), 2, id="the tighter of two"),
    ],
)
def test_the_newest_are_kept(connection: Connection, bounds: Bounds, number: int) -> None:
    """As many as every bound allows, for each hub by itself; the others are counted and deleted."""
    ids = reject(connection, 10, 20, 30, 40)
    others = reject(connection, 1000, hub_id=OTHER_HUB)
    assert rejected_submissions.trim(connection, HUB, bounds) == 4 - number
    assert kept(connection) == ids[4 - number :]
    assert kept(connection, OTHER_HUB) == others


def test_old_rejections_are_deleted(connection: Connection) -> None:
    """After the number of days, and not a microsecond earlier. Our clock is past the beginning of the transaction."""
    now = connection.execute(select(func.now())).scalar_one()
    reject(connection, 1, received_at=now - 2 * DAY - timedelta(microseconds=1))
    (young,) = reject(connection, 1, received_at=now - 2 * DAY)
    assert rejected_submissions.trim(connection, HUB, Bounds(ANY, 2, ANY)) == 1
    assert kept(connection) == [young]


def test_hubs_with_rejections_are_listed_once(connection: Connection) -> None:
    """Without rejections the list is empty."""
    assert rejected_submissions.hubs(connection) == []
    reject(connection, 1, 1)
    reject(connection, 1, hub_id=OTHER_HUB)
    assert set(rejected_submissions.hubs(connection)) == {HUB, OTHER_HUB}
    assert len(rejected_submissions.hubs(connection)) == 2


def test_waiting_rejections_are_filtered(connection: Connection) -> None:
    """By column; oldest first, up to the limit."""
    first, second = reject(connection, 1, 1)
    (third,) = reject(connection, 1, code="y", kind="annotation")
    assert waiting(connection) == [first, second, third]
    assert waiting(connection, limit=2) == [first, second]
    assert waiting(connection, code="y") == [third]
    assert waiting(connection, kinds=["event"], code="y") == []


def test_two_settlements_cannot_deadlock(connection: Connection) -> None:
    """Rows are updated in the order of their ids, whatever their outcome and the order of the arguments."""
    ids = reject(connection, 1, 1, 1, 1)
    changed = []

    def note(*arguments: Any) -> None:
        changed.append(arguments[3]["id_1"])

    event.listen(connection, "before_cursor_execute", note)
    reason = {"code": "new", "error": "e", "help": "h", "pointer": None}
    stored_as, reasons = {ids[3]: str(ids[3]), ids[0]: str(ids[0])}, {ids[2]: reason, ids[1]: reason}
    rejected_submissions.settle(connection, stored_as, reasons)
    event.remove(connection, "before_cursor_execute", note)
    assert changed == ids


def test_a_failed_replay_waits_last(connection: Connection) -> None:
    """Many that cannot be stored do not keep a later one from being tried; its reason is the newest."""
    first, second = reject(connection, 1, 1)
    reason = {"code": "new", "error": "e", "help": "h", "pointer": "/p"}
    rejected_submissions.settle(connection, {}, {first: reason})
    assert waiting(connection) == [second, first]
    assert waiting(connection, code="new") == [first]
    (row,) = connection.execute(select(table).where(table.c.id == first)).mappings()
    assert {name: row[name] for name in reason} == reason
    assert row["replayed_at"] is None


def test_rejections_of_other_hubs_are_hidden(connection: Connection) -> None:
    """Even from a hub that knows the id."""
    (another,) = reject(connection, 1, hub_id=OTHER_HUB)
    (mine,) = reject(connection, 1)
    assert waiting(connection) == [mine]
    assert list(rejected_submissions.named(connection, HUB, [another, mine, UUID(int=7)])) == [mine]


def test_a_stored_replay_no_longer_waits(connection: Connection) -> None:
    """It is kept, with the id of the stored row and the instant; others go on waiting."""
    first, second = reject(connection, 1, 1)
    rejected_submissions.settle(connection, {first: str(UUID(int=9))}, {})
    assert waiting(connection) == [second]
    assert set(rejected_submissions.named(connection, HUB, [first, second])) == {first, second}
    rows = connection.execute(select(table).order_by(table.c.position)).mappings().all()
    assert [row["replayed_as"] for row in rows] == [UUID(int=9), None]
    assert [row["replayed_at"] is None for row in rows] == [False, True]


def new_hub(connection: Connection) -> UUID:
    """The id of a new hub."""
    return hubs.create(connection, new_id())[0].id


def refuse(connection: Connection, *sizes: int, hub_id: UUID, received_at: datetime = NOW, **columns: object) -> None:
    """Store a rejection of each size, and count them, as for an event type that is not registered."""
    reject(connection, *sizes, hub_id=hub_id, received_at=received_at, **columns)
    key = (hub_id.int, "1.1", "event", "rejected", NOT_REGISTERED)
    submission_usage.add(connection, Counter({key: len(sizes)}), received_at)


def unregistered(connection: Connection, limit: int = 100) -> list[tuple[str, UUID, int]]:
    """Each unregistered name, the hub that tried it, and how often."""
    rows = rejected_submissions.unregistered(connection, limit)
    return [(row.event_type, row.hub_id, row.count) for row in rows]


def test_a_long_event_type_is_cut(database: Database) -> None:
    """To the length of a registered name; one without an event type has none."""
    reason = {"hub_id": HUB, "kind": "event", "code": "x", "error": "No.", "help": "", "contract_version": "1.1"}

    async def write() -> None:
        writer = rejected_submissions.writer(database)
        names = ["\U0001f600" * (EVENT_TYPE_CHARACTERS + 1), "\U0001f600" * EVENT_TYPE_CHARACTERS, "", None]
        async with writer.writing():
            await writer.add_all([rejected_submissions.row(reason | {"event_type": name}, b"{}") for name in names])
            await writer.add_all([rejected_submissions.row(reason, b"{}")])

    asyncio.run(write())
    with database.begin() as connection:
        names = list(connection.scalars(select(table.c.event_type).order_by(table.c.position)))
    assert names == ["\U0001f600" * EVENT_TYPE_CHARACTERS] * 2 + ["", None, None]


def test_unregistered_names_are_listed_by_hub(connection: Connection) -> None:
    """The newest first, with how often each hub tried it; neither registered names nor replayed rejections count."""
    first, second = new_hub(connection), new_hub(connection)
    refuse(connection, 1, 1, hub_id=first, event_type="old")
    reject(connection, 1, hub_id=first, event_type="clicked", received_at=NOW + DAY)
    reject(connection, 1, hub_id=first, received_at=NOW + DAY)
    refuse(connection, 1, hub_id=second, event_type="old", received_at=NOW + 2 * DAY)
    (replayed,) = reject(connection, 1, hub_id=second, event_type="new", received_at=NOW + 3 * DAY)
    new = ("new", second, 1)
    assert unregistered(connection) == [new, ("old", second, 1), ("old", first, 2)]
    assert rejected_submissions.unregistered(connection)[0].last_at == NOW + 3 * DAY
    assert unregistered(connection, limit=1) == [new]
    rejected_submissions.settle(connection, {replayed: str(replayed)}, {})
    assert unregistered(connection) == [("old", second, 1), ("old", first, 2)]
    event_types.register(connection, "old")
    assert unregistered(connection) == []


def test_a_hub_that_makes_up_names_hides_none_of_others(connection: Connection) -> None:
    """However many and new its names are; alone it has all places, of which there are at most 50."""
    hostile, honest = new_hub(connection), new_hub(connection)
    for number in range(MOST_UNREGISTERED + 9):
        later = NOW + DAY + timedelta(seconds=number)
        refuse(connection, 1, hub_id=hostile, event_type=f"made up {number}", received_at=later)
    assert len(unregistered(connection)) == MOST_UNREGISTERED
    refuse(connection, 1, hub_id=honest, event_type="misspelt")
    names = unregistered(connection)
    assert (len(names), names[0][0], names[-1]) == (MOST_UNREGISTERED, "made up 58", ("misspelt", honest, 1))


def test_the_newest_rejections_of_a_hub_are_searched(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many, of all hubs together, that the query takes no longer the more there are."""
    monkeypatch.setattr(rejected_submissions, "SEARCHED", 2)
    hub_id = new_hub(connection)
    for name in ("first", "second", "second"):
        refuse(connection, 1, hub_id=hub_id, event_type=name)
    assert unregistered(connection) == [("second", hub_id, 2)]
    refuse(connection, 1, hub_id=new_hub(connection), event_type="third", received_at=NOW - DAY)
    assert [name for name, *_ in unregistered(connection)] == ["second", "third"]


def test_the_hubs_that_were_refused_last_are_searched(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often another one was refused before, or is refused in the same hours."""
    monkeypatch.setattr(rejected_submissions, "MOST_HUBS", 2)
    first, second, third = (new_hub(connection) for _ in range(3))
    refuse(connection, 1, hub_id=first, event_type="first")
    for number in range(9):
        refuse(connection, 1, hub_id=third, event_type=f"made up {number}", received_at=NOW + DAY)
    refuse(connection, 1, hub_id=second, event_type="second", received_at=NOW + DAY)
    assert {hub_id for _, hub_id, _ in unregistered(connection)} == {second, third}


def test_few_blocks_are_read_for_unregistered_names(connection: Connection) -> None:
    """Also if each rejection has a name of its own."""
    for _ in range(MOST_HUBS):
        hub_id = new_hub(connection)
        for number in range(SEARCHED // MOST_HUBS):
            reject(connection, 1000, hub_id=hub_id, event_type=f"{hub_id} {number}")
        refuse(connection, 1000, hub_id=hub_id, event_type="another")
    assert len(unregistered(connection)) == MOST_UNREGISTERED
    assert most_blocks(connection, partial(unregistered, connection)) <= MOST_BLOCKS
