"""Steps of revisions that take long on a full table, and that inserts and readers do not wait for.

Each runs outside a transaction, and commits what its revision did before. If it is interrupted, it goes on where it was
when its revision runs again: let the revision do before it only what may be done twice.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from alembic import op
from sqlalchemy import Connection, text

_LACKING = text("""
    SELECT tables.inhrelid::regclass::text FROM pg_inherits AS tables
    WHERE tables.inhparent = CAST(:table AS regclass) AND NOT EXISTS (
        SELECT FROM pg_inherits AS indexes JOIN pg_index ON indexrelid = indexes.inhrelid
        WHERE indexes.inhparent = CAST(:index AS regclass) AND indrelid = tables.inhrelid
    ) ORDER BY 1
""")
_IS_PARTITIONED = text("SELECT relkind = 'p' FROM pg_class WHERE oid = CAST(:table AS regclass)")
_IS_VALID = text("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:index)")
_HAS_CONSTRAINT = text(
    "SELECT EXISTS (SELECT FROM pg_constraint WHERE conrelid = CAST(:table AS regclass) AND conname = :name)"
)


def create_index(name: str, table: str, columns: str, *, unique: bool = False, where: str | None = None) -> None:
    """Create the index `name` on `columns`, as "hub_id, occurred_at", of `table`, which may be partitioned.

    With `where` it is a partial index. `name` begins with the name of the table. PostgreSQL has no
    CONCURRENTLY for a partitioned table: its own index is invalid until the index of each partition is attached.
    """
    kind = "UNIQUE INDEX" if unique else "INDEX"
    what = f"({columns})" if where is None else f"({columns}) WHERE {where}"
    with _outside_a_transaction() as connection:
        if not connection.scalar(_IS_PARTITIONED, {"table": table}):
            _create_concurrently(connection, kind, name, f"{table} {what}")
            return
        connection.execute(text(f"CREATE {kind} IF NOT EXISTS {name} ON ONLY {table} {what}"))
        for partition in connection.scalars(_LACKING, {"table": table, "index": name}).all():
            own = partition + name.removeprefix(table)
            _create_concurrently(connection, kind, own, f"{partition} {what}")
            connection.execute(text(f"ALTER INDEX {name} ATTACH PARTITION {own}"))


def add_check(name: str, table: str, condition: str) -> None:
    """Add the constraint `name`: new rows satisfy it at once, and the old ones are looked through without a lock."""
    with _outside_a_transaction() as connection:
        if not connection.scalar(_HAS_CONSTRAINT, {"table": table, "name": name}):
            connection.execute(text(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({condition}) NOT VALID"))
        with _unhurried(connection):
            connection.execute(text(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}"))


def _create_concurrently(connection: Connection, kind: str, name: str, where: str) -> None:
    """Create an index unless it is there; an invalid one is the rest of a try that was interrupted."""
    is_valid = connection.scalar(_IS_VALID, {"index": name})
    with _unhurried(connection):
        if is_valid is False:
            connection.execute(text(f"DROP INDEX CONCURRENTLY {name}"))
        if not is_valid:
            connection.execute(text(f"CREATE {kind} CONCURRENTLY {name} ON {where}"))


@contextmanager
def _outside_a_transaction() -> Iterator[Connection]:
    with op.get_context().autocommit_block():
        yield op.get_bind()


@contextmanager
def _unhurried(connection: Connection) -> Iterator[None]:
    """Let statements wait for as long as it takes: the locks of these let inserts and readers pass."""
    names = ("lock_timeout", "statement_timeout")
    before = {name: connection.scalar(text("SELECT current_setting(:name)"), {"name": name}) for name in names}
    _set(connection, dict.fromkeys(names, "0"))
    try:
        yield
    finally:
        _set(connection, before)


def _set(connection: Connection, settings: dict[str, str | None]) -> None:
    for name, value in settings.items():
        connection.execute(text("SELECT set_config(:name, :value, false)"), {"name": name, "value": value})
