"""Submissions of hubs, each stored once: the statements that store them, and their outcomes.

A submission may carry two keys: its request key identifies the request (RFC draft Idempotency-Key), its own key the
event or annotation. A key is claimed in the transaction that stores the submission, so that a second submission finds
the claim, across workers and crashes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from functools import cache
from hashlib import blake2b
from typing import Any, NamedTuple

from sqlalchemy import Column, Connection, Table, TextClause, text
from sqlalchemy.dialects import registry

from db import json_text, partitions
from db.async_connection import TextRow
from db.engine import Database
from db.errors import DatabaseError, Unavailable
from db.timelines import NOTE
from db.writer import EncodedRow, Statements, Writer

_WITHIN = "\x1f"  # no client can send it in a header
_OURS = {"id", "hub_id", "additional_fields", "contract_version"}
_POSTGRESQL = registry.load("postgresql")()


@dataclass(frozen=True, slots=True)
class Created:
    """The submission is stored under its id."""


@dataclass(frozen=True, slots=True)
class Duplicate:
    """It was stored before, under `id`; `by_request` if by a request with the same key."""

    id: str
    by_request: bool


@dataclass(frozen=True, slots=True)
class Conflict:
    """`key`, request_key or own_key, was used before for other content."""

    key: str


@dataclass(frozen=True, slots=True)
class Unstored:
    """The database did not store it, for the reason in `error`."""

    error: DatabaseError


Outcome = Created | Duplicate | Conflict | Unstored
_CREATED = Created()


@dataclass(frozen=True, slots=True)
class SubmissionTable:
    """A table of submissions of a `kind`; `own_key` names the column that holds their own keys."""

    table: Table
    own_key: str
    kind: str

    @property
    def columns(self) -> list[Column[Any]]:
        """The columns that a writer fills; the database fills the others by their defaults."""
        return [column for column in self.table.columns if column.server_default is None]

    @property
    def fields(self) -> frozenset[str]:
        """The names of the columns that a hub fills."""
        # SQLAlchemy's names are instances of a str subclass, which orjson refuses as a key.
        return frozenset(str(column.name) for column in self.columns) - _OURS


def key_within(key: str, name: int | str) -> str:
    """The request key of one part of the request with `key`; `name` identifies the part, such as an item's index."""
    return f"{key}{_WITHIN}{name}"


def key_around(key: str) -> str:
    """The key of the request, of the request key of one of its parts."""
    return key.partition(_WITHIN)[0]


def writer(database: Database, table: SubmissionTable) -> Writer:
    """A writer of rows of `table`, as `row` returns them."""
    statements = _statements(table)
    kept = statements.insert, statements.explanation
    return Writer(database, Statements(*kept, partitions=partitions.ensure_for, on_connection=NOTE))


def tried(connection: Connection, table: SubmissionTable, rows: Sequence[EncodedRow]) -> list[TextRow | None]:
    """The results that a writer would return for `rows`; none of them is stored."""
    statements = _statements(table)
    attempt = connection.begin_nested()
    missing = {
        str(identifier) for identifier in connection.scalars(_for_sqlalchemy(statements.insert), _parameters(rows))
    }
    explained = _explained(connection, statements.explanation, rows) if missing else {}
    attempt.rollback()
    return [explained[identifier] if identifier in missing else None for identifier, _ in rows]


def known(connection: Connection, table: SubmissionTable, rows: Sequence[EncodedRow]) -> list[Duplicate | None]:
    """For each of `rows`, the earlier submission with its keys and the same content; None if absent."""
    explained = _explained(connection, _statements(table).look_up, rows)
    outcomes = [outcome(identifier, explained[identifier]) for identifier, _ in rows]
    return [duplicate if isinstance(duplicate, Duplicate) else None for duplicate in outcomes]


def _explained(connection: Connection, explanation: str, rows: Sequence[EncodedRow]) -> dict[str, TextRow]:
    """The result row of `explanation` for each of `rows`, by id."""
    explained = connection.execute(_for_sqlalchemy(explanation), _parameters(rows))
    return {str(row[0]): tuple([None if value is None else str(value) for value in row]) for row in explained}


def _parameters(rows: Sequence[EncodedRow]) -> dict[str, str]:
    return {"rows": "[" + ",".join([content.decode() for _, content in rows]) + "]"}


def _for_sqlalchemy(statement: str) -> TextClause:
    return text(statement.replace("$1::json", "CAST(:rows AS json)"))


class _Statements(NamedTuple):
    """Two for a writer; `look_up` returns the same as `explanation`, for any rows, and changes nothing."""

    insert: str
    explanation: str
    look_up: str


_GIVEN = """
    WITH given AS MATERIALIZED (
        SELECT * FROM json_to_recordset($1::json)
            AS given({declared}, request_key text, request_digest uuid, digest uuid)
    )
"""

