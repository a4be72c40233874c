"""How many blocks statements read, as PostgreSQL explains them."""

import time
from collections.abc import Callable
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import Connection, event

MOST_BLOCKS = 2000
"""That a statement may read, of 8 KiB, in memory or not."""
VISIBLE = "SELECT relallvisible = relpages FROM pg_class WHERE oid = %s::regclass"
EXPLAIN = "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON)"


def vacuum(connection: psycopg.Connection, *tables: str) -> None:
    """Vacuum and analyze tables until their indexes can be read alone: another session may have kept a snapshot."""
    for table in map(sql.Identifier, tables):
        deadline = time.monotonic() + 60
        while True:
            connection.execute(sql.SQL("VACUUM ANALYZE {}").format(table))
            found = connection.execute(VISIBLE, [table.as_string()]).fetchone()
            if found == (True,):
                break
            assert time.monotonic() < deadline, f"a session keeps {table.as_string()} from being vacuumed"
            time.sleep(0.1)


def most_blocks(connection: Connection, read: Callable[[], Any]) -> int:
    """The blocks of the statement of `read` that reads most of them, in memory or not."""
    statements: list[tuple[str, Any]] = []

    def keep(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        statements.append((statement, parameters))

    attempt = connection.begin_nested()
    event.listen(connection, "before_cursor_execute", keep)
    read()
    event.remove(connection, "before_cursor_execute", keep)
    attempt.rollback()
    return max(_explained(connection, *each) for each in statements if not each[0].startswith("ROLLBACK"))


def _explained(connection: Connection, statement: str, parameters: Any) -> int:
    attempt = connection.begin_nested()
    ((explanation,),) = connection.exec_driver_sql(f"{EXPLAIN} {statement}", parameters)
    attempt.rollback()
    return blocks_of(explanation)


def blocks_of(explanation: Any) -> int:
    """The blocks that an explained statement read."""
    plan = explanation[0]["Plan"]
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])
