"""A revision that expands leaves the release before at work: the catalog before and after it is compared."""

from collections.abc import Iterator
from contextlib import closing
from typing import LiteralString

import psycopg
import pytest
from alembic import command

from db import migrate
from db.engine import Database
from db.release import EXPAND, RELEASE
from tests.postgresql import fresh_database

# Whatever the code of a release may rely on, each with its definition. What is new is allowed, what is gone is not.
USED: LiteralString = """
    WITH ours AS (
        SELECT oid, relname, relkind FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relname <> 'alembic_version'
    )
    SELECT 'relation ' || relname, relkind::text FROM ours
    UNION ALL SELECT concat_ws(' ', 'column', relname, attname), concat_ws(' ', format_type(atttypid, atttypmod),
        CASE WHEN attnotnull THEN 'NOT NULL' END, attidentity, attgenerated, pg_get_expr(adbin, adrelid))
        FROM ours JOIN pg_attribute ON attrelid = ours.oid AND attnum > 0 AND NOT attisdropped
        LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum WHERE relkind IN ('r', 'p', 'v')
    UNION ALL SELECT concat_ws(' ', 'constraint', relname, conname), pg_get_constraintdef(pg_constraint.oid)
        FROM ours JOIN pg_constraint ON conrelid = ours.oid
    UNION ALL SELECT 'index ' || relname, pg_get_indexdef(indexrelid)
        FROM ours JOIN pg_index ON indexrelid = ours.oid
    UNION ALL SELECT concat_ws(' ', 'trigger', relname, tgname), pg_get_triggerdef(pg_trigger.oid)
        FROM ours JOIN pg_trigger ON tgrelid = ours.oid WHERE NOT tgisinternal
    UNION ALL SELECT 'function ' || oid::regprocedure, pg_get_functiondef(oid) FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace AND prokind IN ('f', 'p')
"""
# What an insert, update or delete of the release before may break, in the tables that it knows.
STRICTER: LiteralString = """
    SELECT concat_ws(' ', 'column', relname, attname) FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND relname = ANY (%(tables)s)
        AND attnum > 0 AND attnotnull AND NOT atthasdef AND attidentity = '' AND NOT attisdropped
    UNION ALL SELECT concat_ws(' ', 'constraint', conrelid::regclass, conname) FROM pg_constraint
        WHERE conrelid::regclass::text = ANY (%(tables)s) AND contype <> 'n' AND (conkey IS NULL OR EXISTS (
            SELECT FROM pg_attribute WHERE attrelid = conrelid AND attnum = ANY (conkey)
            AND concat_ws(' ', 'column', conrelid::regclass, attname) = ANY (%(known)s)))
    UNION ALL SELECT concat_ws(' ', 'index', indexrelid::regclass) FROM pg_index
        WHERE indrelid::regclass::text = ANY (%(tables)s) AND indisunique AND EXISTS (
            SELECT FROM pg_attribute WHERE attrelid = indrelid AND attnum = ANY (indkey)
            AND concat_ws(' ', 'column', indrelid::regclass, attname) = ANY (%(known)s))
    UNION ALL SELECT concat_ws(' ', 'constraint', conrelid::regclass, conname) FROM pg_constraint
        WHERE contype = 'f' AND confrelid::regclass::text = ANY (%(tables)s)
"""

