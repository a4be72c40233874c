"""The items of a file that was deleted or replaced while a process had it open."""

import sqlite3

_COLUMNS = "kind, key, is_own, body, added_at"
_INSERT = f"INSERT INTO items ({_COLUMNS}) VALUES (?, ?, ?, ?, ?)"  # noqa: S608 - it is above


def take_over(lost: sqlite3.Connection, connection: sqlite3.Connection) -> int:
    """Copy what `lost` has, and `connection` has not, in one transaction; returns how many items `lost` has."""
    try:
        rows = lost.execute(f"SELECT {_COLUMNS}, NULL, NULL, NULL FROM items ORDER BY seq").fetchall()  # noqa: S608
        rows += lost.execute(
            f"SELECT {_COLUMNS}, refused_at, status, reason FROM refused ORDER BY seq"  # noqa: S608
        ).fetchall()
    except sqlite3.Error:
        return 0
    connection.execute("BEGIN IMMEDIATE")
    try:
        known = set(connection.execute("SELECT kind, key FROM items UNION ALL SELECT kind, key FROM refused"))
        for *row, refused_at, status, reason in rows:
            if (row[0], row[1]) not in known:
                seq = connection.execute(_INSERT, row).lastrowid
                if refused_at is not None:
                    _refuse(connection, seq, (refused_at, status, reason))
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    return len(rows)


def _refuse(connection: sqlite3.Connection, seq: int | None, about: tuple[float, int, str]) -> None:
    connection.execute(
        f"INSERT INTO refused SELECT seq, {_COLUMNS}, ?, ?, ? FROM items WHERE seq = ?",  # noqa: S608
        (*about, seq),
    )
    connection.execute("DELETE FROM items WHERE seq = ?", (seq,))
