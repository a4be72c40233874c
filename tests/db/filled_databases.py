"""Databases with rows in each table, to back up and to compare."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from psycopg import sql

from db import migrate, partitions, tables
from db.backups import back_up
from db.engine import Database
from tests.db.test_timelines import read, write
from tests.postgresql import fresh_database, statement

NAMES = [table.name for table in tables.metadata.sorted_tables]
FULL = """
INSERT INTO hubs (id, name, api_key) VALUES (gen_random_uuid(), E'a\\tb\\\\N\\n', repeat('a', 64));
UPDATE hubs SET rate_limit = 5, cut_over_why = '';
INSERT INTO widgets (id, name) VALUES (gen_random_uuid(), 'Größe 🙂');
INSERT INTO interaction_reporting_contracts (contract_version, document, digest) VALUES ('1.0', 'x', 'y');
UPDATE interaction_reporting_contracts SET status = 'active';
INSERT INTO interaction_reporting_contracts_served (major, contract_version, document) VALUES (1, '1.0', 'x');
INSERT INTO annotations (id, hub_id, widget_id, category, body, occurred_at, contract_version, metadata)
    SELECT id, hub_id, widget_id, 'praise', E'\\\\.\\r\\n', now(), '1.0', '{"a": [1.50, null]}'
    FROM interaction_events LIMIT 1;
INSERT INTO idempotency_keys SELECT hub_id, 'event', '', id, id FROM interaction_events LIMIT 1;
INSERT INTO hub_capability_manifests (hub_id, revision, manifest, contract_version)
    SELECT id, 1, '{}', '1.0' FROM hubs;
INSERT INTO rejected_submissions (id, hub_id, kind, code, error, raw, contract_version)
    SELECT id, id, 'event', 'x', 'x', '\\x00ff5c', '1.0' FROM hubs;
INSERT INTO usage SELECT id, now(), 'event', 'created', '', 1 FROM hubs;
INSERT INTO hub_outcomes SELECT id, now(), 'created', 1 FROM hubs;
INSERT INTO contract_rehearsals (id, contract_version, document, last, begun_by)
    SELECT id, '1.0', 'y', 1, 'x' FROM hubs;
INSERT INTO hub_requests SELECT id, 1, now(), 1, now() FROM hubs;
INSERT INTO usage_minutes VALUES (now(), 1, 'event', 'created', 1);
INSERT INTO latency_minutes VALUES (now(), 1, 0.0025, 1), (now(), 1, 'Infinity', 1);
INSERT INTO type_usage VALUES (E'a\\tb', now(), 'created', 1);
INSERT INTO hub_totals SELECT id, now() FROM hubs;
INSERT INTO oauth_clients (id, client_id, hub_id, scopes) SELECT id, 'c', id, '{"a,b",NULL,""}' FROM hubs;
INSERT INTO oauth_signing_keys (kid, key) VALUES ('k', '{}');
INSERT INTO oauth_revoked_tokens (jti, expires_at) VALUES (gen_random_uuid(), 'infinity');
INSERT INTO oauth_used_tokens VALUES ('\\x00', now());
INSERT INTO replicas SELECT id, now() FROM hubs;
INSERT INTO erasures (id, actor_sha256) SELECT id, repeat('0', 64) FROM hubs;
INSERT INTO event_type_deletions SELECT name, now() FROM event_type_registry LIMIT 1;
INSERT INTO generated_clients (digest, language, generator, archive, sha256) VALUES ('d', 'go', '1', '\\x00ff5c', 'x');
INSERT INTO replays (id, created_by, filter, total, last_position) SELECT id, name, '{}', 1, 1 FROM hubs;
INSERT INTO admins (id, name, role, password) SELECT id, name, 'owner', '$argon2id$' FROM hubs;
INSERT INTO page_sessions (digest, admin_id) SELECT repeat('0', 64), id FROM admins
"""
"""At least a row in each table, with what COPY escapes."""


@contextmanager
def filled(server: str, name: str) -> Iterator[Database]:
    """A database on `server` with rows in each table, and three events on its first timeline."""
    with fresh_database(server, name) as url, closing(Database(url)) as database:
        migrate.upgrade(database)
        with database.begin() as connection:
            partitions.ensure_coming(connection, datetime.now(UTC))
        read(database)
        write(database, 3)
        statement(url, *map(sql.SQL, FULL.split(";\n")))
        yield database


def backed_up(database: Database, directory: Path) -> Path:
    """A backup of `database` in `directory`."""
    path = directory / "another.backup"
    with path.open("wb") as stream:
        back_up(database, stream)
    return path


def content(database: Database) -> dict[str, list[tuple[object, ...]]]:
    """The rows of each table."""
    query = sql.SQL("SELECT t::text FROM {} AS t ORDER BY 1")
    with psycopg.connect(database.url) as connection:
        return {name: connection.execute(query.format(sql.Identifier(name))).fetchall() for name in NAMES}


def assert_equal_but_for_the_timeline(database: Database, restored: Database) -> None:
    """Every table is equal, row for row, but nobody is signed in, and the restored database has one timeline more."""
    ours, theirs = content(database), content(restored)
    assert (len(ours.pop("page_sessions")), theirs.pop("page_sessions")) == (1, [])
    assert set(ours.pop("timelines")) < set(theirs.pop("timelines"))
    assert ours == theirs
