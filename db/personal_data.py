"""What is stored of an actor, found by the SHA-256 of the actor's UUID, and deleted.

No statement has the UUID, except within a claim's key, by which claims are read. A row is the actor's if its
`actor_id`, or a UUID anywhere in its texts and JSON, has the digest. An annotation on an event of the actor is about
the actor.
"""

from collections.abc import Callable, Sequence
from functools import reduce
from hashlib import sha256
from uuid import UUID

from sqlalchemy import Connection, text

from db import sweeps
from db.advisory_locks import AdvisoryLock, lock
from db.engine import Database
from db.sweeps import Sweep

Progress = Callable[[str, int, int], object]
"""Called after each transaction, with the name of a table, the rows that were read, and those that were deleted."""

# With hyphens or without, in either case, also within braces or a URN. A digit before it makes another number, unless
# it ends an escape: of a URL (%2F), of JSON (\\u0022, \\b, \\f), or of bytes that `encode` writes in octal digits.
_START = r"(?:(?<![0-9a-f])|(?<=%[0-9a-f]{2})|(?<=\\u[0-9a-f]{4})|(?<=\\[bf])|(?<=\\[0-7]{3}))"
_UUID = _START + "(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{32})(?![0-9a-f])"
_ESCAPED = "0123456789abcdefABCDEF-"
"""The characters of a UUID, which JSON may also spell as escapes, as \\u0061."""


def digest_of(actor: UUID) -> str:
    """The SHA-256 of an actor's UUID in lower case with hyphens, in hexadecimal."""
    return sha256(str(actor).encode()).hexdigest()


def erase(database: Database, digests: Sequence[str], progress: Progress) -> dict[str, int]:
    """Delete what is stored of the actors with these digests; returns the number of rows by table.

    Each transaction reads some thousand rows. Claims of keys stay, so that an event that is sent again is a duplicate,
    unless the key itself has the UUID. Exports that are under way break off.
    """
    raw = [bytes.fromhex(digest) for digest in digests]
    counts = {table: _erase_from(database, table, raw, progress) for table in _CONDITIONS}
    return counts | {"idempotency_keys": _erase_keys(database, raw, progress)}


def _is_theirs(value: str) -> str:
    """SQL: whether the UUID `value` has one of the digests."""
    return f"sha256(convert_to(CAST({value} AS uuid)::text, 'UTF8')) = ANY(CAST(:digests AS bytea[]))"


def _names_them(*values: str) -> str:
    """SQL: whether a UUID in the texts `values` has one of the digests."""
    joined = f"concat_ws(' ', {', '.join(values)})"
    found = f"SELECT FROM regexp_matches({joined}, '{_UUID}', 'gi') AS spelt WHERE {_is_theirs('spelt[1]')}"
    return f"EXISTS ({found})"


def _submission(name: str, *values: str) -> str:
    """SQL: whether a submission in the table or alias `name` is of the actors, or names them."""
    columns = ("actor_type", "view_context_ref", "metadata", "additional_fields", *values)
    return f"({_is_theirs(f'{name}.actor_id')} OR {_names_them(*[f'{name}.{column}::text' for column in columns])})"


def _unescaped(value: str) -> str:
    """SQL: the text `value` without JSON's escapes for the characters of a UUID; most texts have none."""
    digits = [f"{ord(character):04x}" for character in _ESCAPED]
    spellings = [(spelt, chr(int(code, 16))) for code in digits for spelt in sorted({code, code.upper()})]
    plain = reduce(lambda sql, pair: f"replace({sql}, '\\u{pair[0]}', '{pair[1]}')", spellings, value)
    return f"CASE WHEN strpos({value}, '\\u00') > 0 THEN {plain} ELSE {value} END"


# `encode` doubles each backslash of the bytes, whatever their characters are.
_RAW = _unescaped(r"replace(encode(raw, 'escape'), '\\', '\')")
_EVENT = "SELECT FROM interaction_events event WHERE event.id = annotations.event_id AND {}"
_CONDITIONS = {
    "rejected_submissions": _names_them("error", "help", "pointer", "request_key", "event_type", _RAW),
    "annotations": _submission("annotations", "category", "body", "severity", "client_annotation_id")
    + f" OR EXISTS ({_EVENT.format(_submission('event', 'client_event_id'))})",
    "interaction_events": _submission("interaction_events", "client_event_id"),
}
"""For each table whose rows are erased, in this order: an annotation is found by its event."""


def _erase_from(database: Database, table: str, digests: Sequence[bytes], progress: Progress) -> int:
    sweep = Sweep(table, _CONDITIONS[table], {"digests": digests})
    after, read, deleted = sweeps.FIRST, 0, 0
    while True:
        with database.begin() as connection:
            swept = sweep.after(connection, after)
            if swept.hubs:
                _break_off_exports(connection, swept.hubs)
        read, deleted = read + swept.read, deleted + len(swept.deleted)
        progress(table, read, deleted)
        if swept.is_end or swept.last is None:
            return deleted
        after = swept.last


def _break_off_exports(connection: Connection, hubs: Sequence[UUID]) -> None:
    """Let the exports of `hubs` break off that may have read erased rows. Changes of the registry wait: come last."""
    connection.execute(text("UPDATE hubs SET erasures = erasures + 1 WHERE id = ANY(:ids)"), {"ids": hubs})


_KEYS = """
    WITH seen AS MATERIALIZED (
        SELECT hub_id, kind, key, {condition} AS is_meant FROM idempotency_keys
        WHERE (hub_id, kind, key) > (CAST(:hub_id AS uuid), :kind, :key) ORDER BY hub_id, kind, key LIMIT :limit
    ), gone AS (
        DELETE FROM idempotency_keys claim USING seen WHERE is_meant
            AND claim.hub_id = seen.hub_id AND claim.kind = seen.kind AND claim.key = seen.key RETURNING 1
    )
    SELECT hub_id, kind, key, (SELECT count(*) FROM seen), (SELECT count(*) FROM gone) FROM seen
    ORDER BY hub_id DESC, kind DESC, key DESC LIMIT 1
"""


def _erase_keys(database: Database, digests: Sequence[bytes], progress: Progress) -> int:
    statement = text(_KEYS.format(condition=_names_them("key")))
    after, read, deleted = {"hub_id": sweeps.FIRST, "kind": "", "key": ""}, 0, 0
    while True:
        with database.begin() as connection:
            lock(connection, AdvisoryLock.DELETIONS)
            row = connection.execute(statement, {**after, "digests": digests, "limit": sweeps.ROWS}).one_or_none()
        if row is None:
            return deleted
        after = {"hub_id": row.hub_id, "kind": row.kind, "key": row.key}
        read, deleted = read + row[3], deleted + row[4]
        progress("idempotency_keys", read, deleted)
