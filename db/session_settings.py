"""The settings of a session that correctness rests on: sent with each connection, and read back once it is open.

A database, a role or a server may have any defaults, and a pooler may drop what is sent.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import sql
from sqlalchemy import Connection

from db.errors import Failed, Unsuitable

STATEMENT_SECONDS = 15
MINIMUM_VERSION = 15


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting of PostgreSQL, the value that each session has, as PostgreSQL prints it, and why."""

    name: str
    value: str
    reason: str


SETTINGS = (
    Setting("default_transaction_isolation", "read committed", "a page needs a new snapshot after it has read locks"),
    Setting("synchronous_commit", "on", "an acknowledged event is on disk"),
    Setting("DateStyle", "ISO, MDY", "psycopg reads times in no other form"),
    Setting("IntervalStyle", "postgres", "psycopg reads intervals in no other form"),
    Setting("TimeZone", "UTC", "days and weeks are those of UTC"),
    Setting("extra_float_digits", "1", "fewer digits round the database's clock to hours or days"),
    Setting("standard_conforming_strings", "on", "a backslash in a statement is itself"),
    Setting("quote_all_identifiers", "off", "partitions are known by their names as PostgreSQL prints them"),
    Setting("statement_timeout", f"{STATEMENT_SECONDS}s", "no statement waits forever, and a migration has time"),
    Setting("lock_timeout", "0", "rows that wait a moment for a lock are stored; statement_timeout limits them"),
    Setting("idle_in_transaction_session_timeout", "0", "a transaction computes between its statements"),
    Setting("idle_session_timeout", "0", "the sessions of a quiet service stay open"),
)
"""`default_transaction_read_only` is missing on purpose: operators and providers set it to stop writes to a full disk.

The settings that only a superuser may change are missing because another role cannot send them.
"""

_TRANSACTION_TIMEOUT = "transaction_timeout"
"""PostgreSQL 17 and later, so that it cannot be sent: an earlier server would refuse the connection."""

READ = (
    sql.SQL("SELECT {}, pg_catalog.current_schemas(false)::pg_catalog.text[], pg_catalog.version()")
    .format(
        sql.SQL(", ").join(
            sql.SQL("pg_catalog.current_setting({}, true)").format(sql.Literal(name))
            for name in (*(setting.name for setting in SETTINGS), _TRANSACTION_TIMEOUT)
        )
    )
    .as_bytes()
)
"""Reads back what `correction` judges. Everything is qualified: another schema may have functions of the same names."""


def options(others: str = "") -> str:
    """The `options` of libpq: `others`, those of a URL, and then the settings; Failed if `others` contradict these."""
    wanted = {setting.name.lower(): setting for setting in SETTINGS}
    for name, value in _assignments(others):
        setting = wanted.get(name.lower())
        if setting and value.lower() != setting.value.lower():
            raise Failed(
                f"options in the database URL set {setting.name} to {value!r}, but the service needs "
                f"{setting.value!r} ({setting.reason}): leave {setting.name} out"
            )
    return " ".join([others, *(f"-c {setting.name}={_escaped(setting.value)}" for setting in SETTINGS)]).strip()


def is_read_only(connection: Connection) -> bool:
    """True if transactions of this session only read, as providers have it while a disk is full."""
    return bool(connection.exec_driver_sql("SHOW transaction_read_only").scalar_one() == "on")


def require_version(number: int) -> None:
    """Unsuitable if `number`, that of libpq, is of a PostgreSQL that is too old."""
    if number // 10000 < MINIMUM_VERSION:
        raise Unsuitable(
            f"the server says that it is PostgreSQL {number // 10000}: the service needs PostgreSQL "
            f"{MINIMUM_VERSION} or later, and no other product"
        )


def require_own_session(of_first: Sequence[int], of_second: Sequence[int]) -> None:
    """Unsuitable if two sessions share a process of the server, or one of them has several."""
    if len(set(of_first)) > 1 or set(of_first) & set(of_second):
        raise Unsuitable(
            "a pooler such as PgBouncer lends each transaction another session: the service listens and prepares "
            "statements in sessions of its own; connect to PostgreSQL itself"
        )


def correction(row: Sequence[object]) -> sql.Composed | None:
    """The statement that the session of `row`, which `READ` returned, still needs; None as a rule.

    Unsuitable if a setting that was sent is not in force.
    """
    for setting, value in zip(SETTINGS, row, strict=False):
        if value != setting.value:
            raise Unsuitable(
                f"{setting.name} is {value!r} in a new session, although the service has set it to {setting.value!r}: "
                "a pooler such as PgBouncer has dropped 'options'; connect to PostgreSQL itself"
            )
    transaction_timeout, schemas, product = row[len(SETTINGS) :]
    if not str(product).startswith("PostgreSQL "):
        raise Unsuitable(f"the server is {product!r}: the service needs PostgreSQL {MINIMUM_VERSION} or later")
    changes = []
    if transaction_timeout not in (None, "0"):
        changes.append((_TRANSACTION_TIMEOUT, "0"))
    if path := _search_path(list(schemas) if isinstance(schemas, list) else []):
        changes.append(("search_path", path))
    calls = [
        sql.SQL("pg_catalog.set_config({}, {}, false)").format(sql.Literal(name), sql.Literal(value))
        for name, value in changes
    ]
    return sql.SQL("SELECT {}").format(sql.SQL(", ").join(calls)) if calls else None


def _search_path(schemas: list[str]) -> str | None:
    """Another `search_path` if that of the session, `schemas`, has none for tables, or one before pg_catalog.

    An empty path is a usual hardening (CVE-2018-1058). A schema before pg_catalog could replace now().
    """
    others = [schema for schema in schemas if schema != "pg_catalog"]
    if others == schemas:
        return None if schemas else "public"
    return ", ".join(f'"{schema.replace(chr(34), 2 * chr(34))}"' for schema in others or ["public"])


def _assignments(text: str) -> list[tuple[str, str]]:
    """The names and values that `text`, in the form of libpq's `options`, sets; Failed for any other option."""
    words = [re.sub(r"\\(.)", r"\1", word) for word in re.findall(r"(?:\\.|[^\\\s])+", text)]
    joined = re.sub(r"(^|\0)-c\0", r"\1-c", "\0".join(words)).split("\0") if words else []
    assignments = []
    for word in joined:
        match = re.fullmatch(r"(?:-c|--)([\w.-]+)=(.*)", word, re.DOTALL)
        if match is None:
            raise Failed(f"options in the database URL has {word!r}: only settings of the form -c name=value are known")
        assignments.append((match[1].replace("-", "_"), match[2]))
    return assignments


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace(" ", "\\ ")
