"""Group commit: when a caller gets its answer, and the outcome of rows when something goes wrong."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, suppress
from typing import LiteralString
from unittest import mock

import psycopg
import pytest
from psycopg import sql

from db import outage_log, writer
from db.engine import Database
from db.errors import Failed, Interrupted, RowRefused, Unavailable
from db.writer import EncodedRow, Statements, Writer
from tests.postgresql import fresh_database, silenceable, statement

GIVEN = "json_to_recordset($1::json) AS given(id int, value text)"
KEEP = f"INSERT INTO kept SELECT id, value FROM {GIVEN} ON CONFLICT DO NOTHING"  # noqa: S608 (constants of this module)
SLOWLY = f"""
    WITH slept AS MATERIALIZED (SELECT pg_sleep(0.3))
    INSERT INTO kept SELECT id, value FROM {GIVEN}, slept ON CONFLICT DO NOTHING
"""  # noqa: S608 (constants of this module)
EXPLAINED = Statements(
    insert=f"""
        WITH new AS (INSERT INTO kept SELECT id, value FROM {GIVEN} ON CONFLICT DO NOTHING RETURNING id)
        SELECT id FROM {GIVEN} WHERE id NOT IN (SELECT id FROM new)
    """,  # noqa: S608 (constants of this module)
    explanation=f"SELECT id, kept.value, NULL FROM {GIVEN} JOIN kept USING (id)",  # noqa: S608 (constants of this module)
)

CUT = sql.SQL("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'PREPARE insert%'")

Use = Callable[[Writer], Awaitable[None]]


@pytest.fixture
def url(embedded_url: str) -> Iterator[str]:
    """The URL of a database with one table that refuses one value."""
    with fresh_database(embedded_url, "writer") as url:
        statement(url, sql.SQL("CREATE TABLE kept (id int PRIMARY KEY, value text CHECK (value <> 'refused'))"))
        yield url


def rows(url: str, query: str = "SELECT id FROM kept ORDER BY id") -> list[int]:
    """The first column of the rows of `query`, on a connection of its own."""
    with psycopg.connect(url) as connection:
        return [value for (value,) in connection.execute(query.encode())]


def row(identifier: int, value: str = "accepted") -> EncodedRow:
    """A row as JSON, and its id."""
    return str(identifier), b'{"id": %d, "value": "%b"}' % (identifier, value.encode())


def write(url: str, use: Use, query: LiteralString | Statements = KEEP, timeout: float = 5) -> None:
    """Run `use` with a writer of rows; in the end none of its bounded memory is in use."""

    async def run() -> None:
        with closing(Database(url, timeout=timeout)) as database:
            row_writer = Writer(database, query if isinstance(query, Statements) else Statements(query))
            async with row_writer.writing():
                await use(row_writer)
                assert row_writer._waiting_bytes == 0

    asyncio.run(run())


def test_a_row_is_committed_before_its_answer(url: str) -> None:
    """Another connection sees it at once."""

    async def use(row_writer: Writer) -> None:
        for identifier in range(3):
            before = time.perf_counter()
            sent_at, outcome = await row_writer.add(row(identifier))
            assert rows(url)[-1] == identifier
            assert before <= sent_at <= time.perf_counter()
            assert outcome is None

    write(url, use)


def test_waiting_rows_are_committed_together(url: str) -> None:
    """Rows that are added at once share a transaction; those beyond the size of a batch go into another."""

    async def use(row_writer: Writer) -> None:
        await asyncio.gather(*(row_writer.add(row(identifier)) for identifier in range(writer.BATCH_ROWS + 5)))

    write(url, use)
    assert rows(url) == list(range(writer.BATCH_ROWS + 5))
    counted = "SELECT count(*) FROM kept GROUP BY xmin::text::bigint ORDER BY 1"
    assert rows(url, counted) == [5, writer.BATCH_ROWS]


def test_a_batch_is_bounded_in_bytes(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Large rows take more transactions."""
    monkeypatch.setattr(writer, "BATCH_BYTES", 2500)

    async def use(row_writer: Writer) -> None:
        await asyncio.gather(*(row_writer.add(row(identifier, "x" * 1000)) for identifier in range(6)))

    write(url, use)
    assert rows(url, "SELECT count(*) FROM kept GROUP BY xmin::text::bigint") == [3, 3]


def test_a_row_that_is_refused_fails_alone(url: str) -> None:
    """Its neighbours in the batch are stored; it alone gets the error."""

    async def use(row_writer: Writer) -> None:
        bad = {3, 4, 17}
        outcomes = await asyncio.gather(
            *(row_writer.add(row(identifier, "refused" if identifier in bad else "fine")) for identifier in range(20)),
            return_exceptions=True,
        )
        assert {identifier for identifier, error in enumerate(outcomes) if isinstance(error, RowRefused)} == bad
        assert {type(outcome) for outcome in outcomes} == {tuple, RowRefused}

    write(url, use)
    assert rows(url) == [identifier for identifier in range(20) if identifier not in {3, 4, 17}]


