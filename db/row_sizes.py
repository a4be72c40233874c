"""The bytes of a row in the columns that may be large, as SQL."""

from collections.abc import Iterable
from functools import reduce
from operator import add
from typing import Any

from sqlalchemy import ColumnElement, LargeBinary, Text, cast, func, literal
from sqlalchemy.dialects.postgresql import JSONB


def row_size(columns: Iterable[ColumnElement[Any]]) -> ColumnElement[int]:
    """The number of bytes in those of `columns` that hold texts, JSON or bytes, labelled `size`; NULL counts as 0."""
    sizes = [
        func.octet_length(column if isinstance(column.type, LargeBinary) else cast(column, Text))
        for column in columns
        if isinstance(column.type, Text | JSONB | LargeBinary)
    ]
    return reduce(add, [func.coalesce(size, 0) for size in sizes], literal(0)).label("size")
