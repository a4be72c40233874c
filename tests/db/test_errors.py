"""The translation of errors of the driver and of SQLAlchemy."""

import traceback
from collections.abc import Iterator
from contextlib import closing
from typing import LiteralString

import psycopg
import pytest
import sqlalchemy.exc
from sqlalchemy import text

from db.driver_errors import translated_errors
from db.engine import Database
from db.errors import DatabaseError, Failed, Interrupted, NoPartition, NotFound, Refused, RowRefused, Unavailable

SECRET = "what was stored"


@pytest.fixture(scope="module")
def database(any_server: str) -> Iterator[Database]:
    """A server of each kind."""
    with closing(Database(any_server)) as database:
        yield database


@pytest.mark.parametrize("error", [Unavailable, NoPartition, Interrupted, Failed, RowRefused, NotFound, Refused])
def test_every_error_of_the_room_is_a_database_error(error: type[DatabaseError]) -> None:
    """`except DatabaseError` catches them all."""
    assert issubclass(error, DatabaseError)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        pytest.param("08006", Unavailable, id="08006 connection failure"),
        pytest.param("25006", Unavailable, id="25006 read-only transaction"),
        pytest.param("40001", Interrupted, id="40001 serialization failure"),
        pytest.param("40P01", Interrupted, id="40P01 deadlock"),
        pytest.param("53100", Unavailable, id="53100 disk full"),
        pytest.param("53300", Unavailable, id="53300 too many connections"),
        pytest.param("55P03", Unavailable, id="55P03 lock not available"),
        pytest.param("57014", Unavailable, id="57014 statement timeout"),
        pytest.param("57P03", Unavailable, id="57P03 starting up"),
        pytest.param("58030", Unavailable, id="58030 input or output"),
        pytest.param("22P02", RowRefused, id="22P02 not a value of the type"),
        pytest.param("23505", RowRefused, id="23505 unique violation"),
        pytest.param("23514", RowRefused, id="23514 check of a trigger"),
        pytest.param("54000", RowRefused, id="54000 too large for an index"),
        pytest.param("P0001", RowRefused, id="P0001 exception of a trigger"),
        pytest.param("25001", Failed, id="25001 active transaction"),
        pytest.param("40002", Failed, id="40002 constraint at commit"),
        pytest.param("42501", Failed, id="42501 no right"),
        pytest.param("42P01", Failed, id="42P01 no such table"),
        pytest.param("55006", Failed, id="55006 object in use"),
        pytest.param("XX000", Failed, id="XX000 internal error"),
    ],
)
def test_an_sqlstate_is_temporary_or_not(
    database: Database, state: LiteralString, expected: type[DatabaseError]
) -> None:
    """Unavailable if it may pass, else Failed, or a subclass; the message has the SQLSTATE, not the server's words."""
    raising = f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{state}', MESSAGE = '{SECRET}'; END $$"
    with pytest.raises(DatabaseError) as raised, database.begin() as connection:
        connection.execute(text(raising))
    assert type(raised.value) is expected
    assert str(raised.value).endswith(f", SQLSTATE {state}")
    assert raised.value.sqlstate == state
    assert SECRET not in str(raised.value)


def test_no_stored_value_is_repeated(database: Database) -> None:
    """PostgreSQL repeats the values of a refused row; neither the error nor its traceback does."""
    value = SECRET.upper()
    with database.begin() as connection:
        connection.execute(text("CREATE TEMPORARY TABLE kept (value text UNIQUE)"))
        connection.execute(text("INSERT INTO kept VALUES (:value)"), {"value": value})
    with pytest.raises(Failed) as raised, database.begin() as connection:
        connection.execute(text("INSERT INTO kept VALUES (:value)"), {"value": value})
    assert str(raised.value) == "UniqueViolation, SQLSTATE 23505"
    assert value not in "".join(traceback.format_exception(raised.value))


def test_sqlalchemy_itself_repeats_no_values(database: Database) -> None:
    """Code that catches its error within the transaction, and logs it, logs the statement without its parameters."""
    with database.begin() as connection, pytest.raises(sqlalchemy.exc.DBAPIError) as raised:
        connection.execute(text("SELECT length(:value) / 0"), {"value": SECRET})
    assert "SELECT" in str(raised.value)
    assert SECRET not in str(raised.value)


@pytest.mark.parametrize(
    ("error", "expected", "words"),
    [
        pytest.param(psycopg.OperationalError(SECRET), Unavailable, "OperationalError", id="operational"),
        pytest.param(psycopg.InterfaceError(SECRET), Unavailable, "InterfaceError", id="interface"),
        pytest.param(psycopg.DataError(SECRET), Failed, "DataError", id="data"),
        pytest.param(
            psycopg.errors.DeadlockDetected(SECRET), Interrupted, "DeadlockDetected, SQLSTATE 40P01", id="deadlock"
        ),
        pytest.param(
            psycopg.errors.UndefinedTable(SECRET), Failed, "UndefinedTable, SQLSTATE 42P01", id="undefined table"
        ),
        pytest.param(
            sqlalchemy.exc.DBAPIError(SECRET, None, psycopg.DataError(SECRET), connection_invalidated=True),
            Unavailable,
            "DataError",
            id="the connection was lost",
        ),
        pytest.param(
            sqlalchemy.exc.DBAPIError(SECRET, None, psycopg.DataError(SECRET)),
            Failed,
            "DataError",
            id="the connection was kept",
        ),
        pytest.param(sqlalchemy.exc.TimeoutError(SECRET), Unavailable, "all connections are in use", id="pool"),
        pytest.param(sqlalchemy.exc.NoResultFound(SECRET), Failed, "NoResultFound", id="SQLAlchemy's own"),
    ],
)
def test_errors_of_the_libraries_are_translated(error: Exception, expected: type[DatabaseError], words: str) -> None:
    """Each becomes an error of this room, with its own message and without the original as cause or context."""
    with pytest.raises(DatabaseError) as raised, translated_errors():
        raise error
    assert type(raised.value) is expected
    assert str(raised.value) == words
    assert raised.value.__suppress_context__
    assert raised.value.__cause__ is None


def test_other_errors_pass_as_they_are() -> None:
    """An error that is neither SQLAlchemy's nor psycopg's is not translated."""
    error = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError) as raised, translated_errors():
        raise error
    assert raised.value is error