def test_rows_that_are_added_together_have_an_outcome_each(url: str) -> None:
    """In the order of the batch: stored, refused, or the explanation's row; nothing is raised."""

    async def use(row_writer: Writer) -> None:
        await row_writer.add(row(1, "first"))
        batch = [row(3, "third"), row(2, "refused"), row(1, "another"), row(4, "refused"), row(5)]
        _, outcomes = await row_writer.add_all(batch)
        assert [type(outcome) for outcome in outcomes] == [type(None), RowRefused, tuple, RowRefused, type(None)]
        assert outcomes[2] == ("1", "first", None)
        assert await row_writer.add_all([]) == (mock.ANY, [])

    write(url, use, EXPLAINED)
    assert rows(url) == [1, 3, 5]


def test_each_caller_gets_the_outcome_of_its_own_rows(url: str) -> None:
    """A caller that shares a batch does not get the outcome of another's rows."""

    async def use(row_writer: Writer) -> None:
        await row_writer.add(row(1, "first"))
        results = await asyncio.gather(
            row_writer.add(row(1)), row_writer.add_all([row(2), row(3, "refused")]), row_writer.add(row(4))
        )
        (_, again), (_, several), (_, alone) = results
        assert again == ("1", "first", None)
        assert [type(outcome) for outcome in several] == [type(None), RowRefused]
        assert alone is None

    write(url, use, EXPLAINED)


def test_an_explanation_gets_only_unstored_rows(url: str) -> None:
    """It does not run if all rows were stored."""
    statement(url, sql.SQL("CREATE TABLE asked (id int)"))
    explanation = f"""
        WITH noted AS (INSERT INTO asked SELECT id FROM {GIVEN})
        SELECT id, kept.value FROM {GIVEN} JOIN kept USING (id)
    """  # noqa: S608 (constants of this module)

    async def use(row_writer: Writer) -> None:
        await row_writer.add_all([row(1), row(2)])
        assert rows(url, "SELECT id FROM asked") == []
        await row_writer.add_all([row(1), row(3)])
        assert rows(url, "SELECT id FROM asked") == [1]

    write(url, use, Statements(EXPLAINED.insert, explanation))