NOT_EXPANDING: dict[str, LiteralString] = {
    "drops a column": "ALTER TABLE hubs DROP COLUMN cut_over_why",
    "drops a table": "DROP TABLE hub_requests",
    "renames a column": "ALTER TABLE hubs RENAME COLUMN cut_over_why TO why",
    "renames a table": "ALTER TABLE hub_requests RENAME TO requests",
    "adds a column that rows must have": "ALTER TABLE hubs ADD COLUMN mood text NOT NULL",
    "lets a column have no NULL": "ALTER TABLE hubs ALTER COLUMN cut_over_why SET NOT NULL",
    "drops a default": "ALTER TABLE hubs ALTER COLUMN created_at DROP DEFAULT",
    "changes a type": "ALTER TABLE hubs ALTER COLUMN rate_limit TYPE bigint",
    "adds a check": "ALTER TABLE hubs ADD CHECK (name <> 'more')",
    "adds a check of old columns and new ones": "ALTER TABLE hubs ADD COLUMN mood text, ADD CHECK (name <> mood)",
    "adds a unique constraint": "ALTER TABLE hubs ADD UNIQUE (cut_over_why)",
    "adds a unique index": "CREATE UNIQUE INDEX ON hubs (cut_over_why)",
    "adds a reference from an old column": "ALTER TABLE usage ADD FOREIGN KEY (hub_id) REFERENCES hubs",
    "adds a reference to an old table": "CREATE TABLE more (hub_id uuid REFERENCES hubs)",
    "drops an index": "DROP INDEX hubs_revision",
    "drops a trigger": "DROP TRIGGER keep_rows ON hubs",
    "replaces a function": "CREATE OR REPLACE FUNCTION registry_stamp_revision() RETURNS trigger LANGUAGE plpgsql "
    "AS 'BEGIN RETURN NULL; END'",
}
EXPANDING: dict[str, LiteralString] = {
    "adds a table": "CREATE TABLE more (id integer PRIMARY KEY, CHECK (id > 0))",
    "adds a column": "ALTER TABLE hubs ADD COLUMN mood text",
    "adds a column with a default": "ALTER TABLE hubs ADD COLUMN mood text NOT NULL DEFAULT 'calm'",
    "adds a column with a check of its own": "ALTER TABLE hubs ADD COLUMN mood text CHECK (mood <> 'bad') UNIQUE",
    "adds an index": "CREATE INDEX ON hubs (cut_over_why)",
    "adds a function": "CREATE FUNCTION more() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
}


@pytest.fixture
def url(any_server: str, tables: str) -> Iterator[str]:
    """The URL of a database at the revision of this release, on a server of each kind."""
    with fresh_database(any_server, "expanding", tables) as url:
        yield url


class Catalog:
    """What is in a database at one moment."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self.used: dict[str, str] = dict(connection.execute(USED).fetchall())
        self._tables = [name.split()[1] for name in self.used if name.startswith("relation ")]

    def stricter(self, connection: psycopg.Connection) -> set[str]:
        """What of now keeps rows out of the tables that were there at that moment."""
        names = {"tables": self._tables, "known": list(self.used)}
        return {name for (name,) in connection.execute(STRICTER, names)}

    def broken_by(self, connection: psycopg.Connection) -> set[str]:
        """What the release of that moment misses now, or what may refuse its rows."""
        now = Catalog(connection)
        changed = {name for name, definition in self.used.items() if now.used.get(name) != definition}
        return changed | self.stricter(connection) - self.used.keys()


def test_each_revision_that_expands_only_adds(url: str) -> None:
    """Each is undone, and done again; the catalogs before and after are compared."""
    expanding = [revision for revision, kind in RELEASE.kinds.items() if kind == EXPAND]
    assert expanding
    for revision in reversed(expanding):
        previous = RELEASE.revisions[RELEASE.revisions.index(revision) - 1]
        with closing(Database(url)) as database, psycopg.connect(url, autocommit=True) as connection:
            with database.session() as session:  # in no transaction, because some steps of revisions have none
                command.downgrade(migrate.config_of(RELEASE, session), previous)
            before = Catalog(connection)
            with database.session() as session:
                command.upgrade(migrate.config_of(RELEASE, session), revision)
            assert before.broken_by(connection) == set(), revision


def test_the_check_overlooks_no_change(url: str) -> None:
    """Whatever breaks the release before; and it lets pass what does not."""
    passed, refused = list[str](), list[str]()
    for change, ddl in {**NOT_EXPANDING, **EXPANDING}.items():
        with psycopg.connect(url) as connection:
            before = Catalog(connection)
            connection.execute(ddl)
            (refused if before.broken_by(connection) else passed).append(change)
            connection.rollback()
    assert (passed, refused) == (list(EXPANDING), list(NOT_EXPANDING))
