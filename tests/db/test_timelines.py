"""Timelines: where a database begins anew, readers with a cursor from before miss nothing, and clients learn of it."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import text

from db import pages, rejected_submissions, tables
from db.engine import Database
from db.errors import UnknownPosition
from db.pages import Query
from db.timelines import FIRST, NOTE, Timeline, Timelines
from tests.postgresql import fresh_database, promoted, statement

HUB = UUID(int=1)
INSERT = (
    "INSERT INTO interaction_events (id, hub_id, widget_id, event_type, occurred_at, contract_version) "
    "SELECT (lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0') "
    "|| right(gen_random_uuid()::text, 23))::uuid, %s, %s, 'clicked', now(), '1.0' FROM generate_series(1, %s)"
)
MOVED = sql.SQL("UPDATE timelines SET system_identifier = system_identifier + 1")
"""As if the rows had been restored on this server from a dump of another one."""
REWIND = (
    sql.SQL("DELETE FROM interaction_events WHERE position > 500"),
    sql.SQL("SELECT setval('positions', 500)"),
    MOVED,
)
"""Leave what a restore to position 500 leaves."""


@pytest.fixture
def database(any_server: str, partitioned: str) -> Iterator[Database]:
    """A database with the tables on its first timeline, on a server of each kind."""
    with fresh_database(any_server, "timelines", partitioned) as url, closing(Database(url)) as database:
        read(database)
        yield database


def read(database: Database) -> Timeline:
    """The newest timeline, as a worker reads it that starts now."""
    timelines = Timelines()

    async def update() -> None:
        async with database.connected() as connection:
            await timelines.update(connection)

    asyncio.run(update())
    return timelines.newest


def write(database: Database, rows: int) -> None:
    """Write events of the hub, and commit them."""
    with psycopg.connect(database.url) as connection:
        connection.execute(INSERT, (HUB, HUB, rows))


def readable(database: Database, after: int = 0) -> list[int]:
    """The positions of the events beyond `after` that a reader gets now."""
    with database.begin() as connection:
        page = pages.page(connection, tables.interaction_events, Query(HUB, after=after), 1000)
    return [row["position"] for row in page.rows]


def rows(database: Database) -> list[dict[str, object]]:
    """The rows of the table, oldest first."""
    with database.begin() as connection:
        query = tables.timelines.select().order_by(tables.timelines.c.epoch)
        return [dict(row) for row in connection.execute(query).mappings()]


def test_the_first_timeline_makes_no_jump(database: Database) -> None:
    """It has epoch 1, and neither time; it is noted once, however often it is read."""
    write(database, 3)
    assert [read(database) for _ in range(3)] == [Timeline(FIRST, None, None)] * 3
    assert [row["epoch"] for row in rows(database)] == [FIRST]
    assert readable(database) == [1, 2, 3]


def test_a_follower_misses_nothing_after_a_restore(database: Database) -> None:
    """Its cursor is of a row that is lost; the five rows after the restore are all beyond it."""
    write(database, 1000)
    cursor = readable(database)[-1]
    assert cursor == 1000
    statement(database.url, *REWIND)
    assert read(database).epoch > FIRST
    write(database, 5)
    assert len(readable(database, after=cursor)) == 5
    assert len(readable(database)) == 505


def test_a_restore_is_noted_with_what_survived(database: Database) -> None:
    """The newest row that survived, be it an event or an annotation, and the last position."""
    write(database, 1000)
    statement(database.url, *REWIND)
    began = datetime.now(UTC)
    timeline = read(database)
    with database.begin() as connection:
        newest = connection.scalar(text("SELECT max(received_at) FROM interaction_events"))
    assert timeline.restored_to == newest
    assert timeline.detected_at is not None
    assert began - timedelta(seconds=1) < timeline.detected_at < datetime.now(UTC) + timedelta(seconds=1)
    assert timeline.epoch == int(timeline.detected_at.timestamp())
    assert rows(database)[-1]["last_position"] == 500
    with psycopg.connect(database.url) as connection:
        connection.execute(
            "INSERT INTO annotations (id, hub_id, widget_id, category, body, occurred_at, contract_version) "
            "SELECT id, hub_id, widget_id, 'praise', '', now(), '1.0' FROM interaction_events ORDER BY id DESC LIMIT 1"
        )
    statement(database.url, MOVED)
    assert read(database).restored_to > newest


def test_an_empty_database_is_restored_to_no_time(database: Database) -> None:
    """No row survived."""
    statement(database.url, MOVED)
    assert (read(database).epoch > FIRST, read(database).restored_to) == (True, None)


def test_two_restores_of_the_same_dump_are_apart(database: Database) -> None:
    """The second one knows nothing of the first: the time makes its epoch and its positions higher, all the same."""
    write(database, 10)
    kept = rows(database)
    epochs, last = [], []
    for _ in range(2):
        statement(database.url, sql.SQL("DELETE FROM timelines"), sql.SQL("SELECT setval('positions', 10)"))
        with database.begin() as connection:
            connection.execute(tables.timelines.insert(), kept)
        statement(database.url, MOVED)
        epochs.append(read(database).epoch)
        write(database, 10)
        last.append(readable(database)[-1])
        time.sleep(1.1)  # an epoch is a second
    assert epochs[0] < epochs[1]
    assert last[0] < last[1] - 10


@pytest.mark.parametrize("ahead", [0, 2**61])
def test_each_jump_is_beyond_the_one_before(database: Database, ahead: int) -> None:
    """Whatever the clock says: also if it was far ahead at the last one."""
    statement(database.url, sql.SQL("SELECT setval('positions', {})").format(ahead + 1))
    for _ in range(3):
        write(database, 1)
        before = readable(database)[-1]
        statement(database.url, MOVED)
        read(database)
        write(database, 1)
        assert readable(database)[-1] >= before + 2**40
    assert len({row["epoch"] for row in rows(database)}) == 4


def test_a_jump_waits_for_open_transactions(database: Database) -> None:
    """Until they have ended it is not made, and readers stop before them; then nothing is missed."""
    with psycopg.connect(database.url) as slow:
        slow.execute(INSERT, (HUB, HUB, 1))
        write(database, 1)
        statement(database.url, MOVED)
        assert read(database).epoch == FIRST
        write(database, 1)
        assert readable(database) == []
    assert readable(database) == [1, 2, 3]
    assert read(database).epoch > FIRST
    with psycopg.connect(database.url) as slow:
        slow.execute(INSERT, (HUB, HUB, 1))
        write(database, 1)
        assert readable(database, after=3) == []
    assert len(readable(database, after=3)) == 2


def test_what_waited_for_a_failover_comes_after_the_jump(database: Database) -> None:
    """A writer may be the first that connects after a restore: its rows are beyond the positions from before, too."""
    write(database, 1000)
    statement(database.url, *REWIND)
    rejection = {"id": str(uuid4()), "hub_id": str(HUB), "kind": "event", "code": "x", "error": "x", "help": ""}
    row = rejected_submissions.row(rejection | {"contract_version": "1.0"}, b"{}")

    async def add() -> None:
        writer = rejected_submissions.writer(database)
        async with writer.writing():
            await writer.add(row)

    asyncio.run(add())
    with database.begin() as connection:
        assert connection.scalar(text("SELECT position FROM rejected_submissions")) > 1000


def test_one_of_many_workers_notes_a_timeline(database: Database) -> None:
    """However many notice it at once, there is one row and one jump."""
    statement(database.url, MOVED)

    async def note() -> int:
        async with database.connected() as connection:
            return int((await connection.execute(NOTE))[0][0])

    async def note_at_once() -> list[int]:
        return await asyncio.gather(*[note() for _ in range(8)])

    assert set(asyncio.run(note_at_once())) <= {row["epoch"] for row in rows(database)}
    assert len(rows(database)) == 2


def test_a_copy_is_a_timeline_of_its_own(database: Database, any_server: str) -> None:
    """A database that was made from this one by TEMPLATE has the same rows, and another future."""
    database.close()
    with (
        fresh_database(any_server, "copied", database.url.split("/")[-1].split("?")[0]) as url,
        closing(Database(url)) as copy,
    ):
        assert read(copy).epoch > FIRST


def test_a_sequence_of_another_dump_is_a_new_timeline(database: Database) -> None:
    """A dump that is restored into the same database makes the sequence anew."""
    column = "ALTER TABLE {} ALTER COLUMN position {}"
    names = ("interaction_events", "annotations", "rejected_submissions")
    with psycopg.connect(database.url) as connection:
        for name in names:
            connection.execute(column.format(name, "DROP DEFAULT").encode())
        connection.execute("DROP SEQUENCE positions")
        connection.execute("CREATE SEQUENCE positions")
        for name in names:
            connection.execute(column.format(name, "SET DEFAULT nextval('positions')").encode())
    assert read(database).epoch > FIRST


def test_a_promotion_is_a_new_timeline(any_server: str, partitioned: str) -> None:
    """A standby that takes over may lack what was committed last: it says so at once, to a role without privileges."""
    with fresh_database(any_server, "promoted", partitioned) as url, closing(Database(url)) as database:
        assert read(database).epoch == FIRST
        write(database, 3)
        with promoted(url) as standby, closing(Database(standby)) as taken_over:
            assert read(taken_over).epoch > FIRST
            write(taken_over, 2)
            assert len(readable(taken_over, after=3)) == 2
        assert read(database).epoch == FIRST


def test_a_plain_role_may_note_a_timeline(database: Database) -> None:
    """The role needs no privilege but to own the tables."""
    role = sql.Identifier(f"plain_{uuid4().hex}")
    with psycopg.connect(database.url) as connection:
        connection.execute(sql.SQL("CREATE ROLE {}").format(role))
        owned = connection.execute(
            "SELECT oid::regclass::text FROM pg_class WHERE relnamespace = 'public'::regnamespace "
            "AND relkind IN ('r', 'p') UNION SELECT 'positions'"
        ).fetchall()
        for (name,) in owned:
            connection.execute(sql.SQL("ALTER TABLE {} OWNER TO {}").format(sql.Identifier(name), role))
        connection.execute(MOVED)
        connection.execute(sql.SQL("SET ROLE {}").format(role))
        row = connection.execute(NOTE).fetchone()
        connection.rollback()
    assert row is not None
    assert (row[0] > FIRST, row[3]) == (True, True)


def test_a_server_that_does_not_say_where_it_is_serves_on(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    """A managed server may keep its control data to itself: a warning says once that no restore is detected."""
    role = sql.Identifier(f"reading_{uuid4().hex}")
    statement(
        database.url,
        sql.SQL("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC"),
        sql.SQL("CREATE ROLE {0}; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {0}").format(role),
    )
    followed = Timelines()

    async def update() -> None:
        async with database.connected() as connection:
            await connection.execute(sql.SQL("SET ROLE {}").format(role).as_string())
            for _ in range(3):
                await followed.update(connection)

    asyncio.run(update())
    assert followed.newest == Timeline()
    assert len([record for record in caplog.records if "cannot be noted" in record.message]) == 1


def test_a_cursor_beyond_the_last_position_is_refused(database: Database) -> None:
    """No row ever had it; the last position itself is good, whether or not its row is read yet."""
    write(database, 3)
    assert readable(database, after=3) == []
    with pytest.raises(UnknownPosition):
        readable(database, after=4)
    with psycopg.connect(database.url) as slow:
        slow.execute(INSERT, (HUB, HUB, 1))
        write(database, 1)
        assert readable(database, after=5) == []


def test_a_cursor_may_be_the_first_sign_of_a_restore(database: Database) -> None:
    """A reader that comes before any worker has noticed the restore is not refused."""
    write(database, 1000)
    statement(database.url, *REWIND)
    assert readable(database, after=1000) == []
    assert len(rows(database)) == 2


def test_a_newer_timeline_is_announced(database: Database) -> None:
    """First the newest one, then each newer one, once."""
    announced: list[int] = []
    followed = Timelines()

    async def update() -> None:
        async with database.connected() as connection:
            await followed.update(connection)
            followed.announce_to(lambda timeline: announced.append(timeline.epoch))
            await asyncio.to_thread(statement, database.url, MOVED)
            for _ in range(3):
                await followed.update(connection)

    asyncio.run(update())
    assert announced == [FIRST, rows(database)[-1]["epoch"]]
