"""Submissions that are written to the tables themselves, as writers do it: for what follows them by position."""

from uuid import UUID

import psycopg

_ID = (
    "(lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0') "
    "|| right(gen_random_uuid()::text, 23))::uuid"
)
_EVENT = (
    "INSERT INTO interaction_events (id, hub_id, widget_id, event_type, occurred_at, contract_version, metadata) "  # noqa: S608
    f"SELECT {_ID}, %s, %s, %s, now(), '1.1', %s::jsonb FROM generate_series(1, %s)"
)
_ANNOTATION = (
    "INSERT INTO annotations (id, hub_id, widget_id, category, body, occurred_at, contract_version) "  # noqa: S608
    f"VALUES ({_ID}, %s, %s, 'praise', 'Much clearer.', now(), '1.1')"
)
_REJECTION = (
    "INSERT INTO rejected_submissions (id, hub_id, kind, code, error, raw, contract_version) "
    "SELECT gen_random_uuid(), %s, 'event', 'invalid_body', %s, %s, '1.1' FROM generate_series(1, %s)"
)


def report(
    connection: psycopg.Connection, hub: UUID, event_type: str = "clicked", metadata: str = "{}", count: int = 1
) -> None:
    """Write accepted events, in the transaction of `connection`."""
    connection.execute(_EVENT.encode(), (hub, hub, event_type, metadata, count))


def annotate(connection: psycopg.Connection, hub: UUID) -> None:
    """Write an accepted annotation."""
    connection.execute(_ANNOTATION.encode(), (hub, hub))


def reject(
    connection: psycopg.Connection, hub: UUID, raw: bytes = b"{}", error: str = "it is empty", count: int = 1
) -> None:
    """Write rejected events."""
    connection.execute(_REJECTION, (hub, error, raw, count))
