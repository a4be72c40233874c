"""Translates errors of psycopg and SQLAlchemy into errors of this room."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import sqlalchemy.exc

from db.errors import DatabaseError, Failed, Unavailable

# PostgreSQL 18, appendix A: connection, resources, intervention, system; read-only, serialization, deadlock, lock.
_TRANSIENT = ("08", "53", "57", "58", "25006", "40001", "40P01", "55P03")


@contextmanager
def translated_errors() -> Iterator[None]:
    """Turn errors of SQLAlchemy and psycopg into Unavailable or Failed, which repeat no stored data."""
    try:
        yield
    except sqlalchemy.exc.DBAPIError as error:
        if error.statement is None and isinstance(error.orig, psycopg.Error):
            raise connection_error(error.orig) from None
        raise _with_state(error.orig, lost=error.connection_invalidated) from None
    except sqlalchemy.exc.TimeoutError:
        raise Unavailable("all connections are in use") from None
    except sqlalchemy.exc.SQLAlchemyError as error:
        raise Failed(type(error).__name__) from None
    except psycopg.Error as error:
        raise _with_state(error, lost=False) from None


def connection_error(error: psycopg.Error) -> DatabaseError:
    """The error of this room for `error`, raised while connecting.

    It has the message of libpq: before a connection exists there is no data to repeat, and libpq repeats no passwords.
    """
    message = " ".join(str(error).split())[:300] or type(error).__name__
    return Unavailable(message) if isinstance(error, psycopg.OperationalError) else Failed(message)


def _with_state(error: BaseException | None, lost: bool) -> DatabaseError:
    translated = _of_driver(error, lost)
    translated.sqlstate = getattr(error, "sqlstate", None)
    return translated


def _of_driver(error: BaseException | None, lost: bool) -> DatabaseError:
    state = getattr(error, "sqlstate", None)
    if isinstance(error, psycopg.errors.CheckViolation) and not error.diag.constraint_name:
        return Unavailable("there is no partition for a row")  # db.partitions.upkeep creates it
    message = f"{type(error).__name__}, SQLSTATE {state}" if state else type(error).__name__
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        message += f", {error.diag.message_primary}"  # it names a table, and no data
    if state is None:
        is_transient = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    else:
        is_transient = state.startswith(_TRANSIENT)
    return Unavailable(message) if lost or is_transient else Failed(message)
