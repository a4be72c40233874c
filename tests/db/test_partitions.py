"""The weekly partitions: where each begins and ends, and that no client waits while they come and go."""

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import psycopg
import pytest
from psycopg import sql

from db import partitions
from db.engine import Database
from db.errors import Unavailable
from db.ids import new_id
from db.partitions import WEEK, lowest_id
from tests.postgresql import fresh_database, statement

MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
LONG_AGO = datetime(1970, 1, 5, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
HUB = UUID(int=1)


@pytest.fixture
def url(any_server: str, tables: str) -> Iterator[str]:
    """The URL of a database with the tables and no partition, on a server of each kind."""
    with fresh_database(any_server, "partitions", tables) as url:
        yield url


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """That database."""
    with closing(Database(url)) as database:
        yield database


@pytest.fixture
def outsider(url: str) -> Iterator[psycopg.Connection]:
    """Another client's connection; each of its statements is a transaction that waits for no lock."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET lock_timeout = '10ms'")
        yield connection


def version_7(instant: datetime, random: int) -> UUID:
    """A UUID of `instant` whose 74 random bits are all `random`, laid out as in RFC 9562, section 5.7."""
    milliseconds = round(instant.timestamp() * 1000)
    a, b = (0xFFF * random, (2**62 - 1) * random)
    return UUID(int=milliseconds << 80 | 7 << 76 | a << 64 | 2 << 62 | b)


def insert(connection: psycopg.Connection, *ids: UUID) -> None:
    """Store events with these ids."""
    for identifier in ids:
        connection.execute(
            "INSERT INTO interaction_events (id, hub_id, widget_id, event_type, occurred_at, contract_version) "
            "VALUES (%s, %s, %s, 'clicked', now(), '1.0')",
            (identifier, HUB, HUB),
        )


def kept(connection: psycopg.Connection) -> list[tuple[UUID, str]]:
    """The ids of the events, and the partition of each."""
    return connection.execute("SELECT id, tableoid::regclass::text FROM interaction_events ORDER BY id").fetchall()


def ensure(database: Database, first: datetime, last: datetime) -> list[str]:
    """The names of the partitions made from `first` to `last`, committed."""
    with database.begin() as connection:
        return partitions.ensure(connection, first, last)


def names(database: Database) -> list[str]:
    """The names of the partitions."""
    with database.begin() as connection:
        return [partition.name for partition in partitions.list_all(connection)]


def drop_before(database: Database, instant: datetime) -> list[str]:
    """The names of the dropped partitions, committed."""
    with database.begin() as connection:
        return [partition.name for partition in partitions.drop_before(connection, instant)]


def weeks(*mondays: str) -> list[str]:
    """The partitions of these weeks of 2026, in the order of their creation."""
    return [f"{table}_2026_{monday}" for monday in mondays for table in partitions.TABLES]


def wait_until_blocked(connection: psycopg.Connection, work: Future[list[str]]) -> None:
    """Return when `work` waits for a lock, or has ended."""
    waiting = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    while not connection.execute(waiting).rowcount and not work.done():
        time.sleep(0.01)


@pytest.mark.parametrize("random", [0, 1])
def test_the_lowest_id_of_an_instant_divides_before_from_after(random: int) -> None:
    """Whatever its random bits: an id of the instant is not below it, and an id of the millisecond before is."""
    assert version_7(MONDAY - MILLISECOND, random) < lowest_id(MONDAY) <= version_7(MONDAY, random)


def test_new_ids_are_of_now() -> None:
    """A new id lies between the lowest ids of before and after."""
    before = datetime.now(UTC)
    identifier = UUID(new_id())
    assert lowest_id(before) <= identifier < lowest_id(datetime.now(UTC) + MILLISECOND)


def test_a_week_ends_where_the_next_begins(database: Database, outsider: psycopg.Connection) -> None:
    """The last id of Sunday 23:59:59.999 is in one, the first of Monday 00:00:00.000 in the other."""
    assert ensure(database, MONDAY, MONDAY + WEEK) == weeks("11_23", "11_30")
    last, first = version_7(MONDAY + WEEK - MILLISECOND, 1), version_7(MONDAY + WEEK, 0)
    insert(outsider, last, first)
    assert kept(outsider) == [(last, "interaction_events_2026_11_23"), (first, "interaction_events_2026_11_30")]


@pytest.mark.parametrize(
    ("first", "last", "mondays"),
    [
        pytest.param(MONDAY, MONDAY, ["11_23"], id="an instant"),
        pytest.param(MONDAY, MONDAY + WEEK - MILLISECOND, ["11_23"], id="a whole week"),
        pytest.param(MONDAY - MILLISECOND, MONDAY, ["11_16", "11_23"], id="over midnight"),
        pytest.param(
            MONDAY.replace(tzinfo=timezone(timedelta(hours=1))), MONDAY, ["11_16", "11_23"], id="Monday in Berlin"
        ),
    ],
)
def test_weeks_cover_a_span(database: Database, first: datetime, last: datetime, mondays: list[str]) -> None:
    """Every week that the span touches is made once for each table."""
    assert ensure(database, first, last) == weeks(*mondays)
    assert ensure(database, first, last) == []


@pytest.mark.parametrize("table", partitions.TABLES)
def test_a_partition_is_indexed_as_the_table_is(database: Database, outsider: psycopg.Connection, table: str) -> None:
    """Each index of the table has one of the partition below it, and no index is there twice."""
    ensure(database, MONDAY, MONDAY)
    query = (
        "SELECT count(*), count(inhparent) FROM pg_index LEFT JOIN pg_inherits ON inhrelid = indexrelid "
        "WHERE indrelid = %s::regclass"
    )
    assert outsider.execute(query, (table,)).fetchone() == (4, 0)
    assert outsider.execute(query, (f"{table}_2026_11_23",)).fetchone() == (4, 4)


def test_inserts_go_on_while_a_week_is_made(database: Database, outsider: psycopg.Connection) -> None:
    """As long as the transaction that makes it is open, events of another week are kept without a wait."""
    ensure(database, MONDAY, MONDAY)
    with database.begin() as connection:
        assert partitions.ensure(connection, MONDAY + WEEK, MONDAY + 3 * WEEK)
        insert(outsider, version_7(MONDAY, 0))
        assert len(kept(outsider)) == 1


def test_two_transactions_that_make_the_same_week_take_turns(database: Database, outsider: psycopg.Connection) -> None:
    """The second waits for the first, and finds nothing left to make."""
    with ThreadPoolExecutor(1) as thread:
        with database.begin() as connection:
            assert len(partitions.ensure(connection, MONDAY, MONDAY)) == 2
            second = thread.submit(ensure, database, MONDAY, MONDAY)
            wait_until_blocked(outsider, second)
        assert second.result() == []


def test_a_week_that_is_being_dropped_is_not_listed(database: Database, outsider: psycopg.Connection) -> None:
    """A listing waits for the end of the drop, and returns the other partitions."""
    ensure(database, MONDAY - WEEK, MONDAY)
    with ThreadPoolExecutor(1) as thread:
        with database.begin() as connection:
            partitions.drop_before(connection, MONDAY)
            listed = thread.submit(names, database)
            wait_until_blocked(outsider, listed)
        assert listed.result() == sorted(weeks("11_23"))


def test_many_processes_keep_up_at_once(database: Database) -> None:
    """Each new week is made by one of them, each old week dropped by one of them, and none has an error."""
    ensure(database, MONDAY - 9 * WEEK, MONDAY - WEEK)
    with ThreadPoolExecutor(8) as threads:
        making = [threads.submit(partitions.create_coming, database, MONDAY) for _ in range(8)]
        made = [name for turn in making for name in turn.result()]
        dropping = [threads.submit(partitions.drop_expired, database, MONDAY, 7) for _ in range(8)]
        dropped = [partition.name for turn in dropping for partition in turn.result()]
    assert (len(made), len(dropped)) == (10, 16)
    assert set(names(database)) == {*weeks("11_16"), *made}


def test_upkeep_is_left_to_the_process_that_is_at_it(database: Database, url: str) -> None:
    """While another process makes partitions, it makes nothing, drops nothing and does not wait."""
    ensure(database, MONDAY - 2 * WEEK, MONDAY - WEEK)
    with database.begin() as connection, closing(Database(url)) as other:
        partitions.ensure_coming(connection, MONDAY)
        assert partitions.create_coming(other, MONDAY) == []
        assert partitions.drop_expired(other, MONDAY, 1) == []


def test_upkeep_makes_this_week_and_the_coming_four(database: Database) -> None:
    """On Sunday night as on Monday morning, and each hour only the missing ones."""
    assert partitions.create_coming(database, MONDAY - MILLISECOND) == weeks(
        "11_16", "11_23", "11_30", "12_07", "12_14"
    )
    assert partitions.create_coming(database, MONDAY) == weeks("12_21")
    assert partitions.create_coming(database, MONDAY) == []


def test_the_end_of_the_weeks_without_a_gap_is_known(database: Database) -> None:
    """A week that is missing ends them, whatever comes after it; without this week it is now."""
    now = MONDAY + timedelta(days=2)
    for first, last in ((0, 2), (4, 5)):
        ensure(database, MONDAY + first * WEEK, MONDAY + last * WEEK)
    with database.begin() as connection:
        assert partitions.covered_until(connection, now) == dict.fromkeys(partitions.TABLES, MONDAY + 3 * WEEK)
        before = MONDAY - MILLISECOND
        assert partitions.covered_until(connection, before) == dict.fromkeys(partitions.TABLES, before)
        monday = MONDAY + WEEK
        assert partitions.covered_until(connection, monday) == dict.fromkeys(partitions.TABLES, MONDAY + 3 * WEEK)
    statement(database.url, sql.SQL("DROP TABLE annotations_2026_11_30"))
    with database.begin() as connection:
        assert partitions.covered_until(connection, now) == {
            "interaction_events": MONDAY + 3 * WEEK,
            "annotations": MONDAY + WEEK,
        }


def test_an_event_is_kept_as_long_as_the_retention_says(database: Database, outsider: psycopg.Connection) -> None:
    """A week is dropped when its last event is as old as the retention, and not a millisecond earlier."""
    ensure(database, MONDAY - WEEK, MONDAY)
    insert(outsider, version_7(MONDAY - MILLISECOND, 1), version_7(MONDAY, 0))
    dropped = partitions.drop_expired(database, MONDAY + timedelta(days=30) - MILLISECOND, 30)
    assert dropped == []
    dropped = partitions.drop_expired(database, MONDAY + timedelta(days=30), 30)
    assert [(week.table, week.name, week.since, week.until) for week in dropped] == [
        (table, f"{table}_2026_11_16", MONDAY - WEEK, MONDAY) for table in sorted(partitions.TABLES)
    ]
    assert [identifier for identifier, _ in kept(outsider)] == [version_7(MONDAY, 0)]


def test_a_drop_does_not_hold_up_inserts(database: Database, url: str, outsider: psycopg.Connection) -> None:
    """While a client reads, the drop gives up soon and the old weeks stay."""
    ensure(database, MONDAY - 2 * WEEK, MONDAY)
    with psycopg.connect(url) as reader:
        reader.execute("SELECT FROM interaction_events")
        started = time.monotonic()
        with pytest.raises(Unavailable, match="LockNotAvailable"):
            partitions.drop_expired(database, MONDAY, 1)
        assert time.monotonic() - started < 2
        insert(outsider, version_7(MONDAY, 0))
    assert len(names(database)) == 6
    assert set(drop_before(database, MONDAY)) == set(weeks("11_09", "11_16"))
    assert len(kept(outsider)) == 1


def test_partitions_say_how_large_they_are(database: Database, outsider: psycopg.Connection) -> None:
    """Rows as PostgreSQL last counted them; bytes on disk, indexes included."""
    for name in ensure(database, MONDAY, MONDAY + WEEK):  # autovacuum would count in between, and estimate
        outsider.execute(sql.SQL("ALTER TABLE {} SET (autovacuum_enabled = off)").format(sql.Identifier(name)))
    insert(outsider, *(version_7(MONDAY + number * MILLISECOND, 0) for number in range(1000)))
    outsider.execute("ANALYZE interaction_events")
    with database.begin() as connection:
        full, empty = (
            partition for partition in partitions.list_all(connection) if partition.table == "interaction_events"
        )
    assert (full.estimated_rows, empty.estimated_rows) == (1000, 0)
    size = "SELECT pg_table_size('interaction_events_2026_11_23') + pg_indexes_size('interaction_events_2026_11_23')"
    assert outsider.execute(size).fetchone() == (full.bytes,)


def test_a_partition_made_by_hand_is_left_alone(database: Database, outsider: psycopg.Connection) -> None:
    """Without two bounds it is no week: it is not listed, and never dropped."""
    outsider.execute("CREATE TABLE anything_else PARTITION OF interaction_events DEFAULT")
    insert(outsider, version_7(MONDAY, 0))
    assert drop_before(database, MONDAY + WEEK) == names(database) == []
    assert len(kept(outsider)) == 1
