"""The order in which rows are read: none is missed, whatever is written at the time and however late it commits."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from uuid import UUID

import psycopg
import pytest
from psycopg.sql import SQL
from sqlalchemy import event, text

from db import pages, partitions, positions, tables
from db.engine import Database
from db.pages import Query
from tests.postgresql import fresh_database, statement

HUB = UUID(int=1)
WRITERS = 8
INSERT = (
    "INSERT INTO interaction_events (id, hub_id, widget_id, event_type, occurred_at, contract_version) "
    "SELECT (lpad(to_hex((extract(epoch FROM now()) * 1000)::bigint), 12, '0') || right(gen_random_uuid()::text, 23)"
    ")::uuid, %s, %s, 'clicked', now(), '1.0' FROM generate_series(1, %s)"
)
REJECTION = (
    "INSERT INTO rejected_submissions (id, hub_id, kind, code, error, raw, contract_version) "
    "VALUES (gen_random_uuid(), %s, 'event', 'x', 'x', 'x', '1.0') RETURNING position"
)

Connect = Callable[[], psycopg.Connection]


@pytest.fixture
def database(any_server: str, partitioned: str) -> Iterator[Database]:
    """A database with the tables, whose sequence of positions is fresh, on a server of each kind."""
    with fresh_database(any_server, "positions", partitioned) as url, closing(Database(url)) as database:
        yield database


@pytest.fixture
def connect(database: Database) -> Iterator[Connect]:
    """Opens a connection for a writer; each is closed in the end."""
    opened: list[psycopg.Connection] = []

    def open_connection() -> psycopg.Connection:
        opened.append(psycopg.connect(database.url))
        return opened[-1]

    yield open_connection
    for connection in opened:
        connection.close()


def write(connection: psycopg.Connection, rows: int = 1) -> None:
    """Write events in the transaction of `connection`, which begins if none is open."""
    connection.execute(INSERT, (HUB, HUB, rows))


def horizon(database: Database) -> int:
    """The last position that can be read now."""
    with database.begin() as connection:
        return positions.horizon(connection)


def readable(database: Database, after: int = 0) -> list[int]:
    """The positions of the events beyond `after` that a reader gets now."""
    with database.begin() as connection:
        page = pages.page(connection, tables.interaction_events, Query(HUB, after=after), 1000)
    return [row["position"] for row in page.rows]


def test_nothing_is_read_where_nothing_was_written(database: Database) -> None:
    """The horizon of a fresh sequence is 0, which no row has."""
    assert horizon(database) == 0
    assert readable(database) == []


def test_the_first_position_is_held_as_any_other(database: Database, connect: Connect) -> None:
    """The sequence's last value is 1 before and after its first position is taken: the horizon distinguishes these."""
    first, second = connect(), connect()
    write(first)
    assert horizon(database) == 0
    write(second)
    second.commit()
    assert readable(database) == []
    first.commit()
    assert readable(database) == [1, 2]


def test_an_open_transaction_hides_later_rows(database: Database, connect: Connect) -> None:
    """Earlier rows are read; later ones only once it ends, whichever transaction committed them."""
    before, slow, fast = connect(), connect(), connect()
    write(before, 3)
    before.commit()
    write(slow, 2)
    write(fast, 2)
    fast.commit()
    assert readable(database) == [1, 2, 3]
    slow.commit()
    assert readable(database, after=3) == [4, 5, 6, 7]


def test_rows_are_read_by_position_whatever_the_order_of_commits(database: Database, connect: Connect) -> None:
    """Also if one transaction writes before and after the other: its first statement counts."""
    around, between = connect(), connect()
    write(around)
    write(between)
    write(around)
    between.commit()
    assert readable(database) == []
    around.commit()
    assert readable(database) == [1, 2, 3]


def test_the_lowest_open_position_counts(database: Database, connect: Connect) -> None:
    """When its transaction ends, the horizon moves to the next open one, in whatever order they end."""
    opened = [connect() for _ in range(4)]
    for connection in opened:
        write(connection)
    reads = []
    for number in (1, 0, 3, 2):
        opened[number].commit()
        reads.append(readable(database))
    assert reads == [[], [1, 2], [1, 2], [1, 2, 3, 4]]


@pytest.mark.parametrize("savepoint", [False, True])
def test_a_rolled_back_position_holds_no_reader_up(database: Database, connect: Connect, savepoint: bool) -> None:
    """It is skipped, also if only a savepoint was rolled back."""
    first, second = connect(), connect()
    if savepoint:
        first.execute("SAVEPOINT here")
    write(first)
    write(second)
    second.commit()
    assert readable(database) == []
    first.execute("ROLLBACK TO here" if savepoint else "ROLLBACK")
    assert readable(database) == [2]


def test_a_lost_connection_holds_no_reader_up(database: Database, connect: Connect) -> None:
    """Its transaction is over."""
    lost, other = connect(), connect()
    write(lost)
    write(other)
    other.commit()
    other.execute("SELECT pg_terminate_backend(%s, 10000)", (lost.info.backend_pid,))
    assert readable(database) == [2]


def test_every_table_with_positions_holds(database: Database, connect: Connect) -> None:
    """They share the sequence: a rejection that is not committed hides events behind it."""
    rejecting, writing = connect(), connect()
    assert rejecting.execute(REJECTION, (HUB,)).fetchone() == (1,)
    write(writing)
    writing.commit()
    assert readable(database) == []
    rejecting.commit()
    assert readable(database) == [2]
    tables_with_positions = {name for name, table in tables.metadata.tables.items() if "position" in table.c}
    tables_with_positions -= {"replays"}  # a replay notes the position that it has come to
    before_insert = "tgname = 'hold_position' AND tgtype = 2 | 4"
    query = f"SELECT tgrelid::regclass::text FROM pg_trigger WHERE {before_insert}"  # noqa: S608 (constants)
    assert {name for (name,) in writing.execute(query.encode())} == tables_with_positions


