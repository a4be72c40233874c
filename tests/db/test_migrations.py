"""The migrations: what they make, that they can be undone, and that they cannot run into each other."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from psycopg import sql
from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url

from db import event_types, migrate, partitions, revisions, tables
from db.engine import Database
from db.errors import Failed, Refused
from db.release import RELEASE
from tests.postgresql import fresh_database, statement
from tests.waiting import wait_until

# The server itself describes its objects: in the same words for any two of its databases, whatever its release.
SCHEMA: LiteralString = """
    WITH ours AS (
        SELECT relation.*, relation.oid::regclass::text AS name FROM pg_class AS relation
        WHERE relnamespace = 'public'::regnamespace AND relation.oid::regclass::text !~ '^alembic_version'
    )
    SELECT 'object', type, identity FROM
        (SELECT DISTINCT classid, objid, objsubid FROM pg_depend WHERE objid >= 16384) AS made,
        pg_identify_object(classid, objid, objsubid)
        WHERE schema IS DISTINCT FROM 'pg_toast' AND identity !~ 'RI_ConstraintTrigger|alembic_version|pg_toast'
    UNION ALL SELECT 'relation', ours.name, concat_ws(
            '; ', relkind, relpersistence, relrowsecurity, relreplident, reloptions::text, relacl::text, amname,
            pg_get_partkeydef(ours.oid), inhparent::regclass, pg_get_expr(relpartbound, ours.oid),
            CASE WHEN relkind IN ('v', 'm') THEN pg_get_viewdef(ours.oid) END
        ) FROM ours LEFT JOIN pg_inherits ON inhrelid = ours.oid LEFT JOIN pg_am ON pg_am.oid = relam
    UNION ALL SELECT 'column', name || '.' || attname, concat_ws(
            '; ', row_number() OVER (PARTITION BY attrelid ORDER BY attnum), format_type(atttypid, atttypmod),
            attnotnull, attidentity, attgenerated, attstorage, attcollation::regcollation, attacl::text,
            pg_get_expr(adbin, adrelid)
        ) FROM ours JOIN pg_attribute ON attrelid = ours.oid AND attnum > 0 AND NOT attisdropped
        LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    UNION ALL SELECT 'constraint', name || '.' || conname,
        concat_ws('; ', contype, convalidated, pg_get_constraintdef(pg_constraint.oid))
        FROM ours JOIN pg_constraint ON conrelid = ours.oid
    UNION ALL SELECT 'index', name,
        concat_ws('; ', indisvalid, indisreplident, indisclustered, pg_get_indexdef(indexrelid))
        FROM ours JOIN pg_index ON indexrelid = ours.oid
    UNION ALL SELECT 'sequence', name, concat_ws(
            '; ', format_type(seqtypid, NULL), seqstart, seqincrement, seqmin, seqmax, seqcache, seqcycle,
            pg_describe_object(refclassid, refobjid, refobjsubid)
        ) FROM ours JOIN pg_sequence ON seqrelid = ours.oid
        LEFT JOIN pg_depend ON objid = ours.oid AND classid = 'pg_class'::regclass AND deptype IN ('a', 'i')
    UNION ALL SELECT 'trigger', name || '.' || tgname, concat_ws('; ', tgenabled, pg_get_triggerdef(pg_trigger.oid))
        FROM ours JOIN pg_trigger ON tgrelid = ours.oid WHERE NOT tgisinternal
    UNION ALL SELECT 'function', oid::regprocedure::text, pg_get_functiondef(oid) FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace AND prokind IN ('f', 'p')
    UNION ALL SELECT 'comment', identity, description FROM pg_description,
        pg_identify_object(classoid, objoid, objsubid) WHERE objoid >= 16384
    ORDER BY 1, 2, 3
"""

OTHER_SESSIONS: LiteralString = """
    SELECT pid FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend' AND state <> 'idle in transaction'
        AND pid <> pg_backend_pid()
