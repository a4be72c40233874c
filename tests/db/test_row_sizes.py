"""The size of a row in SQL."""

from sqlalchemy import Connection, Integer, LargeBinary, Text, literal, null, select, type_coerce
from sqlalchemy.dialects.postgresql import JSONB

from db.row_sizes import row_size


def test_a_size_is_that_of_texts_json_and_bytes(connection: Connection) -> None:
    """In bytes of UTF-8, of JSON as PostgreSQL writes it; NULL and other columns count nothing."""
    columns = [
        literal("é", Text),
        literal({"a": 1}, JSONB),
        literal(b"\xff" * 100, LargeBinary),
        type_coerce(null(), Text),
        literal(7, Integer),
    ]
    assert connection.scalar(select(row_size(columns))) == len("é".encode()) + len('{"a": 1}') + 100
    assert connection.scalar(select(row_size([]))) == 0
