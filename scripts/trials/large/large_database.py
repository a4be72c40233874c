"""A database as large as a busy service has: 10,000 hubs and types, a million events and 100,000 rejections.

It is filled by SQL alone, in half a minute, and each row is one that the service could have written. There are also
counts, clients, manifests, replays, and as many changes by operators as rejections.
"""

from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, text

from db import audit, partitions
from db.engine import Database
from db.tables import metadata

DAYS = 2
"""The age of the oldest event."""
_NAMES = """
    CREATE TEMPORARY TABLE made_hubs ON COMMIT DROP AS
        SELECT n, gen_random_uuid() AS id FROM generate_series(0, :hubs - 1) AS n
"""
_HUBS = """
    INSERT INTO hubs (id, name, api_key, created_at)
    SELECT id, 'hub ' || to_char(n, 'FM00000'), encode(sha256(('key ' || n)::bytea), 'hex'), now() - interval '90 days'
    FROM made_hubs
"""
_WIDGETS = """
    INSERT INTO widgets (id, name) SELECT id, 'Widget ' || n FROM made_hubs ON CONFLICT DO NOTHING
"""
_TYPES = """
    INSERT INTO event_type_registry (name, description, status, hub_id)
    SELECT 'type.' || to_char(n, 'FM00000'), 'Something of kind ' || n || ' happened.',
        CASE WHEN n % 100 = 1 THEN 'pending' WHEN n % 20 = 3 THEN 'deprecated' ELSE 'active' END,
        (SELECT id FROM made_hubs AS h WHERE h.n = t.n % :hubs AND t.n % 4 <> 0)
    FROM generate_series(0, :types - 1) AS t (n)
"""
_TIMED_ID = """(
    lpad(to_hex((extract(epoch FROM {at}) * 1000)::bigint), 12, '0') || '7' || substr(md5(i::text || '{salt}'), 1, 3)
    || '8' || substr(md5(i::text || '{salt}'), 4, 15))::uuid"""