"""

FRAMEWORK_TYPES = {
    "viewed",
    "focused",
    "clicked",
    "submitted",
    "abandoned",
    "retried",
    "failed",
    "commented",
    "flagged_confusing",
    "flagged_helpful",
    "blocked_by_policy",
    "escalated",
    "accepted_recommendation",
    "rejected_recommendation",
}

MONDAY = datetime(2026, 11, 23, tzinfo=UTC)

# With ids of 1970-01-01, and of the milliseconds before and after the midnights between two weeks.
EVENTS_OF_0001: LiteralString = """
    INSERT INTO hubs (id, name, api_key) VALUES (uuid_nil, 'alpha', repeat('0', 64));
    INSERT INTO widgets (id, name) VALUES (uuid_nil, 'Button');
    INSERT INTO interaction_events
    SELECT id, uuid_nil, uuid_nil, 'clicked', now() - interval '1 s', gen_random_uuid(), 'user', '/here', '{"a": [1]}',
        '{"b": null}', '1.0', now() - interval '1 day'
    FROM unnest(ARRAY[
        '00000000-0000-7000-8000-000000000000',
        '00001499-6fff-7fff-bfff-ffffffffffff', '00001499-7000-7000-8000-000000000000',
        '01a205b3-cfff-7fff-bfff-ffffffffffff', '01a205b3-d000-7000-8000-000000000000',
        '01a20670-314e-7000-8000-000000000000',
        '5af30e61-2400-7000-8000-000000000000'
    ]::uuid[]) AS id
""".replace("uuid_nil", "'00000000-0000-0000-0000-000000000000'")

CHANGES: dict[str, LiteralString] = {
    "a table": "CREATE TABLE more (id integer)",
    "a column": "ALTER TABLE hubs ADD COLUMN more integer",
    "a type": "ALTER TABLE hubs ALTER COLUMN name TYPE varchar(200)",
    "a type's parameter": "ALTER TABLE interaction_events ALTER COLUMN received_at TYPE timestamptz(3)",
    "a default": "ALTER TABLE event_type_registry ALTER COLUMN status SET DEFAULT 'deprecated'",
    "a default that is gone": "ALTER TABLE event_type_registry ALTER COLUMN status DROP DEFAULT",
    "NULL": "ALTER TABLE hubs ALTER COLUMN name DROP NOT NULL",
    "a generated column": "ALTER TABLE interaction_reporting_contracts ALTER COLUMN major DROP EXPRESSION",
    "a name": "ALTER TABLE hubs RENAME CONSTRAINT hubs_name_key TO hubs_name_unique",
    "a check": "ALTER TABLE hubs ADD CHECK (name <> 'more')",
    "a check's words": "ALTER TABLE hubs DROP CONSTRAINT hubs_api_key_is_digest_check, "
    "ADD CONSTRAINT hubs_api_key_is_digest_check CHECK (api_key ~ '^[0-9a-f]{65}$')",
    "a check that was not made": "ALTER TABLE hubs DROP CONSTRAINT hubs_api_key_is_digest_check, "
    "ADD CONSTRAINT hubs_api_key_is_digest_check CHECK (api_key ~ '^[0-9a-f]{64}$') NOT VALID",
    "a unique constraint": "ALTER TABLE hubs DROP CONSTRAINT hubs_name_key",
    "a reference": "ALTER TABLE widgets ADD COLUMN more uuid, ADD FOREIGN KEY (more) REFERENCES hubs",
    "an index": "CREATE INDEX ON hubs (id, name)",
    "a sequence": "CREATE SEQUENCE more",
    "a comment": "COMMENT ON COLUMN hubs.api_key IS 'more'",
    "a comment of a table": "COMMENT ON TABLE hubs IS 'more'",
    "a partition": "CREATE TABLE more PARTITION OF interaction_events FOR VALUES FROM "
    "('5af30e61-2400-7000-8000-000000000000') TO ('5af30e61-2400-7000-8000-000000000001')",
    "a storage parameter": "ALTER TABLE hubs SET (fillfactor = 50)",
    "a privilege": "GRANT SELECT ON hubs TO PUBLIC",
    "a trigger": "CREATE TRIGGER more BEFORE UPDATE ON hubs FOR EACH ROW "
    "EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "a trigger that is off": "ALTER TABLE hubs DISABLE TRIGGER USER",
    "a function": "CREATE FUNCTION more() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    "a type of its own": "CREATE TYPE more AS ENUM ('a')",
    "a policy": "CREATE POLICY more ON hubs",
}


@pytest.fixture
def url(any_server: str) -> Iterator[str]:
    """The URL of an empty database, on a server of each kind."""
    with fresh_database(any_server, "migrations") as url:
        yield url


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """That database."""
    with closing(Database(url)) as database:
        yield database


@pytest.fixture(scope="module")
def config() -> Config:
    """Alembic's configuration, with the place of the migrations."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
    return config


