"""Exports: all rows that a hub asks for, as a file of NDJSON or CSV (RFC 4180)."""

import csv
import io
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import RowMapping, Table

from db import pages, positions
from db.pages import Query
from handlers.lists.pages import ADDITIONAL, Render, column_names, query
from openapi.serving.messages import Answer, Request, encoded
from openapi.standards.media_types import CSV, NDJSON

CHUNK_ROWS = 1000
"""Rows of an export that are read at once."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


async def export_rows(request: Request, table: Table, equal: Sequence[str], render: Render) -> Answer:
    """All current rows of `table` that the request asks for, as NDJSON or CSV."""
    horizon = await request.resources.database.run(positions.horizon)
    chunks = _chunks(request, table, replace(query(request, equal), until=horizon))
    if request.parameters["format"] == "csv":
        columns = [*column_names(table), ADDITIONAL]
        return Answer(200, _csv(chunks, columns, render), [_disposition(table, "csv")], CSV)
    return Answer(200, _ndjson(chunks, render), [_disposition(table, "ndjson")], NDJSON)


async def _chunks(request: Request, table: Table, rest: Query) -> AsyncGenerator[Sequence[RowMapping]]:
    while True:
        async with request.resources.exports:  # many exports at once would keep every other request waiting
            page = await request.resources.database.run(pages.page, table, rest, CHUNK_ROWS)
        yield page.rows
        if not page.has_more:
            return
        rest = replace(rest, after=page.last)


async def _ndjson(chunks: AsyncGenerator[Sequence[RowMapping]], render: Render) -> AsyncGenerator[bytes]:
    async for rows in chunks:
        yield b"".join([encoded(render(row)) + b"\n" for row in rows])


async def _csv(
    chunks: AsyncGenerator[Sequence[RowMapping]], columns: Sequence[str], render: Render
) -> AsyncGenerator[bytes]:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    async for rows in chunks:
        for row in rows:
            values = {**render(row), ADDITIONAL: row[ADDITIONAL]}
            writer.writerow([_cell(values.get(name)) for name in columns])
        yield text.getvalue().encode()
        text.seek(0)
        text.truncate()


def _cell(value: Any) -> str:
    """The cell of `value`; text that a spreadsheet would take for a formula begins with an apostrophe."""
    if value is None:
        return ""
    if isinstance(value, dict | list):
        return encoded(value).decode()
    value = str(value)
    return f"'{value}" if value.startswith(_FORMULA) else value


def _disposition(table: Table, suffix: str) -> tuple[bytes, bytes]:
    """The header Content-Disposition (RFC 6266) of an export."""
    name = f"{table.name.replace('_', '-')}.{suffix}"
    return b"content-disposition", f'attachment; filename="{name}"'.encode("ascii")