"""A UUID of version 7 (RFC 9562 section 5.7) with the instant `at`."""
_EVENTS = """
    INSERT INTO interaction_events (id, hub_id, widget_id, event_type, occurred_at, metadata, contract_version,
        received_at)
    SELECT {id}, h.id, h.id, 'type.' || to_char(i * 7 % :types, 'FM00000'), at, jsonb_build_object('step', i % 9),
        CASE WHEN i % 3 = 0 THEN '2.0' ELSE '1.1' END, at
    FROM (
        SELECT n AS i, CAST(:first AS timestamptz)
            + n * (CAST(:last AS timestamptz) - CAST(:first AS timestamptz)) / :events AS at
        FROM generate_series(0, :events - 1) AS n
    ) AS e JOIN made_hubs AS h ON h.n = (i::bigint * i) % :hubs
    ORDER BY i
"""
_REJECTIONS = """
    INSERT INTO rejected_submissions (id, hub_id, kind, code, error, help, pointer, raw, contract_version, received_at,
        event_type)
    SELECT {id}, h.id, 'event', codes[1 + i % 4], 'event_type is not registered', 'Register it.', '/event_type',
        convert_to('{{"event_type": "unknown.' || i % 300 || '", "widget_id": "' || h.id || '"}}', 'UTF8'),
        '1.1', at, 'unknown.' || i % 300
    FROM (
        SELECT n AS i, CAST(:first AS timestamptz)
            + n * (CAST(:last AS timestamptz) - CAST(:first AS timestamptz)) / :rejections AS at,
            ARRAY['event_type_not_registered', 'invalid_body', 'widget_not_registered', 'malformed_json'] AS codes
        FROM generate_series(0, :rejections - 1) AS n
    ) AS r JOIN made_hubs AS h ON h.n = (i * 3) % :hubs
    ORDER BY i
"""
_USAGE = """
    INSERT INTO usage (hub_id, hour, kind, outcome, reason, count)
    SELECT hub_id, date_trunc('hour', received_at), 'event', 'created', event_type, count(*)
    FROM interaction_events GROUP BY 1, 2, 5
    UNION ALL
    SELECT hub_id, date_trunc('hour', received_at), 'event', 'rejected', code, count(*)
    FROM rejected_submissions GROUP BY 1, 2, 5
    ON CONFLICT DO NOTHING
"""
_OUTCOMES = """
    INSERT INTO hub_outcomes (hub_id, hour, outcome, count)
    SELECT hub_id, hour, outcome, sum(count) FROM usage GROUP BY 1, 2, 3
    ON CONFLICT DO NOTHING
"""
_MINUTES = """
    INSERT INTO usage_minutes (minute, major, kind, outcome, count)
    SELECT date_trunc('minute', received_at), split_part(contract_version, '.', 1)::int, 'event', 'created', count(*)
    FROM interaction_events GROUP BY 1, 2
    UNION ALL
    SELECT date_trunc('minute', received_at), 1, 'event', 'rejected', count(*) FROM rejected_submissions GROUP BY 1
    ON CONFLICT DO NOTHING
"""
_TYPE_USAGE = """
    INSERT INTO type_usage (event_type, hour, outcome, count)
    SELECT reason, hour, outcome, sum(count) FROM usage WHERE outcome = 'created' GROUP BY 1, 2, 3
    ON CONFLICT DO NOTHING
"""
_REQUESTS = """
    INSERT INTO hub_requests (hub_id, major, day, count, last_seen_at)
    SELECT hub_id, split_part(contract_version, '.', 1)::int, (received_at AT TIME ZONE 'UTC')::date, count(*),
        max(received_at)
    FROM interaction_events GROUP BY 1, 2, 3
    ON CONFLICT DO NOTHING
"""
_SEEN = """
    INSERT INTO hub_totals (hub_id, last_seen_at)
    SELECT hub_id, max(last_seen_at) FROM hub_requests GROUP BY 1 ON CONFLICT DO NOTHING
"""
_CLIENTS = """
    INSERT INTO oauth_clients (id, client_id, hub_id, scopes, secret)
    SELECT id, id::text, id, '{events:write}', encode(sha256(('secret ' || n)::bytea), 'hex') FROM made_hubs
"""
_MANIFESTS = """
    INSERT INTO hub_capability_manifests (hub_id, revision, manifest, contract_version)
    SELECT id, revision, jsonb_build_object('event_types', jsonb_build_array(), 'widgets', jsonb_build_array()), '1.1'
    FROM made_hubs, generate_series(1, 3) AS revision
"""
_AUDIT = """
    INSERT INTO audit (at, actor, action, kind, subject, before, after)
    SELECT now() - interval '90 days' + i * interval '1 minute', 'admin:person ' || i % 20, 'limit', 'hub',
        'hub ' || to_char(i * 7 % :hubs, 'FM00000'), '{"rate_limit": null}', '{"rate_limit": 50}'
    FROM generate_series(0, :rejections - 1) AS i
"""
_REPLAYS = """
    INSERT INTO replays (id, created_by, filter, state, total, stored, last_position, created_at, finished_at)
    SELECT gen_random_uuid(), 'admin:person ' || i % 20, '{"code": "invalid_body"}', 'finished', 9, 9, 0, at, at
    FROM (SELECT i, now() - i * interval '1 hour' AS at FROM generate_series(1, 1000) AS i) AS made
"""


def fill(
    database: Database, hubs: int = 10_000, types: int = 10_000, events: int = 1_000_000, rejections: int = 100_000
) -> None:
    """Fill a migrated database, in one transaction; then let PostgreSQL gather statistics."""
    last = datetime.now(UTC)
    first = last - timedelta(days=DAYS)
    values = {"hubs": hubs, "types": types, "events": events, "rejections": rejections, "first": first, "last": last}
    with database.begin() as connection:
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        audit.leave_out(connection)
        partitions.ensure(connection, first, last)
        for statement in _statements():
            _execute(connection, statement, values)
    with database.session() as session:
        analyzing = session.execution_options(isolation_level="AUTOCOMMIT")
        analyzing.execute(text("SET statement_timeout = 0"))
        analyzing.execute(text(f"VACUUM (ANALYZE) {', '.join(metadata.tables)}"))


def key_of(hub: str) -> str:
    """The API key of one of the hubs, by its name."""
    return f"key {int(hub.removeprefix('hub '))}"


def _statements() -> list[str]:
    ids = {salt: _TIMED_ID.format(at="at", salt=salt) for salt in ("event", "rejection")}
    return [
        _NAMES,
        _HUBS,
        _WIDGETS,
        _TYPES,
        _EVENTS.format(id=ids["event"]),
        _REJECTIONS.format(id=ids["rejection"]),
        _USAGE,
        _OUTCOMES,
        _MINUTES,
        _TYPE_USAGE,
        _REQUESTS,
        _SEEN,
        _CLIENTS,
        _MANIFESTS,
        _AUDIT,
        _REPLAYS,
    ]


def _execute(connection: Connection, statement: str, values: dict[str, object]) -> None:
    """Execute a statement with those of `values` that it names."""
    prepared = text(statement)
    names = prepared.compile().params
    connection.execute(prepared, {name: values[name] for name in names})
