"""What is submitted is stored once, whoever submits it again, and everyone is told what became of it."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString
from uuid import UUID

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import text

from db import annotations, interaction_events, partitions, submissions
from db.async_connection import TextRow
from db.engine import Database
from db.errors import DatabaseError, Failed, Unavailable
from db.submissions import Conflict, Created, Duplicate, Outcome, SubmissionTable, Unstored
from tests.postgresql import silenceable, statement

HUB, OTHER_HUB, WIDGET = (UUID(int=number) for number in (1, 2, 3))
EVENTS, ANNOTATIONS = interaction_events.TABLE, annotations.TABLE
EMPTY = sql.SQL("TRUNCATE interaction_events, annotations, idempotency_keys")
LONG_AGO = datetime(2020, 1, 6, tzinfo=UTC)

Submission = dict[str, Any]


@pytest.fixture
def database(migrated: Database) -> Iterator[Database]:
    """A database with the tables, on a server of each kind, in which nothing was submitted."""
    with closing(Database(migrated.url)) as database:
        yield database
    statement(migrated.url, EMPTY)


def event(request: str | None = None, own: str | None = None, content: int = 0, **fields: Any) -> Submission:
    """An event of these keys: events with the same `content` are the same."""
    digest = str(UUID(int=content))
    common = {
        "id": submissions.new_id(),
        "hub_id": HUB,
        "widget_id": WIDGET,
        "event_type": "clicked",
        "occurred_at": "2026-03-31T12:00:00Z",
        "contract_version": "1.1",
    }
    keys: Submission = {"request_key": request, "request_digest": digest} if request else {}
    if own:
        keys |= {"client_event_id": own, "digest": digest}
    return common | keys | fields


def annotation(request: str | None = None, own: str | None = None, content: int = 0) -> Submission:
    """An annotation of these keys."""
    made = event(request, own, content, category="idea", body="Make it red.")
    made["client_annotation_id"] = made.pop("client_event_id", None)
    del made["event_type"]
    return made


def submit_to(database: Database, table: SubmissionTable, *given: Submission) -> list[Outcome]:
    """What becomes of what is submitted together."""

    async def write() -> list[Outcome]:
        writer = submissions.writer(database, table)
        async with writer.writing():
            _, found = await writer.add_all([submissions.row(one) for one in given])
        return outcomes(given, found)

    return asyncio.run(write())


def outcomes(given: Sequence[Submission], found: Sequence[TextRow | DatabaseError | None]) -> list[Outcome]:
    """What became of `given`, of which a writer says what it `found`."""
    return [submissions.outcome(one["id"], row) for one, row in zip(given, found, strict=True)]


def submit(database: Database, *given: Submission) -> list[Outcome]:
    """What becomes of events that are submitted together."""
    return submit_to(database, EVENTS, *given)


def ids(database: Database, table: str = "interaction_events") -> list[str]:
    """The ids of what is stored, oldest first."""
    with database.begin() as connection:
        return [str(found) for found in connection.scalars(text(f"SELECT id FROM {table} ORDER BY id"))]  # noqa: S608


def test_keys_are_claimed_row_by_row(database: Database) -> None:
    """As the example beside the statements shows it; a claim of a request that stored nothing is deleted."""
    rows = event("r", "x", 1), event("r", "x", 1), event("s", "x", 2), event(content=3)
    first, *_, last = (row["id"] for row in rows)
    duplicate = Duplicate(first, by_request=True)
    assert submit(database, *rows) == [Created(), duplicate, Conflict("own_key"), Created()]
    assert ids(database) == [first, last]
    with database.begin() as connection:
        claims = connection.execute(text("SELECT key, id::text FROM idempotency_keys ORDER BY key"))
        assert list(map(tuple, claims)) == [("r", first), ("x", first)]


def test_without_keys_each_is_stored(database: Database) -> None:
    """However alike two are, nobody said that they are the same; and nothing is claimed."""
    assert submit(database, event(), event()) == [Created(), Created()]
    assert submit(database, event()) == [Created()]
    assert len(ids(database)) == 3
    assert ids(database, "idempotency_keys") == []


@pytest.mark.parametrize(
    ("request_key", "own", "by_request"),
    [
        pytest.param("r", None, True, id="request key"),
        pytest.param(None, "o", False, id="own key"),
        pytest.param("r", "o", True, id="both"),
    ],
)
def test_what_is_sent_again_is_stored_once(
    database: Database, request_key: str | None, own: str | None, by_request: bool
) -> None:
    """The second is told the id of the first, and so is the third."""
    first = event(request_key, own)
    assert submit(database, first) == [Created()]
    for _ in range(2):
        assert submit(database, event(request_key, own)) == [Duplicate(first["id"], by_request)]
    assert ids(database) == [first["id"]]


@pytest.mark.parametrize(
    ("request_key", "own", "key"),
    [
        pytest.param("r", None, "request_key", id="request key"),
        pytest.param(None, "o", "own_key", id="own key"),
        pytest.param("r", "o", "request_key", id="both"),
        pytest.param("other", "o", "own_key", id="own key, of another request"),
        pytest.param("r", "other", "request_key", id="request key, of another thing"),
    ],
)
def test_a_key_is_not_used_for_something_else(
    database: Database, request_key: str | None, own: str | None, key: str
) -> None:
    """What has other content under the key is not stored, and the first stays as it is."""
    first = event("r", "o")
    submit(database, first)
    assert submit(database, event(request_key, own, content=1)) == [Conflict(key)]
    assert ids(database) == [first["id"]]
    assert submit(database, event("r", "o")) == [Duplicate(first["id"], by_request=True)]


def test_another_request_may_name_the_same_thing(database: Database) -> None:
    """The thing is told to be a duplicate, now and when that request is sent again."""
    first = event("r", "o")
    submit(database, first)
    for _ in range(2):
        assert submit(database, event("s", "o")) == [Duplicate(first["id"], by_request=False)]
    assert ids(database) == [first["id"]]


def test_a_request_that_conflicted_does_not_claim_its_key(database: Database) -> None:
    """Sent again it conflicts again, and what differs may have its request key, under which nothing was stored."""
    submit(database, event("r", "o"))
    for _ in range(2):
        assert submit(database, event("s", "o", content=1)) == [Conflict("own_key")]
    assert submit(database, event("s", "p", content=2)) == [Created()]


def test_what_is_in_a_batch_twice_is_stored_once(database: Database) -> None:
    """The first of the batch is stored: what is the same is its duplicate, what is not is in conflict with it."""
    first, again, other = event(None, "o"), event(None, "o"), event(None, "o", content=1)
    assert submit(database, first, other, again) == [
        Created(),
        Conflict("own_key"),
        Duplicate(first["id"], by_request=False),
    ]
    assert ids(database) == [first["id"]]


def test_the_first_of_many_in_a_batch_is_stored(database: Database) -> None:
    """However many there are of a key, and whatever else is between them."""
    given = [event(None, f"{number % 7}") for number in range(700)]
    firsts: list[str] = [one["id"] for one in given[:7]]
    assert submit(database, *given) == [Created()] * 7 + [
        Duplicate(firsts[number % 7], by_request=False) for number in range(7, 700)
    ]
    assert ids(database) == firsts


def test_a_key_is_of_its_hub(database: Database) -> None:
    """Another hub uses the same keys for something else, and learns nothing of the first."""
    first, second = event("r", "o"), event("r", "o", content=1, hub_id=OTHER_HUB)
    assert submit(database, first, second) == [Created(), Created()]
    for hub, content, identifier in ((HUB, 0, first["id"]), (OTHER_HUB, 1, second["id"])):
        again = event("r", "o", content=content, hub_id=hub)
        assert submit(database, again) == [Duplicate(identifier, by_request=True)]
    assert (
        submit(database, event("r", "o", content=2), event("r", "o", content=2, hub_id=OTHER_HUB))
        == [Conflict("request_key")] * 2
    )
    assert len(ids(database)) == 2


def test_a_key_is_of_its_kind(database: Database) -> None:
    """An event and an annotation may have the same own key, though not the same request key."""
    first = event(None, "o")
    assert submit(database, first) == [Created()]
    noted = annotation(None, "o", content=1)
    assert submit_to(database, ANNOTATIONS, noted) == [Created()]
    again = annotation(None, "o", content=1)
    assert submit_to(database, ANNOTATIONS, again) == [Duplicate(noted["id"], by_request=False)]
    assert submit(database, event(None, "o")) == [Duplicate(first["id"], by_request=False)]
    assert submit(database, event("r")) == [Created()]
    assert submit_to(database, ANNOTATIONS, annotation("r", "p", content=1)) == [Conflict("request_key")]
    assert (len(ids(database)), len(ids(database, "annotations"))) == (2, 1)


def test_a_request_key_is_not_an_own_key(database: Database) -> None:
    """The same word may be both."""
    assert submit(database, event("x"), event(None, "x", content=1)) == [Created(), Created()]


def test_keys_can_be_claimed_without_a_row(database: Database) -> None:
    """Who comes second is told the id of the claim, and nothing is stored."""
    claim: Submission = {
        "id": submissions.new_id(),
        "hub_id": HUB,
        "request_key": "r",
        "request_digest": str(UUID(int=0)),
    }
    assert submit(database, claim) == [Created()]
    assert submit(database, claim | {"id": submissions.new_id()}) == [Duplicate(claim["id"], by_request=True)]
    assert submit(database, event("r", content=1)) == [Conflict("request_key")]
    assert ids(database) == []


@pytest.mark.parametrize(("request_key", "own"), [(None, None), ("r", None), (None, "o"), ("r", "o")])
def test_what_was_stored_without_an_answer_is_told_to_be_stored(
    database: Database, request_key: str | None, own: str | None
) -> None:
    """The server commits and its answer is lost: the batch is sent again, and is no duplicate of itself."""
    before, *given = [event(), event(request_key, own), event()]
    with silenceable(database.url) as (url, silent), closing(Database(url, timeout=1)) as relayed:

        async def write() -> list[Outcome]:
            writer = submissions.writer(relayed, EVENTS)
            async with writer.writing():
                await writer.add(submissions.row(before))  # its statements are prepared by now
                with psycopg.connect(database.url) as locking:
                    locking.execute("LOCK TABLE interaction_events IN SHARE MODE")
                    adding = asyncio.ensure_future(writer.add_all([submissions.row(one) for one in given]))
                    await until(database, "SELECT FROM pg_locks WHERE NOT granted")
                    silent.set()
                await until(database, "SELECT FROM interaction_events OFFSET 1")
                silent.clear()
                _, found = await adding
            return outcomes(given, found)

        assert asyncio.run(write()) == [Created(), Created()]
    assert ids(database) == [one["id"] for one in (before, *given)]


async def until(database: Database, query: LiteralString) -> None:
    """Return when `query` finds a row."""
    deadline = time.monotonic() + 10
    with psycopg.connect(database.url, autocommit=True) as connection:
        while not connection.execute(query).rowcount:
            assert time.monotonic() < deadline, query
            await asyncio.sleep(0.01)


def test_a_row_that_is_refused_claims_nothing(database: Database) -> None:
    """Its neighbours are stored; when it is mended it can be submitted under its keys."""
    given = [event("r", "o", widget_id=None), event("s")]
    refused, stored = submit(database, *given)
    assert isinstance(refused, Unstored)
    assert isinstance(refused.error, Failed)
    assert stored == Created()
    assert submit(database, event("r", "o", content=1)) == [Created()]


def test_two_that_submit_the_same_do_not_block_each_other(database: Database) -> None:
    """Their keys overlap in opposite orders: each key has one row, each is told of it, and the server knew no deadlock.

    A writer tries again what a deadlock undid, so that its answers would not tell.
    """
    keys = [str(number) for number in range(60)]

    async def write(other: Database) -> None:
        first, second = (submissions.writer(one, EVENTS) for one in (database, other))
        async with first.writing(), second.writing():
            for turn in range(20):
                given = [event(f"{turn}-{key}" if turn % 2 else None, f"{turn}-{key}") for key in keys]
                opposite = [{**one, "id": submissions.new_id()} for one in reversed(given)]
                batches = (first, given), (second, opposite)
                told = await asyncio.gather(
                    *(writer.add_all([submissions.row(one) for one in batch]) for writer, batch in batches)
                )
                stored: dict[str, set[str]] = {}
                for (_, found), batch in zip(told, (given, opposite), strict=True):
                    for one, outcome in zip(batch, outcomes(batch, found), strict=True):
                        identifier = one["id"] if outcome == Created() else str(getattr(outcome, "id", None))
                        stored.setdefault(one["client_event_id"], set()).add(identifier)
                assert {len(told_ids) for told_ids in stored.values()} == {1}
                assert set.union(*stored.values()) == set(ids(database)[-len(keys) :])

    before = deadlocks(database)
    with closing(Database(database.url)) as other:
        asyncio.run(write(other))
    assert len(ids(database)) == 20 * len(keys)
    assert deadlocks(database) == before


def deadlocks(database: Database) -> int:
    """How many the server has met, once the writers have ended."""
    others = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'PREPARE insert%'"
    with psycopg.connect(database.url, autocommit=True) as connection:
        while connection.execute(others).rowcount:
            time.sleep(0.01)
        query = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        ((count,),) = connection.execute(query).fetchall()
    return int(count)


def test_what_is_tried_is_not_kept(database: Database) -> None:
    """A trial says of each what the real thing says then, but leaves neither rows nor keys."""
    stored = event("r", "o")
    submit(database, stored)
    given = [
        event(),
        event("r", "o"),
        event("s", "o"),
        event("r", content=1),
        event(None, "o", content=1),
        event("t", "p"),
        event(None, "p"),
    ]
    rows = [submissions.row(one) for one in given]
    keys = sorted(ids(database, "idempotency_keys"))
    for _ in range(2):
        with database.begin() as connection:
            tried = outcomes(given, submissions.tried(connection, EVENTS, rows))
        assert (ids(database), sorted(ids(database, "idempotency_keys"))) == ([stored["id"]], keys)
    assert tried == submit(database, *given)
    assert tried == [
        Created(),
        Duplicate(stored["id"], by_request=True),
        Duplicate(stored["id"], by_request=False),
        Conflict("request_key"),
        Conflict("own_key"),
        Created(),
        Duplicate(given[5]["id"], by_request=False),
    ]


def test_what_surrounds_a_trial_is_kept(database: Database) -> None:
    """Only the trial itself is taken back, not what its transaction does beside it."""
    with database.begin() as connection:
        connection.execute(text("INSERT INTO widgets (id, name) VALUES (gen_random_uuid(), 'beside')"))
        assert submissions.tried(connection, EVENTS, [submissions.row(event("r"))]) == [None]
    with database.begin() as connection:
        assert connection.scalar(text("SELECT count(*) FROM widgets WHERE name = 'beside'")) == 1


def test_keys_are_forgotten_with_what_they_name(database: Database) -> None:
    """After retention the same can be stored anew, and what is younger is a duplicate still."""
    with database.begin() as connection:
        partitions.ensure(connection, LONG_AGO, LONG_AGO)
    last = UUID(int=partitions.lowest_id(LONG_AGO + partitions.WEEK).int - 1)
    old, young = event("r", "o", id=str(last)), event("s", "p")
    submit(database, old, young)
    with database.begin() as connection:
        partitions.drop_before(connection, LONG_AGO + partitions.WEEK - timedelta(milliseconds=1))
    assert submit(database, event("r", "o")) == [Duplicate(str(last), by_request=True)]
    with database.begin() as connection:
        partitions.drop_before(connection, LONG_AGO + partitions.WEEK)
    anew = event("r", "o", content=1)
    assert submit(database, anew, event("s", "p")) == [Created(), Duplicate(young["id"], by_request=True)]
    assert ids(database) == sorted([young["id"], anew["id"]])


def test_each_shape_of_claims_means_something() -> None:
    """What a writer finds, for a submission A, and what it says."""
    error = Failed("no")
    shapes: list[tuple[TextRow | DatabaseError | None, Outcome]] = [
        (None, Created()),
        (error, Unstored(error)),
        (("A", "A", "true", None, "A"), Created()),
        (("A", None, None, "true", "A"), Created()),
        (("A", "A", "true", "true", "A"), Created()),
        (("A", "B", "true", None, "B"), Duplicate("B", by_request=True)),
        (("A", "B", "true", "true", "B"), Duplicate("B", by_request=True)),
        (("A", None, None, "true", "B"), Duplicate("B", by_request=False)),
        (("A", "A", "true", "true", "B"), Duplicate("B", by_request=False)),
        (("A", "C", "true", "true", "B"), Duplicate("B", by_request=False)),
        (("A", "B", "false", None, "B"), Conflict("request_key")),
        (("A", "B", "false", "true", "B"), Conflict("request_key")),
        (("A", "B", "false", "false", "C"), Conflict("request_key")),
        (("A", None, None, "false", "B"), Conflict("own_key")),
        (("A", "A", "true", "false", "B"), Conflict("own_key")),
        (("A", "B", "true", None, None), Conflict("request_key")),
    ]
    for found, meant in shapes:
        assert submissions.outcome("A", found) == meant, found
    forgotten = submissions.outcome("A", ("A", None, None, None, None))
    assert isinstance(forgotten, Unstored)
    assert isinstance(forgotten.error, Unavailable)


def test_the_same_value_has_the_same_digest() -> None:
    """Whatever the order of names is at each depth, and also where an integer is longer than 64 bits."""
    for number in (1, 10**30):
        one, other = ({"a": number, "b": {"c": 1, "d": [2]}}, {"b": {"d": [2], "c": 1}, "a": number})
        assert submissions.digest(one) == submissions.digest(other)
    assert submissions.digest([1, 2]) != submissions.digest([2, 1])