def test_copy_holds_as_insert_does(database: Database, connect: Connect) -> None:
    """Events that are loaded by hand are not missed either."""
    copying, writing = connect(), connect()
    columns = "id, hub_id, widget_id, event_type, occurred_at, contract_version"
    with copying.cursor() as cursor, cursor.copy(f"COPY interaction_events ({columns}) FROM STDIN") as copy:
        copy.write_row((partitions.lowest_id(datetime.now(UTC)), HUB, HUB, "clicked", datetime.now(UTC), "1.0"))
    write(writing)
    writing.commit()
    assert readable(database) == []
    copying.commit()
    assert readable(database) == [1, 2]


def test_another_database_holds_no_reader_up(database: Database, any_server: str, connect: Connect) -> None:
    """Locks with the same keys in another database of the server are ignored."""
    writing = connect()
    write(writing, 3)
    writing.commit()
    with psycopg.connect(any_server) as elsewhere:
        elsewhere.execute("SELECT pg_advisory_xact_lock_shared(%s, 0)", (positions._LOCK_CLASS,))
        assert horizon(database) == 3


@pytest.mark.parametrize("last", [2**31 - 3, 2**31 - 2, 2**31 - 1, 2**31, 2**31 + 1, 2**33 + 2**30, 2**62])
def test_locks_wrap_around_and_positions_do_not(database: Database, connect: Connect, last: int) -> None:
    """A lock carries 31 bits: before, at and after each wrap the horizon is the position itself."""
    setting, slow, fast = connect(), connect(), connect()
    setting.execute("SELECT setval('positions', %s)", (last,))
    setting.commit()
    write(slow)
    write(fast, 5)
    fast.commit()
    assert horizon(database) == last
    assert readable(database, after=last - 1) == []
    slow.commit()
    assert horizon(database) == last + 6
    assert readable(database, after=last - 1) == [last + number for number in range(1, 7)]


def test_a_writer_that_begins_during_a_read_does_not_matter(
    database: Database, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lock that is taken between the two queries of a reader names a position beyond its horizon."""
    before, beginning = connect(), connect()
    write(before, 10)
    before.commit()
    write(beginning)
    monkeypatch.setattr(positions, "_LAST", text("SELECT 5"))
    assert horizon(database) == 5


@pytest.mark.parametrize("isolation", ["repeatable read", "serializable"])
def test_a_row_that_commits_during_a_read_is_read_once(database: Database, connect: Connect, isolation: str) -> None:
    """Just before the reader looks for locks, and whatever the database's default isolation is.

    In the one snapshot of another isolation the row would be missing, although nothing holds its position any longer.
    """
    statement(database.url, SQL("ALTER DATABASE positions SET default_transaction_isolation = {}").format(isolation))
    slow, fast = connect(), connect()
    write(slow)
    write(fast)
    fast.commit()

    def commit_late(*call: object) -> None:
        if "pg_locks" in str(call[2]):
            slow.commit()

    with database.begin() as connection:
        event.listen(connection, "before_cursor_execute", commit_late)
        page = pages.page(connection, tables.interaction_events, Query(HUB), 1000)
    read = [row["position"] for row in page.rows]
    assert read + readable(database, after=page.last) == [1, 2]


def test_a_reader_misses_nothing_during_writes(database: Database) -> None:
    """Eight write in transactions of random size and length, one in ten rolled back: each row is read exactly once."""
    read, committed = race(database, seconds=4)
    assert len(committed) > 500
    assert read == sorted(read)
    assert (len(read), set(read)) == (len(set(read)), committed)


def test_the_race_can_be_lost(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that reads up to the last position misses rows: the race above would show that."""
    monkeypatch.setattr(positions, "horizon", lambda connection: connection.execute(positions._LAST).scalar_one())
    races = (race(database, seconds=2) for _ in range(20))  # the first is lost, but where the machine is busy
    assert any(set(read) < committed for read, committed in races)


def race(database: Database, seconds: float) -> tuple[list[int], set[int]]:
    """The positions that a reader got during writes, and the committed positions."""
    until = time.monotonic() + seconds
    done = threading.Event()

    def write_on(seed: int) -> None:
        chance = random.Random(seed)  # noqa: S311 (no secret)
        with psycopg.connect(database.url) as connection:
            while time.monotonic() < until:
                for _ in range(chance.randint(1, 3)):
                    write(connection, chance.randint(1, 5))
                    time.sleep(chance.random() * 0.02)
                if chance.random() < 0.1:
                    connection.rollback()
                connection.commit()

    def read_on() -> list[int]:
        read: list[int] = []
        last = 0
        while True:
            is_last = done.is_set()
            with database.begin() as connection:
                page = pages.page(connection, tables.interaction_events, Query(HUB, after=last), 50)
            read += [row["position"] for row in page.rows]
            last = page.last
            if is_last and not page.has_more:
                return read

    with ThreadPoolExecutor(WRITERS + 1) as threads:
        reading = threads.submit(read_on)
        for writing in [threads.submit(write_on, number) for number in range(WRITERS)]:
            writing.result(timeout=seconds + 30)
        done.set()
        read = reading.result(timeout=120)
    with database.begin() as connection:
        committed = connection.exec_driver_sql("SELECT position FROM interaction_events").scalars().all()
    return read, set(committed)
