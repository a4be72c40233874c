"""Translates errors of psycopg and SQLAlchemy into errors of this room."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import sqlalchemy.exc

from db.errors import DatabaseError, Failed, Interrupted, NoPartition, RowRefused, Unavailable

# PostgreSQL 18, appendix A: connection, resources, intervention, system; read-only, lock.
_TRANSIENT = ("08", "53", "57", "58", "25006", "55P03")
_CONFLICTS = ("40001", "40P01")
# Values, constraints, and limits of one value (an index entry, the depth of a document); P0 is raised by triggers,
# which look at one row. All other classes concern every row: privileges, missing tables, full disks, corrupted files.
_OF_A_ROW = ("22", "23", "54", "P0")

_MISSING_RIGHT = re.compile(r"(permission denied for|must be owner of) [a-z ]+ [\w$]+")


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
    message = f"{type(error).__name__}, SQLSTATE {state}" if state else type(error).__name__
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        message += _missing_right(error.diag.message_primary or "")
    if lost:
        return Unavailable(message)
    if state is None:
        is_transient = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
        return Unavailable(message) if is_transient else Failed(message)
    if isinstance(error, psycopg.errors.CheckViolation) and _lacks_partition(error):
        return NoPartition("there is no partition for a row")
    return _kind(state)(message)


def _lacks_partition(error: psycopg.errors.CheckViolation) -> bool:
    """True if no partition of a table takes a row. A trigger may raise the same SQLSTATE, but names no table."""
    return error.diag.table_name is not None and error.diag.constraint_name is None


def _missing_right(words: str) -> str:
    """The object that a role lacks a right on, in the server's `words`; nothing for words that may be a trigger's."""
    return f", {words}" if _MISSING_RIGHT.fullmatch(words) else ""


def _kind(state: str) -> type[DatabaseError]:
    """The error of this room for an SQLSTATE."""
    if state in _CONFLICTS:
        return Interrupted
    if state.startswith(_TRANSIENT):
        return Unavailable
    return RowRefused if state.startswith(_OF_A_ROW) else Failed