# All transactions claim keys in one order, so that they cannot deadlock; of equal keys in one statement the first row
# claims, because ids grow.
_INSERT = """
    , requests AS (
        INSERT INTO idempotency_keys (hub_id, kind, key, digest, id)
        SELECT hub_id, 'request', request_key, request_digest, id FROM given WHERE request_key IS NOT NULL
        ORDER BY hub_id, request_key, id ON CONFLICT DO NOTHING RETURNING id
    ),
    first AS MATERIALIZED (SELECT * FROM given WHERE request_key IS NULL OR id IN (SELECT id FROM requests)),
    things AS (
        INSERT INTO idempotency_keys (hub_id, kind, key, digest, id)
        SELECT hub_id, '{kind}', {own_key}, digest, id FROM first WHERE {own_key} IS NOT NULL
        ORDER BY hub_id, {own_key}, id ON CONFLICT DO NOTHING RETURNING id
    ),
    new AS MATERIALIZED (SELECT * FROM first WHERE {own_key} IS NULL OR id IN (SELECT id FROM things)),
    stored AS (
        INSERT INTO {table} ({names})
        SELECT {names} FROM new WHERE contract_version IS NOT NULL ON CONFLICT (id) DO NOTHING
    )
    SELECT id FROM given WHERE id NOT IN (SELECT id FROM new)
"""
"""Claims the keys of rows, stores the rows whose keys are all claimed, and returns the ids of the others.

    id  request key  own key  content
    1   r            x        A        claims r and x: stored
    2   r            x        A        cannot claim r, not in `first`: returned
    3   s            x        B        claims s but not x, not in `new`: returned
    4                         C        has no key to claim: stored
"""

_LOOK_UP = """
    SELECT given.id, request.id, (request.digest = given.request_digest)::text, (thing.digest = given.digest)::text,
        CASE WHEN {own_key} IS NULL THEN request.id ELSE thing.id END
    FROM given
    LEFT JOIN idempotency_keys request
        ON request.hub_id = given.hub_id AND request.kind = 'request' AND request.key = request_key
    LEFT JOIN idempotency_keys thing
        ON thing.hub_id = given.hub_id AND thing.kind = '{kind}' AND thing.key = {own_key}
"""
"""Returns the claims on the keys of rows, as `_of_claims` reads them: of the rows 2 and 3 above

    id  claim of request key  is same request  is same thing  stored as
    2   1                     true             true           1          a duplicate of 1
    3   3                     true             false          1          a conflict: x is the key of other content
"""

_GIVE_BACK = """
    , given_back AS (
        DELETE FROM idempotency_keys claim USING given, idempotency_keys thing
        WHERE claim.hub_id = given.hub_id AND claim.kind = 'request' AND claim.key = request_key
            AND claim.id = given.id AND thing.hub_id = given.hub_id AND thing.kind = '{kind}'
            AND thing.key = {own_key} AND thing.digest <> given.digest
    )
"""
"""Deletes the request keys of rows that conflict by their own key, because nothing is stored under them: s of row 3."""


@cache
def _statements(table: SubmissionTable) -> _Statements:
    """The statements for `table`. A claimed key counts as stored; a row that claims it again by the same id has it."""
    parts = {
        "declared": ", ".join(f"{column.name} {column.type.compile(_POSTGRESQL)}" for column in table.columns),
        "names": ", ".join(column.name for column in table.columns),
        "table": table.table.name,
        "own_key": table.own_key,
        "kind": table.kind,
    }
    parameter, insert, look_up, give_back = [
        statement.format_map(parts) for statement in (_GIVEN, _INSERT, _LOOK_UP, _GIVE_BACK)
    ]
    return _Statements(parameter + insert, parameter + give_back + look_up, parameter + look_up)


def row(submission: Mapping[str, Any]) -> EncodedRow:
    """The row for a writer: `submission` has a JSON value for each column that is not null.

    Besides the columns it may have `request_key` with `request_digest`, and `digest` with its own key. Without
    `contract_version` it only claims its keys.
    """
    return submission["id"], json_text.encoded(submission)


def digest(value: Any) -> str:
    """A 128-bit digest of a JSON value, in hexadecimal, whatever the order of names and the spelling of numbers."""
    return blake2b(json_text.sorted_text(_respelt(value)), digest_size=16).hexdigest()


def _respelt(value: Any) -> Any:
    """`value` with each number in one spelling: one with an integer value becomes that integer."""
    if isinstance(value, dict):
        return {name: _respelt(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_respelt(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(Decimal(repr(value)))  # 1e23 as the decimal that was sent, not as the exact value of the double
    return _respelt_decimal(value) if isinstance(value, Decimal) else value


def _respelt_decimal(number: Decimal) -> int | Decimal:
    """`number` without zeros at its end, which do not change its value."""
    shortest = number.normalize(Context(prec=len(number.as_tuple().digits)))
    return int(shortest) if int(shortest.as_tuple().exponent) >= 0 else shortest


def outcome(identifier: str, written: TextRow | DatabaseError | None) -> Outcome:
    """The outcome of the submission `identifier`, from what a writer returned for it."""
    if written is None:
        return _CREATED
    if isinstance(written, DatabaseError):
        return Unstored(written)
    return _of_claims(identifier, *written[1:])


def _of_claims(
    identifier: str,
    request_id: str | None,
    is_same_request: str | None,
    is_same_thing: str | None,
    stored_as: str | None,
) -> Outcome:
    """The outcome of a submission whose keys were claimed before; `is_same_...` is 'true', 'false' or None."""
    if "false" in (is_same_request, is_same_thing):
        return Conflict("request_key" if is_same_request == "false" else "own_key")
    if stored_as is None:  # retention deleted it, but not the claim of its request
        return Conflict("request_key") if request_id else Unstored(Unavailable("a key was deleted in the meantime"))
    if stored_as == identifier:  # by a transaction whose response was lost
        return _CREATED
    return Duplicate(stored_as, by_request=request_id == stored_as)