def test_rows_that_are_added_together_are_bounded_as_others(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their bytes count together: a batch that would exceed the bound is refused as a whole."""
    monkeypatch.setattr(writer, "MAX_WAITING_BYTES", 100)

    async def use(row_writer: Writer) -> None:
        with pytest.raises(Unavailable, match="too many rows are waiting"):
            await row_writer.add_all([row(identifier) for identifier in range(4)])
        await row_writer.add_all([row(identifier) for identifier in range(3)])

    write(url, use)
    assert rows(url) == [0, 1, 2]


def count_and_raise(url: str, state: str, condition: str) -> None:
    """Let inserts fail with the SQLSTATE `state` on `condition`; the sequence `statements` counts all of them."""
    statement(
        url,
        sql.SQL("CREATE SEQUENCE statements"),
        sql.SQL(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "IF {} THEN RAISE EXCEPTION 'later' USING ERRCODE = {}; END IF; RETURN NULL; END $$"
        ).format(sql.SQL(condition), sql.Literal(state)),
        sql.SQL("CREATE TRIGGER refuse AFTER INSERT ON kept FOR EACH STATEMENT EXECUTE FUNCTION refuse()"),
    )


@pytest.mark.parametrize(
    "state",
    [
        pytest.param("53100", id="the disk is full"),
        pytest.param("55P03", id="a lock is not available"),
        pytest.param("57014", id="the statement took too long"),
        pytest.param("25006", id="the server only reads"),
        pytest.param("42501", id="the role has no right"),
        pytest.param("XX001", id="a file is damaged"),
    ],
)
def test_what_concerns_every_row_refuses_a_batch_at_once(
    url: str, state: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Without halving: a statement for each batch. The log has a line, and one when the cause has passed."""
    caplog.set_level("INFO")
    batches = 20
    count_and_raise(url, state, f"nextval('statements') <= {batches}")

    async def use(row_writer: Writer) -> None:
        started = time.monotonic()
        batch = [row(identifier) for identifier in range(batches * writer.BATCH_ROWS)]
        outcomes = await asyncio.gather(
            *(row_writer.add_all(batch[first : first + writer.BATCH_ROWS]) for first in range(0, len(batch), 1000))
        )
        assert {type(outcome) for _, several in outcomes for outcome in several} == {Unavailable}
        assert rows(url, "SELECT last_value FROM statements") == [batches]
        assert time.monotonic() - started < writer.PATIENCE_SECONDS
        await row_writer.add(row(1))
        await asyncio.sleep(outage_log.CALM_SECONDS)
        await row_writer.add(row(2))

    write(url, use)
    assert rows(url) == [1, 2]
    assert [message.partition(":")[0] for message in caplog.messages] == [
        "the database refuses all rows",
        "the database stores rows again",
    ]


def test_a_conflict_with_another_transaction_is_tried_once_more(url: str) -> None:
    """PostgreSQL ends one of two transactions in a deadlock: its rows are stored by the second attempt."""
    count_and_raise(url, "40P01", "nextval('statements') = 1")

    async def use(row_writer: Writer) -> None:
        assert await row_writer.add_all([row(1), row(2)]) == (mock.ANY, [None, None])

    write(url, use)
    assert rows(url) == [1, 2]


def test_a_conflict_without_end_is_not_tried_for_ever(url: str) -> None:
    """After the second attempt the batch is refused."""
    count_and_raise(url, "40001", "nextval('statements') > 0")

    async def use(row_writer: Writer) -> None:
        _, outcomes = await row_writer.add_all([row(1), row(2)])
        assert [type(outcome) for outcome in outcomes] == [Interrupted, Interrupted]

    write(url, use)
    assert rows(url, "SELECT last_value FROM statements") == [2]


def test_an_explanation_that_fails_is_the_outcome_of_its_rows(url: str) -> None:
    """Its rows are not sent again and again, and other rows are stored."""
    explanation = f"SELECT id, (id / 0)::text FROM {GIVEN}"  # noqa: S608 (constants of this module)

    async def use(row_writer: Writer) -> None:
        await row_writer.add(row(1))
        _, outcomes = await row_writer.add_all([row(1), row(2)])
        assert [type(outcome) for outcome in outcomes] == [RowRefused, type(None)]

    write(url, use, Statements(EXPLAINED.insert, explanation))
    assert rows(url) == [1, 2]


def test_memory_is_bounded(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row that would exceed it is refused at once; once the rows before it are stored there is room again."""
    monkeypatch.setattr(writer, "MAX_WAITING_BYTES", 100)

    async def use(row_writer: Writer) -> None:
        outcomes = await asyncio.gather(
            *(row_writer.add(row(identifier)) for identifier in range(10)), return_exceptions=True
        )
        refused = [identifier for identifier, error in enumerate(outcomes) if isinstance(error, Unavailable)]
        assert refused == list(range(3, 10))
        await row_writer.add(row(10))

    write(url, use)
    assert rows(url) == [0, 1, 2, 10]


def test_a_cancelled_caller_costs_nothing(url: str) -> None:
    """A request that is cancelled, before its row is sent or after, leaves its neighbours alone."""

    async def use(row_writer: Writer) -> None:
        gone, stays = (asyncio.ensure_future(row_writer.add(row(identifier))) for identifier in (1, 2))
        await asyncio.sleep(0)
        gone.cancel()
        await stays
        gone = asyncio.ensure_future(row_writer.add(row(3)))
        stays = asyncio.ensure_future(row_writer.add(row(4)))
        await asyncio.sleep(0.1)
        gone.cancel()
        await stays

    write(url, use, SLOWLY)
    assert {2, 4} <= set(rows(url))


def test_a_lost_connection_is_replaced(url: str) -> None:
    """Rows that are added without a connection are stored on the next one; no caller need ask again."""

    async def use(row_writer: Writer) -> None:
        await row_writer.add(row(1))
        statement(url, CUT)
        await asyncio.gather(*(row_writer.add(row(identifier)) for identifier in (2, 3)))

    write(url, use)
    assert rows(url) == [1, 2, 3]


def test_a_batch_whose_outcome_is_unknown_is_stored_once(url: str) -> None:
    """The server commits and its answer is lost: the batch is sent again, gets its answer, and is stored once."""
    with silenceable(url) as (relayed, silent):

        async def use(row_writer: Writer) -> None:
            adding = asyncio.gather(*(row_writer.add(row(identifier)) for identifier in (1, 2)))
            while not rows(url, "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'"):
                await asyncio.sleep(0.01)
            silent.set()
            while not rows(url):
                await asyncio.sleep(0.01)
            silent.clear()
            await adding

        write(relayed, use, SLOWLY, timeout=1)
    assert rows(url) == [1, 2]


async def add_when_back(row_writer: Writer, added: EncodedRow) -> None:
    """Add a row as soon as the writer has a connection again."""
    deadline = time.monotonic() + 10
    while True:
        with suppress(Unavailable):
            await row_writer.add(added)
            return
        assert time.monotonic() < deadline, "the writer has no connection"
        await asyncio.sleep(0.02)


def test_a_database_that_is_away_is_not_waited_for_long(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting rows are refused, new ones are refused at once, and when it is back rows are stored again."""
    monkeypatch.setattr(writer, "PATIENCE_SECONDS", 0.3)
    server, name = url.replace("/writer", "/postgres"), sql.Identifier("writer")

    async def use(row_writer: Writer) -> None:
        await row_writer.add(row(1))
        statement(
            server,
            sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name),
            sql.SQL("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'writer'"),
        )
        outcomes = await asyncio.gather(
            *(row_writer.add(row(identifier)) for identifier in (2, 3)), return_exceptions=True
        )
        assert [type(error) for error in outcomes] == [Unavailable] * 2
        with pytest.raises(Unavailable):
            row_writer.add(row(4)).send(None)  # without a wait
        statement(server, sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(name))
        await add_when_back(row_writer, row(5))

    write(url, use)
    assert rows(url) == [1, 5]


def test_a_table_that_is_locked_is_waited_for_once(url: str) -> None:
    """A waiting row is refused after the time for one statement; rows are stored again when the lock is gone."""

    async def use(row_writer: Writer) -> None:
        await row_writer.add(row(1))
        with psycopg.connect(url) as locking:
            locking.execute("LOCK TABLE kept")
            asked = time.monotonic()
            with pytest.raises(Unavailable, match=r"no answer within 2\.5 seconds"):
                await row_writer.add(row(2))
            assert time.monotonic() - asked < 4
        await add_when_back(row_writer, row(3))

    write(url, use, timeout=2.5)


def test_a_server_that_only_reads_is_away(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Like one that was not promoted yet: no row waits for ever."""
    monkeypatch.setattr(writer, "PATIENCE_SECONDS", 0.2)
    statement(url, sql.SQL("ALTER DATABASE writer SET default_transaction_read_only = on"))

    async def use(row_writer: Writer) -> None:
        with pytest.raises(Unavailable):
            await row_writer.add(row(1))
        await asyncio.sleep(3 * writer.RETRY_SECONDS)
        with pytest.raises(Unavailable, match="the database is unavailable"):
            await row_writer.add(row(1))

    write(url, use)


def test_an_unwritten_row_is_refused_when_the_service_stops(url: str) -> None:
    """No caller waits for a writer that has ended."""

    async def run() -> None:
        with closing(Database(url)) as database:
            row_writer = Writer(database, Statements(KEEP))
            async with row_writer.writing():
                adding = asyncio.ensure_future(row_writer.add(row(1)))
                await asyncio.sleep(0)
            with pytest.raises(Unavailable, match="the service stops"):
                await adding

    asyncio.run(run())


def test_a_writer_counts_waits_and_commits(url: str) -> None:
    """A wait for each call, a commit for each batch; what is under way is waiting."""

    async def use(row_writer: Writer) -> None:
        first = asyncio.create_task(row_writer.add(row(1)))
        counts = row_writer.counts
        while not counts.waits.parts[-1]:
            await asyncio.sleep(0.005)
        first_wait = counts.waits.parts[-1]
        second = asyncio.create_task(row_writer.add_all([row(identifier) for identifier in range(2, 6)]))
        await asyncio.sleep(0)
        assert (row_writer.waiting_rows, row_writer.waiting_bytes) == (5, 4 * len(row(2)[1]))
        await asyncio.gather(first, second)
        assert sum(counts.waits.parts[:-1]) == 2
        assert 0.1 < counts.waits.parts[-1] - first_wait < counts.commits.parts[-1]
        assert (sum(counts.batches.parts[:-1]), counts.batches.parts[-1]) == (2, 5)
        assert sum(counts.commits.parts[:-1]) == 2
        assert counts.commits.parts[-1] >= 0.6
        assert (row_writer.waiting_rows, row_writer.away_seconds, counts.errors) == (0, 0, {})

    write(url, use, SLOWLY)


def test_a_writer_counts_errors_by_the_class_of_sqlstate(url: str) -> None:
    """Each statement that the database refuses, and each time that it is lost; the time away ends with it."""

    async def use(row_writer: Writer) -> None:
        with pytest.raises(Failed):
            await row_writer.add(row(1, "refused"))
        assert row_writer.counts.errors == {"23": 1}
        statement(url, CUT)
        adding = asyncio.create_task(row_writer.add(row(2)))
        while not row_writer.away_seconds:
            await asyncio.sleep(0.005)
        assert row_writer.away_seconds < 2
        await adding
        assert row_writer.counts.errors == {"23": 1, "connection": 1}
        assert row_writer.away_seconds == 0

    write(url, use)