@pytest.fixture(scope="module")
def head(config: Config) -> str:
    """The newest revision; there is only one."""
    (head,) = ScriptDirectory.from_config(config).get_heads()
    return head


def table_names(url: str) -> set[str]:
    """The tables in the database."""
    with psycopg.connect(url) as connection:
        return {name for (name,) in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}


def schema(url: str) -> list[tuple[Any, ...]]:
    """Kind, name and description of everything in the database except rows and Alembic's own table."""
    return rows(url, SCHEMA)


def tabular(url: str) -> list[tuple[Any, ...]]:
    """The schema without functions and triggers.

    SQLAlchemy's tables do not describe those; tests/db/test_registry.py tries them.
    """
    return [entry for entry in schema(url) if not {"function", "trigger"} & set(entry[:2])]


def rows(url: str, query: LiteralString) -> list[tuple[Any, ...]]:
    """The rows of `query`."""
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchall()


def events(url: str) -> list[tuple[Any, ...]]:
    """Every event as JSON by column name, without the columns that later revisions added."""
    return rows(
        url,
        "SELECT to_jsonb(event) - '{position,client_event_id}'::text[] FROM interaction_events AS event ORDER BY id",
    )


def test_an_empty_database_is_brought_to_head(database: Database, url: str, head: str) -> None:
    """Every table is there, and a second run changes nothing."""
    assert migrate.upgrade(database) == (None, head)
    assert table_names(url) == {*tables.metadata.tables, "alembic_version"}
    assert migrate.upgrade(database) == (head, head)


def test_migrations_and_tables_agree(any_server: str, database: Database, url: str) -> None:
    """The migrations and db.tables make the same schema, down to each constraint and comment."""
    migrate.upgrade(database)
    with fresh_database(any_server, "from_tables") as other_url, closing(Database(other_url)) as other:
        with other.begin() as connection:
            tables.metadata.create_all(connection)
        assert tabular(url) == tabular(other_url)


def test_the_comparison_overlooks_no_change(database: Database, url: str) -> None:
    """Whatever kind of object is changed."""
    migrate.upgrade(database)
    before = schema(url)
    overlooked = []
    for change, ddl in CHANGES.items():
        with psycopg.connect(url) as connection:
            connection.execute(ddl)
            if connection.execute(SCHEMA).fetchall() == before:
                overlooked.append(change)
            connection.rollback()
    assert not overlooked
    assert {kind for kind, *_ in before} == {
        *("object", "relation", "column", "constraint", "index", "sequence", "trigger", "function", "comment")
    }


def test_the_framework_s_event_types_are_there(database: Database) -> None:
    """The vocabulary that the contract starts with is active, each name with a description."""
    migrate.upgrade(database)
    with database.begin() as connection:
        entries = event_types.list_all(connection)
    assert {entry.name for entry in entries if entry.status == "active"} == FRAMEWORK_TYPES
    assert len(entries) == 14
    assert all(entry.description for entry in entries)


def test_the_migrations_can_be_undone(database: Database, url: str, config: Config, head: str) -> None:
    """Only Alembic's own table is left, which is empty, and they can run again."""
    migrate.upgrade(database)
    with database.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    assert table_names(url) == {"alembic_version"}
    assert migrate.upgrade(database) == (None, head)


