"""Exports: all rows that a hub asks for, as a file of NDJSON or CSV (RFC 4180)."""

import asyncio
import csv
import io
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, Table

from db import pages, positions
from db.errors import Unavailable
from db.pages import Page, Query
from handlers.lists.pages import ADDITIONAL, Render, column_names, query
from openapi.problems import Problem
from openapi.serving.messages import Answer, Request, encoded
from openapi.standards.media_types import CSV, NDJSON

CHUNK_ROWS = 1000
"""Rows of an export that are read at once."""
RETRY_PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds before each repetition of a read that failed because the database was unavailable, after the first read."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


async def export_rows(request: Request, table: Table, equal: Sequence[str], render: Render) -> Answer:
    """All current rows of `table` that the request asks for, or those after the last row of an earlier file.

    The end of a file says that it is whole.
    """
    database, parameters = request.resources.database, request.parameters
    rest = replace(query(request, equal), until=await database.run(positions.horizon))
    is_rest = "after" in parameters
    if is_rest:
        rest = replace(rest, after=await _position(request, table, UUID(parameters["after"])))
    chunks, may_go_on = _chunks(request, table, rest), partial(_require_no_erasure, request)
    if parameters["format"] == "csv":
        columns = [*column_names(table), ADDITIONAL]
        return Answer(200, _csv(chunks, columns, render, is_rest), [_disposition(table, "csv")], CSV, may_go_on)
    return Answer(200, _ndjson(chunks, render, is_rest), [_disposition(table, "ndjson")], NDJSON, may_go_on)


async def _require_no_erasure(request: Request) -> None:
    """Problem if rows of the hub were erased since the request was authenticated: a page may have been read before."""
    registry = request.resources.registry
    await registry.ensure_fresh()
    caller = registry.caller(request.caller.id)
    if caller and caller.erasures != request.caller.erasures:
        raise Problem("unavailable", reason="rows of the hub were erased while the export was sent")


async def _position(request: Request, table: Table, identifier: UUID) -> int:
    """The position of a row of the hub; Problem if there is none."""
    row = await request.resources.database.run(pages.get, table, request.caller.id, identifier)
    if row is None:
        raise Problem("nothing_by_name", hint="after is the id in the last whole line of an earlier file.")
    position: int = row["position"]
    return position


async def _chunks(request: Request, table: Table, rest: Query) -> AsyncGenerator[Sequence[RowMapping]]:
    pauses: Sequence[float] = ()  # nothing is sent before the first page: the client hears at once that it failed
    while True:
        page = await _page(request, table, rest, pauses)
        yield page.rows
        if not page.has_more:
            return
        rest, pauses = replace(rest, after=page.last), RETRY_PAUSES


async def _page(request: Request, table: Table, rest: Query, pauses: Sequence[float]) -> Page:
    """The next page, read again after each of `pauses` while the database is unavailable; else Unavailable."""
    for pause in pauses:
        try:
            return await _read(request, table, rest)
        except Unavailable:
            await asyncio.sleep(pause)
    return await _read(request, table, rest)


async def _read(request: Request, table: Table, rest: Query) -> Page:
    async with request.resources.exports:  # many exports at once would keep every other request waiting
        page: Page = await request.resources.database.run(pages.page, table, rest, CHUNK_ROWS)
    return page


async def _ndjson(chunks: AsyncGenerator[Sequence[RowMapping]], render: Render, is_rest: bool) -> AsyncGenerator[bytes]:
    """The lines; a blank, which no reader of JSON sees, is put before the last line feed.

    A whole file without lines is empty, because a blank line is no JSON. The rest of a file must have the blank.
    """
    end, separator = b" \n" if is_rest else b"", b""
    async for rows in chunks:
        if rows:
            yield separator + b"\n".join([encoded(render(row)) for row in rows])
            end, separator = b" \n", b"\n"
    yield end


async def _csv(
    chunks: AsyncGenerator[Sequence[RowMapping]], columns: Sequence[str], render: Render, is_rest: bool
) -> AsyncGenerator[bytes]:
    text = io.StringIO()
    writer = csv.writer(text)
    if not is_rest:
        writer.writerow(columns)
    async for rows in chunks:
        for row in rows:
            values = {**render(row), ADDITIONAL: row[ADDITIONAL]}
            writer.writerow([_cell(values.get(name)) for name in columns])
        yield text.getvalue().encode()
        text.seek(0)
        text.truncate()
    yield b"\r\n"


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
