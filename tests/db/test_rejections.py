"""The rejections of all hubs: what the pages of operators read of them is little, however many there are."""

import dataclasses
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from functools import partial
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import Connection, text

from db import hubs, migrate, rejections, replays
from db.audit import Author
from db.engine import Database
from db.ids import new_id
from db.rejections import MOST_COUNTED, CodeCount, RejectionFilter, State
from db.replays import Progress
from db.tables import rejected_submissions as table
from tests.db.read_blocks import MOST_BLOCKS, most_blocks, vacuum
from tests.db.test_rejected_submissions import DAY, NOW, reject
from tests.postgresql import fresh_database

FILL = """
    INSERT INTO hubs (id, name, api_key)
    SELECT ('00000000-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid, 'hub ' || n, lpad(n::text, 64, '0')
    FROM generate_series(1, 1000) AS n;
    INSERT INTO rejected_submissions (id, hub_id, kind, code, error, help, pointer, raw, contract_version, event_type)
    SELECT gen_random_uuid(), ('00000000-0000-0000-0000-' || lpad((n % hubs + 1)::text, 12, '0'))::uuid,
        CASE WHEN n % 10 = 0 THEN 'annotation' ELSE 'event' END,
        CASE WHEN n % 1000 = 0 THEN 'rare' WHEN n % 3 = 0 THEN 'invalid_body' ELSE 'event_type_not_registered' END,
        'event_type ''area.something_' || n || ''' not registered', repeat('h', 150), '/event_type',
        decode(repeat('7b7d', 150), 'hex'), '1.1', 'area.something_' || n % 20
    FROM generate_series(1, 100000) AS n, (VALUES (%s)) AS many(hubs);
"""
NEWEST_REPLAYED = """
    UPDATE rejected_submissions SET replayed_at = now(), replayed_as = id
    WHERE position > (SELECT max(position) - 60000 FROM rejected_submissions)
"""
AUTHOR = Author("cli:tester")
HUB = UUID(int=7)


@pytest.fixture(scope="module", params=["ten hubs", "a thousand hubs", "most replayed"])
def many(embedded_url: str, request: pytest.FixtureRequest) -> Iterator[Database]:
    """A database with 100,000 rejections, after autovacuum."""
    with fresh_database(embedded_url, "many_rejections") as url, closing(Database(url)) as database:
        migrate.upgrade(database)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(FILL.replace("%s", "1000" if request.param == "a thousand hubs" else "10"))
            if request.param == "most replayed":
                connection.execute(NEWEST_REPLAYED)
            vacuum(connection, "rejected_submissions", "hubs")
        yield database