def test_events_survive_the_way_to_partitions_and_back(database: Database, url: str, config: Config) -> None:
    """Each keeps every column, in its week: with the clock never set, with today's, and far ahead."""
    with database.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    statement(url, sql.SQL(EVENTS_OF_0001))
    before, schema_before = events(url), schema(url)
    migrate.upgrade(database)
    assert events(url) == before
    assert [name for (name,) in rows(url, "SELECT tableoid::regclass::text FROM interaction_events ORDER BY id")] == [
        "interaction_events_1970_01_01",
        "interaction_events_1970_01_01",
        "interaction_events_1970_01_05",
        "interaction_events_2026_11_16",
        "interaction_events_2026_11_23",
        "interaction_events_2026_11_23",
        "interaction_events_5138_11_14",
    ]
    with database.begin() as connection:
        assert partitions.ensure(connection, MONDAY, MONDAY) == ["annotations_2026_11_23"]
        config.attributes["connection"] = connection
        command.downgrade(config, "0001")
    assert events(url) == before
    assert schema(url) == schema_before


def test_a_revision_that_fails_leaves_nothing(database: Database, url: str, head: str) -> None:
    """Those before it stay with their rows, and without its cause the next call goes on from there."""
    statement(url, sql.SQL("CREATE TABLE oauth_used_tokens ()"))
    with pytest.raises(Failed, match="DuplicateTable"):
        migrate.upgrade(database)
    assert rows(url, "SELECT version_num FROM alembic_version") == [("0011",)]
    assert "interaction_events" in table_names(url)
    assert "oauth_clients" not in table_names(url), "a part of revision 0012 stayed"
    statement(url, sql.SQL("DROP TABLE oauth_used_tokens"))
    assert migrate.upgrade(database) == ("0011", head)


def test_the_kind_of_each_revision_is_a_row(database: Database, url: str) -> None:
    """With the time, if it ran after the table of these rows was made."""
    migrate.upgrade(database)
    stored = rows(url, "SELECT revision, kind, applied_at IS NULL FROM schema_revisions ORDER BY revision")
    assert stored == [(revision, kind, kind == "before") for revision, kind in RELEASE.kinds.items()]


def test_a_database_of_a_later_release_is_refused(database: Database, url: str) -> None:
    """The message names its revision, and the database stays as it is."""
    statement(
        url,
        sql.SQL("CREATE TABLE alembic_version (version_num text)"),
        sql.SQL("INSERT INTO alembic_version VALUES ('from_later')"),
    )
    with pytest.raises(Refused) as raised:
        migrate.upgrade(database)
    assert str(raised.value) == (
        "the database is at revision 'from_later', which this release does not know: it is of a later release"
    )
    assert table_names(url) == {"alembic_version"}


def test_two_migrations_at_once_take_turns(database: Database, url: str, head: str) -> None:
    """One starts with an empty database, the other with a migrated one, though both began before there was a table."""
    with closing(Database(url)) as other, ThreadPoolExecutor(2) as threads:
        with database.begin() as connection:
            # A migration that makes Alembic's table waits for the end of this transaction, which rolls it back.
            connection.execute(text("CREATE TABLE alembic_version ()"))
            upgrades = [threads.submit(migrate.upgrade, other) for _ in range(2)]
            wait_until(lambda: len(rows(url, OTHER_SESSIONS)) >= 3)  # one of the two has an observer, too
            connection.rollback()
        results = [upgrade.result() for upgrade in upgrades]
    assert sorted(results, key=str) == [(head, head), (None, head)]


