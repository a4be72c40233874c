"""Lists of what a hub has submitted: page by page, or all of it as a file."""

import base64
import csv
import io
import re
from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, Table

from db import pages, positions
from db.pages import Query
from openapi.problems import Problem
from openapi.serving.messages import Answer, Request, encoded
from openapi.standards import date_times
from openapi.standards.media_types import CSV, NDJSON

ADDITIONAL = "additional_fields"
DEFAULT_LIMIT = 100
EXPORTED_ROWS = 1000
"""How many rows of an export are read at once."""

Render = Callable[[Mapping[Any, Any]], dict[str, Any]]

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


async def one(request: Request, table: Table, render: Render) -> Answer:
    """The row of `table` that the request names, if it is the hub's own; Problem `nothing_by_name` for every other."""
    identifier = UUID(request.parameters["id"])
    row = await request.resources.database.run(pages.one, table, request.caller.id, identifier)
    if row is None:
        raise Problem("nothing_by_name")
    return Answer(200, render(row))


async def listed(request: Request, table: Table, equal: Sequence[str], render: Render) -> Answer:
    """One page of the rows of `table` that the request asks for; columns of `equal` may be asked for by value."""
    limit = request.parameters.get("limit", DEFAULT_LIMIT)
    found = await request.resources.database.run(pages.page, table, query(request, equal), limit)
    return page_of([render(row) for row in found.rows], position_cursor(found.last), found.has_more)


def page_of(items: list[Any], next_cursor: str, has_more: bool) -> Answer:
    """One page of a list."""
    return Answer(200, {"items": items, "next_cursor": next_cursor, "has_more": has_more})


async def exported(request: Request, table: Table, equal: Sequence[str], render: Render) -> Answer:
    """All rows of `table` that the request asks for and that are there now, as NDJSON or CSV."""
    horizon = await request.resources.database.run(positions.horizon)
    rows = _rows(request, table, replace(query(request, equal), until=horizon))
    if request.parameters["format"] == "csv":
        columns = [*_told_of(table), ADDITIONAL]
        return Answer(200, _csv(rows, columns, render), [_attached(table, "csv")], CSV)
    return Answer(200, _ndjson(rows, render), [_attached(table, "ndjson")], NDJSON)


def query(request: Request, equal: Sequence[str]) -> Query:
    """What the parameters of a request ask for; Problem if one cannot be read."""
    given = request.parameters
    return Query(
        hub_id=request.caller.id,
        equal={name: given[name] for name in equal if name in given},
        occurred_from=_instant(given.get("occurred_from")),
        occurred_until=_instant(given.get("occurred_until")),
        received_since=_instant(given.get("received_since")),
        after=position(given["cursor"]) if "cursor" in given else 0,
    )


def position_cursor(position: int) -> str:
    """What stands for the place after `position`, opaque for clients."""
    return _cursor("position", str(position))


def position(cursor: str) -> int:
    """The position that `cursor` stands for; Problem if it stands for none."""
    digits = _place(cursor, "position")
    if not re.fullmatch("[0-9]{1,18}", digits):
        raise _not_given_out()
    return int(digits)


def name_cursor(name: str) -> str:
    """What stands for the place after `name`, opaque for clients."""
    return _cursor("name", name)


def name(cursor: str) -> str:
    """The name that `cursor` stands for; Problem if it stands for none."""
    return _place(cursor, "name")


def id_cursor(identifier: UUID) -> str:
    """What stands for the place after `identifier`, opaque for clients."""
    return _cursor("id", str(identifier))


def id_(cursor: str) -> UUID:
    """The id that `cursor` stands for; Problem if it stands for none."""
    try:
        return UUID(_place(cursor, "id"))
    except ValueError:
        raise _not_given_out() from None


def _cursor(kind: str, place: str) -> str:
    return base64.urlsafe_b64encode(f"{kind} {place}".encode()).decode().rstrip("=")


def _place(cursor: str, kind: str) -> str:
    try:
        decoded = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except ValueError:
        raise _not_given_out() from None
    found, _, place = decoded.partition(" ")
    if found != kind or "\0" in place:
        raise _not_given_out()
    return place


def _not_given_out() -> Problem:
    remedy = "Send the next_cursor of an earlier page of this list as it is, or none to begin with the first item."
    return Problem("invalid_parameters", errors="cursor is not one that this list gave out", remedies=remedy)


def _told_of(table: Table, but: Sequence[str] = ()) -> list[str]:
    return [column.name for column in table.columns if column.name not in {"hub_id", "position", ADDITIONAL, *but}]


def rendering(table: Table, but: Sequence[str] = ()) -> Render:
    """How a row of `table` is told to its hub, without the columns of `but`."""
    return partial(present, names=_told_of(table, but))


def present(row: Mapping[Any, Any], names: Collection[str]) -> dict[str, Any]:
    """The columns `names` of `row` that have a value, as JSON has them, and its additional fields."""
    values = {name: _plain(row[name]) for name in names if row[name] is not None}
    return {**(row.get("additional_fields") or {}), **values}


def _plain(value: Any) -> Any:
    return date_times.render(value) if isinstance(value, datetime) else value


def _instant(text: str | None) -> datetime | None:
    return None if text is None else date_times.parse(text)


async def _rows(request: Request, table: Table, asked: Query) -> AsyncGenerator[Sequence[RowMapping]]:
    while True:
        async with request.resources.exports:  # or many of them would keep everyone else waiting
            found = await request.resources.database.run(pages.page, table, asked, EXPORTED_ROWS)
        yield found.rows
        if not found.has_more:
            return
        asked = replace(asked, after=found.last)


async def _ndjson(pages_: AsyncGenerator[Sequence[RowMapping]], render: Render) -> AsyncGenerator[bytes]:
    async for rows in pages_:
        yield b"".join([encoded(render(row)) + b"\n" for row in rows])


async def _csv(
    pages_: AsyncGenerator[Sequence[RowMapping]], columns: Sequence[str], render: Render
) -> AsyncGenerator[bytes]:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    async for rows in pages_:
        for row in rows:
            told = {**render(row), "additional_fields": row["additional_fields"]}
            writer.writerow([_cell(told.get(name)) for name in columns])
        yield text.getvalue().encode()
        text.seek(0)
        text.truncate()


def _cell(value: Any) -> str:
    """A value as a cell; text that a spreadsheet would take for a formula has an apostrophe before it."""
    if value is None:
        return ""
    if isinstance(value, dict | list):
        return encoded(value).decode()
    value = str(value)
    return f"'{value}" if value.startswith(_FORMULA) else value


def _attached(table: Table, suffix: str) -> tuple[bytes, bytes]:
    name = f"{table.name.replace('_', '-')}.{suffix}"
    return b"content-disposition", f'attachment; filename="{name}"'.encode("ascii")