FILTERS = {
    "all": RejectionFilter(),
    "a code": RejectionFilter(code="invalid_body"),
    "a rare code": RejectionFilter(code="rare"),
    "no such code": RejectionFilter(code="none"),
    "a hub": RejectionFilter(hub_id=HUB),
    "no such hub": RejectionFilter(hub_id=UUID(int=1)),
    "a type": RejectionFilter(event_type="area.something_3"),
    "no such type": RejectionFilter(event_type="none"),
    "a kind": RejectionFilter(kind="annotation"),
    "no such kind": RejectionFilter(kind="event-batch"),
    "a code of a hub": RejectionFilter(code="rare", hub_id=HUB),
    "a kind of a code": RejectionFilter(code="rare", kind="event"),
    "a kind of a type": RejectionFilter(event_type="area.something_3", kind="annotation"),
    "all four": RejectionFilter("rare", HUB, "area.something_3", "annotation"),
    "ids": RejectionFilter(ids=tuple(uuid4() for _ in range(50))),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", FILTERS)
def test_a_list_reads_few_blocks(many: Database, name: str) -> None:
    """Of any filter, also one that few rows have or none, and wherever the page begins; so do the counts."""
    asked = FILTERS[name]
    with many.begin() as connection:
        middle = connection.execute(text("SELECT max(position) - 50000 FROM rejected_submissions")).scalar_one()
        states: tuple[State, ...] = ("waiting", "replayed")
        for before in (None, middle):
            for state in states:
                read = partial(rejections.page, connection, asked, state, before, 51)
                assert most_blocks(connection, read) <= MOST_BLOCKS, (before, state)
        assert most_blocks(connection, partial(rejections.count_waiting, connection, asked)) <= MOST_BLOCKS


@pytest.mark.slow
def test_what_was_replayed_last_reads_few_blocks(many: Database) -> None:
    """Also of a hub of which most was replayed."""
    with many.begin() as connection:
        assert most_blocks(connection, partial(rejections.replayed_last, connection, HUB, 20)) <= MOST_BLOCKS


@pytest.mark.slow
def test_the_counts_by_code_read_few_blocks(many: Database) -> None:
    """They are in an index, and of a code with many the newest are counted."""
    with many.begin() as connection:
        counts = {count.code: count for count in rejections.by_code(connection)}
        assert {code: count.is_cut for code, count in counts.items()} == {
            "event_type_not_registered": True,
            "invalid_body": True,
            "rare": False,
        }
        assert {count.rows for count in counts.values()} in ({MOST_COUNTED, 100}, {MOST_COUNTED, 40})
        assert most_blocks(connection, partial(rejections.by_code, connection)) <= MOST_BLOCKS


@pytest.mark.slow
@pytest.mark.parametrize("name", FILTERS)
def test_a_slice_of_a_replay_reads_few_blocks(many: Database, name: str) -> None:
    """As do its beginning, and what is recorded in the end."""
    worker = uuid4()
    with many.begin() as connection:
        attempt = connection.begin_nested()
        waiting = FILTERS[name] if rejections.count_waiting(connection, FILTERS[name]) else RejectionFilter()
        start = partial(replays.start, connection, AUTHOR, waiting)
        assert most_blocks(connection, start) <= MOST_BLOCKS
        start()
        assert most_blocks(connection, partial(replays.take, connection, worker)) <= MOST_BLOCKS
        replay = replays.take(connection, worker)
        assert replay is not None
        replay = dataclasses.replace(replay, filter=FILTERS[name].values)
        for position in (0, replay.last_position - 50_000, replay.last_position - 10):
            assert most_blocks(connection, partial(replays.rows, connection, replay, position, 100)) <= MOST_BLOCKS
        rows = replays.rows(connection, replay, 0, 100)
        progress = Progress(replay.last_position, {row["id"]: str(row["id"]) for row in rows}, {}, 0)
        settle = partial(replays.settle, connection, replay.id, worker, progress)
        assert most_blocks(connection, settle) <= MOST_BLOCKS
        attempt.rollback()


# What they are


def test_rejections_are_counted_by_code_and_hub(connection: Connection) -> None:
    """Replayed ones do not count."""
    connection.execute(table.delete())
    first, second = (hubs.create(connection, new_id())[0] for _ in range(2))
    reject(connection, 1, 1, hub_id=first.id)
    reject(connection, 1, hub_id=second.id, received_at=NOW + DAY)
    reject(connection, 1, hub_id=second.id, code="y")
    reject(connection, 1, hub_id=second.id, code="z", replayed_at=NOW)
    assert rejections.by_code(connection) == [
        CodeCount("x", 3, 2, NOW + DAY, first.name, 2),
        CodeCount("y", 1, 1, NOW, second.name, 1),
    ]


def test_a_page_goes_on_below_a_position(connection: Connection) -> None:
    """By state and filter, newest first."""
    connection.execute(table.delete())
    ids = reject(connection, 1, 1, 1, code="x")
    (other,) = reject(connection, 5, code="y", kind="event-batch", replayed_at=NOW, received_at=NOW + timedelta(days=1))
    page = rejections.page(connection, RejectionFilter(), "waiting", None, 2)
    assert [row.id for row in page] == [ids[2], ids[1]]
    below = rejections.page(connection, RejectionFilter(), "waiting", page[-1].position, 2)
    assert [row.id for row in below] == ids[:1]
    (row,) = rejections.page(connection, RejectionFilter(code="y"), "replayed", None, 9)
    assert (row.id, row.bytes, row.hub, row.may_be_replayed) == (other, 5, None, False)
    assert rejections.find(connection, other) == (row, b"xxxxx")
    assert rejections.find(connection, uuid4()) is None


def test_what_was_replayed_last_comes_first(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one hub, whenever it was received, among those that are looked at."""
    hub, _ = hubs.create(connection, "harbor")
    other, _ = hubs.create(connection, "elsewhere")
    ids = [
        reject(connection, number, hub_id=hub.id, replayed_at=NOW - timedelta(minutes=abs(number - 2)))[0]
        for number in (1, 2, 4)
    ]
    reject(connection, 5, hub_id=hub.id)
    reject(connection, 6, hub_id=other.id, replayed_at=NOW)
    assert [row.id for row in rejections.replayed_last(connection, hub.id, 9)] == [ids[1], ids[0], ids[2]]
    assert [row.id for row in rejections.replayed_last(connection, hub.id, 1)] == [ids[1]]
    monkeypatch.setattr(rejections, "MOST_SORTED", 1)
    assert [row.id for row in rejections.replayed_last(connection, hub.id, 9)] == [ids[2]]


def test_whole_batches_are_not_counted_as_waiting(connection: Connection) -> None:
    """A replay would not try them."""
    connection.execute(table.delete())
    reject(connection, 1, kind="event-batch")
    reject(connection, 1, 1, kind="annotation")
    assert rejections.count_waiting(connection, RejectionFilter()) == 2


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_survives_as_json(name: str) -> None:
    """As a job keeps it."""
    assert RejectionFilter.of(FILTERS[name].values) == FILTERS[name]