def test_a_database_in_another_encoding_is_refused(any_server: str) -> None:
    """Without UTF-8 it could not hold what hubs send: nothing is made in it, and the message says what to do."""
    name = sql.Identifier("latin")
    create = sql.SQL("CREATE DATABASE {} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0").format(name)
    statement(any_server, create)
    try:
        url = make_url(any_server).set(database="latin").render_as_string(hide_password=False)
        with closing(Database(url)) as database, pytest.raises(Refused, match="stores text as LATIN1"):
            migrate.upgrade(database)
    finally:
        statement(any_server, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def test_the_tables_of_this_release_are_required(database: Database, head: str) -> None:
    """An empty database is refused with a remedy, a migrated one is not."""
    with pytest.raises(Refused) as raised, database.begin() as connection:
        revisions.require_current(connection)
    assert re.fullmatch(r"the database '\w+' has no tables: run 'interaction-reporting migrate'", str(raised.value))
    assert head == revisions.REVISIONS[-1]
    migrate.upgrade(database)
    with database.begin() as connection:
        revisions.require_current(connection)


def test_a_role_that_owns_nothing_is_refused(any_server: str, url: str, database: Database) -> None:
    """The message names the role and the database, before anything is made and after another role made it."""
    role = sql.Identifier("stranger")
    statement(any_server, sql.SQL("CREATE ROLE {} LOGIN").format(role))
    strange = make_url(url).set(username="stranger").render_as_string(hide_password=False)
    try:
        with closing(Database(strange)) as stranger, pytest.raises(Refused) as raised:
            migrate.upgrade(stranger)
        assert str(raised.value) == (
            "the role 'stranger' may not create tables in schema public of database 'migrations': make it the owner "
            "(ALTER DATABASE migrations OWNER TO stranger), or connect as the owner"
        )
        migrate.upgrade(database)
        with closing(Database(strange)) as stranger, pytest.raises(Refused) as raised, stranger.begin() as connection:
            revisions.require_current(connection)
        assert str(raised.value) == (
            "the role 'stranger' may not read the tables of database 'migrations': connect as the role that migrated it"
        )
        statement(url, sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {}").format(role))
        with (
            closing(Database(strange)) as stranger,
            pytest.raises(
                Refused, match=r"^the role 'stranger' lacks the right DELETE on admins in database 'migrations': "
            ),
        ):
            migrate.upgrade(stranger)
        statement(url, sql.SQL("GRANT ALL ON ALL TABLES IN SCHEMA public TO {}").format(role))
        with (
            closing(Database(strange)) as stranger,
            pytest.raises(
                Refused, match="the role 'stranger' lacks the right SELECT on sequence positions in database"
            ),
        ):
            migrate.upgrade(stranger)
        statement(url, sql.SQL("GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {}").format(role))
        with (
            closing(Database(strange)) as stranger,
            pytest.raises(Refused, match=r"the role 'stranger' does not own .* so it cannot add the partitions of"),
        ):
            migrate.upgrade(stranger)
        statement(url, sql.SQL("REVOKE USAGE ON SCHEMA public FROM PUBLIC"))
        with (
            closing(Database(strange)) as stranger,
            pytest.raises(Refused, match="the role 'stranger' may use no schema in search_path of database"),
        ):
            migrate.upgrade(stranger)
    finally:
        statement(url, sql.SQL("DROP OWNED BY {}").format(role))
        statement(any_server, sql.SQL("DROP ROLE {}").format(role))


def test_a_table_that_was_dropped_is_noticed(database: Database, url: str) -> None:
    """A service that started would refuse what needs it."""
    migrate.upgrade(database)
    statement(url, sql.SQL("DROP TABLE replicas"))
    with pytest.raises(Failed, match="UndefinedTable"):
        migrate.upgrade(database)


def test_the_callback_follows_the_migrations(database: Database, url: str, head: str) -> None:
    """It sees the tables; when it fails, nothing of it stays, and the next call calls it again."""

    def fail(connection: Connection) -> None:
        assert len(event_types.list_all(connection)) == 14
        connection.execute(text("CREATE TABLE half_done ()"))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        migrate.upgrade(database, fail)
    assert table_names(url) == {*tables.metadata.tables, "alembic_version"}
    called: list[int] = []
    assert migrate.upgrade(database, lambda _connection: called.append(1)) == (head, head)
    assert called == [1]
