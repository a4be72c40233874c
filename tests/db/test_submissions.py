"""A submission is stored once, however often it is sent, and each request gets its outcome."""

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
from db.ids import new_id
from db.submissions import Conflict, Created, Duplicate, Outcome, SubmissionTable, Unstored
from openapi.standards import ijson
from tests.postgresql import silenceable, statement

HUB, OTHER_HUB, WIDGET = (UUID(int=number) for number in (1, 2, 3))
EVENTS, ANNOTATIONS = interaction_events.TABLE, annotations.TABLE
EMPTY = sql.SQL("TRUNCATE interaction_events, annotations, idempotency_keys")
LONG_AGO = datetime(2020, 1, 6, tzinfo=UTC)

Submission = dict[str, Any]


@pytest.fixture
def database(migrated: Database) -> Iterator[Database]:
    """A database with the tables, on a server of each kind, without submissions."""
    with closing(Database(migrated.url)) as database:
        yield database
    statement(migrated.url, EMPTY)


def event(request: str | None = None, own: str | None = None, content: int = 0, **fields: Any) -> Submission:
    """An event with these keys; events with the same `content` are the same."""
    digest = str(UUID(int=content))
    common = {
        "id": new_id(),
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
    """An annotation with these keys."""
    submission = event(request, own, content, category="idea", body="Make it red.")
    submission["client_annotation_id"] = submission.pop("client_event_id", None)
    del submission["event_type"]
    return submission


def submit_to(database: Database, table: SubmissionTable, *batch: Submission) -> list[Outcome]:
    """The outcomes of submissions that are added together."""

    async def write() -> list[Outcome]:
        writer = submissions.writer(database, table)
        async with writer.writing():
            _, rows = await writer.add_all([submissions.row(submission) for submission in batch])
        return outcomes(batch, rows)

    return asyncio.run(write())


def outcomes(batch: Sequence[Submission], rows: Sequence[TextRow | DatabaseError | None]) -> list[Outcome]:
    """The outcomes of `batch`, from the rows of its writer."""
    return [submissions.outcome(submission["id"], row) for submission, row in zip(batch, rows, strict=True)]


def submit(database: Database, *batch: Submission) -> list[Outcome]:
    """The outcomes of events that are submitted together."""
    return submit_to(database, EVENTS, *batch)


def ids(database: Database, table: str = "interaction_events") -> list[str]:
    """The ids of the stored rows, oldest first."""
    with database.begin() as connection:
        return [str(identifier) for identifier in connection.scalars(text(f"SELECT id FROM {table} ORDER BY id"))]  # noqa: S608


def test_keys_are_claimed_row_by_row(database: Database) -> None:
    """As in the example next to the statements; the claim of a request that stored nothing is deleted."""
    rows = event("r", "x", 1), event("r", "x", 1), event("s", "x", 2), event(content=3)
    first, *_, last = (row["id"] for row in rows)
    duplicate = Duplicate(first, by_request=True)
    assert submit(database, *rows) == [Created(), duplicate, Conflict("own_key"), Created()]
    assert ids(database) == [first, last]
    with database.begin() as connection:
        claims = connection.execute(text("SELECT key, id::text FROM idempotency_keys ORDER BY key"))
        assert list(map(tuple, claims)) == [("r", first), ("x", first)]


def test_without_keys_each_submission_is_stored(database: Database) -> None:
    """However alike two are, no key says that they are the same; and nothing is claimed."""
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
def test_a_repeated_submission_is_stored_once(
    database: Database, request_key: str | None, own: str | None, by_request: bool
) -> None:
    """The second gets the id of the first, and so does the third."""
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
    """Other content under the key is not stored, and the first stays as it is."""
    first = event("r", "o")
    submit(database, first)
    assert submit(database, event(request_key, own, content=1)) == [Conflict(key)]
    assert ids(database) == [first["id"]]
    assert submit(database, event("r", "o")) == [Duplicate(first["id"], by_request=True)]


def test_another_request_may_name_the_same_event(database: Database) -> None:
    """The event is a duplicate, now and when that request is sent again."""
    first = event("r", "o")
    submit(database, first)
    for _ in range(2):
        assert submit(database, event("s", "o")) == [Duplicate(first["id"], by_request=False)]
    assert ids(database) == [first["id"]]


def test_a_request_that_conflicted_does_not_claim_its_key(database: Database) -> None:
    """Sent again it conflicts again; its request key, which stored nothing, is free for another event."""
    submit(database, event("r", "o"))
    for _ in range(2):
        assert submit(database, event("s", "o", content=1)) == [Conflict("own_key")]
    assert submit(database, event("s", "p", content=2)) == [Created()]


def test_a_repetition_within_a_batch_is_stored_once(database: Database) -> None:
    """The first of the batch is stored: an equal one is its duplicate, a different one conflicts with it."""
    first, again, other = event(None, "o"), event(None, "o"), event(None, "o", content=1)
    assert submit(database, first, other, again) == [
        Created(),
        Conflict("own_key"),
        Duplicate(first["id"], by_request=False),
    ]
    assert ids(database) == [first["id"]]


def test_the_first_of_many_in_a_batch_is_stored(database: Database) -> None:
    """However many share a key, and whatever else is between them."""
    batch = [event(None, f"{number % 7}") for number in range(700)]
    firsts: list[str] = [submission["id"] for submission in batch[:7]]
    assert submit(database, *batch) == [Created()] * 7 + [
        Duplicate(firsts[number % 7], by_request=False) for number in range(7, 700)
    ]
    assert ids(database) == firsts


def test_a_key_is_of_its_hub(database: Database) -> None:
    """Another hub can use the same keys for other events, and learns nothing of the first."""
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
    """The second request gets the id of the claim, and nothing is stored."""
    claim: Submission = {
        "id": new_id(),
        "hub_id": HUB,
        "request_key": "r",
        "request_digest": str(UUID(int=0)),
    }
    assert submit(database, claim) == [Created()]
    assert submit(database, claim | {"id": new_id()}) == [Duplicate(claim["id"], by_request=True)]
    assert submit(database, event("r", content=1)) == [Conflict("request_key")]
    assert ids(database) == []


@pytest.mark.parametrize(("request_key", "own"), [(None, None), ("r", None), (None, "o"), ("r", "o")])
def test_a_commit_without_an_answer_is_reported_as_created(
    database: Database, request_key: str | None, own: str | None
) -> None:
    """The server commits and its answer is lost: the batch is sent again, and is no duplicate of itself."""
    before, *batch = [event(), event(request_key, own), event()]
    with silenceable(database.url) as (url, silent), closing(Database(url, timeout=1)) as relayed:

        async def write() -> list[Outcome]:
            writer = submissions.writer(relayed, EVENTS)
            async with writer.writing():
                await writer.add(submissions.row(before))  # its statements are prepared by now
                with psycopg.connect(database.url) as locking:
                    locking.execute("LOCK TABLE interaction_events IN SHARE MODE")
                    adding = asyncio.ensure_future(
                        writer.add_all([submissions.row(submission) for submission in batch])
                    )
                    await until(database, "SELECT FROM pg_locks WHERE NOT granted")
                    silent.set()
                await until(database, "SELECT FROM interaction_events OFFSET 1")
                silent.clear()
                _, rows = await adding
            return outcomes(batch, rows)

        assert asyncio.run(write()) == [Created(), Created()]
    assert ids(database) == [submission["id"] for submission in (before, *batch)]


async def until(database: Database, query: LiteralString) -> None:
    """Return when `query` finds a row."""
    deadline = time.monotonic() + 10
    with psycopg.connect(database.url, autocommit=True) as connection:
        while not connection.execute(query).rowcount:
            assert time.monotonic() < deadline, query
            await asyncio.sleep(0.01)


def test_a_row_that_is_refused_claims_nothing(database: Database) -> None:
    """Its neighbours are stored; once corrected it can be submitted under its keys."""
    batch = [event("r", "o", widget_id=None), event("s")]
    refused, stored = submit(database, *batch)
    assert isinstance(refused, Unstored)
    assert isinstance(refused.error, Failed)
    assert stored == Created()
    assert submit(database, event("r", "o", content=1)) == [Created()]


def test_two_processes_that_submit_the_same_do_not_block_each_other(database: Database) -> None:
    """Their keys overlap in opposite orders: each key has one row, both get its id, and the server met no deadlock.

    A writer retries after a deadlock, so that its outcomes would not show one.
    """
    keys = [str(number) for number in range(60)]

    async def write(other: Database) -> None:
        first, second = (submissions.writer(each, EVENTS) for each in (database, other))
        async with first.writing(), second.writing():
            for turn in range(20):
                events = [event(f"{turn}-{key}" if turn % 2 else None, f"{turn}-{key}") for key in keys]
                opposite = [{**submission, "id": new_id()} for submission in reversed(events)]
                batches = (first, events), (second, opposite)
                results = await asyncio.gather(
                    *(
                        writer.add_all([submissions.row(submission) for submission in batch])
                        for writer, batch in batches
                    )
                )
                stored: dict[str, set[str]] = {}
                for (_, rows), batch in zip(results, (events, opposite), strict=True):
                    for submission, outcome in zip(batch, outcomes(batch, rows), strict=True):
                        identifier = submission["id"] if outcome == Created() else str(getattr(outcome, "id", None))
                        stored.setdefault(submission["client_event_id"], set()).add(identifier)
                assert {len(identifiers) for identifiers in stored.values()} == {1}
                assert set.union(*stored.values()) == set(ids(database)[-len(keys) :])

    before = deadlocks(database)
    with closing(Database(database.url)) as other:
        asyncio.run(write(other))
    assert len(ids(database)) == 20 * len(keys)
    assert deadlocks(database) == before


def deadlocks(database: Database) -> int:
    """The number of deadlocks that the server has met, once the writers have ended."""
    others = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'PREPARE insert%'"
    with psycopg.connect(database.url, autocommit=True) as connection:
        while connection.execute(others).rowcount:
            time.sleep(0.01)
        query = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        ((count,),) = connection.execute(query).fetchall()
    return int(count)


def test_a_trial_keeps_nothing(database: Database) -> None:
    """It returns the outcomes of a real submission, but leaves neither rows nor keys."""
    stored = event("r", "o")
    submit(database, stored)
    batch = [
        event(),
        event("r", "o"),
        event("s", "o"),
        event("r", content=1),
        event(None, "o", content=1),
        event("t", "p"),
        event(None, "p"),
    ]
    rows = [submissions.row(submission) for submission in batch]
    keys = sorted(ids(database, "idempotency_keys"))
    for _ in range(2):
        with database.begin() as connection:
            tried = outcomes(batch, submissions.tried(connection, EVENTS, rows))
        assert (ids(database), sorted(ids(database, "idempotency_keys"))) == ([stored["id"]], keys)
    assert tried == submit(database, *batch)
    assert tried == [
        Created(),
        Duplicate(stored["id"], by_request=True),
        Duplicate(stored["id"], by_request=False),
        Conflict("request_key"),
        Conflict("own_key"),
        Created(),
        Duplicate(batch[5]["id"], by_request=False),
    ]


def test_the_transaction_around_a_trial_is_kept(database: Database) -> None:
    """Only the trial itself is rolled back, not the rest of its transaction."""
    with database.begin() as connection:
        connection.execute(text("INSERT INTO widgets (id, name) VALUES (gen_random_uuid(), 'around')"))
        assert submissions.tried(connection, EVENTS, [submissions.row(event("r"))]) == [None]
    with database.begin() as connection:
        assert connection.scalar(text("SELECT count(*) FROM widgets WHERE name = 'around'")) == 1


def test_keys_are_deleted_with_their_rows(database: Database) -> None:
    """After the retention the same event can be stored again; a younger one is still a duplicate."""
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


def test_each_shape_of_claims_has_an_outcome() -> None:
    """The row that a writer returns for a submission A, and its outcome."""
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
    for row, outcome in shapes:
        assert submissions.outcome("A", row) == outcome, row
    forgotten = submissions.outcome("A", ("A", None, None, None, None))
    assert isinstance(forgotten, Unstored)
    assert isinstance(forgotten.error, Unavailable)


def test_the_same_value_has_the_same_digest() -> None:
    """Whatever the order of names at each depth, and also with an integer longer than 64 bits."""
    for number in (1, 10**30):
        value, reordered = ({"a": number, "b": {"c": 1, "d": [2]}}, {"b": {"d": [2], "c": 1}, "a": number})
        assert submissions.digest(value) == submissions.digest(reordered)
    assert submissions.digest([1, 2]) != submissions.digest([2, 1])


@pytest.mark.parametrize(
    ("value", "digest"),
    [
        pytest.param(
            {"b": [0.1, 10.0, -0.0, 1e23, 5e-324], "a": {"é": 1.5e-7}}, "62921d9310815752963c9a1115781e36", id="doubles"
        ),
        pytest.param({"a": [2**64, 0.25, "é"]}, "ae5a74218f918cff47515ced8eb5167b", id="an integer beyond 64 bits"),
    ],
)
def test_the_digests_in_existing_databases_stay(value: object, digest: str) -> None:
    """Keys are compared by them."""
    assert submissions.digest(value) == digest


@pytest.mark.parametrize(
    ("number", "other", "is_same"),
    [
        pytest.param("0.10000000000000001", "0.100000000000000010", True, id="zeros at the end"),
        pytest.param("0.10000000000000001", "10000000000000001e-17", True, id="an exponent"),
        pytest.param("9007199254740993.0", "9007199254740993", True, id="an integer value"),
        pytest.param("1e400", "10e399", True, id="two exponents"),
        pytest.param("100000000000000000000000000000.10", "1000000000000000000000000000001e-1", True, id="31 digits"),
        pytest.param("0.10000000000000001", "0.1", False, id="the double that is nearest"),
        pytest.param("1e-400", "0", False, id="near to zero"),
        pytest.param("100000000000000000000000000000.1", "100000000000000000000000000000.2", False, id="a last digit"),
    ],
)
def test_numbers_are_compared_by_value(number: str, other: str, is_same: bool) -> None:
    """Whatever their spelling, and with each digit; also beside an integer longer than 64 bits."""
    for beside in (1, 10**30):
        one, another = (submissions.digest([ijson.loads(text.encode()), beside]) for text in (number, other))
        assert (one == another) is is_same
