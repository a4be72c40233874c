"""Pages of the rows that a hub has submitted, and the JSON of a row."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Table

from db import pages
from db.errors import UnknownPosition
from db.pages import Query
from handlers.field_errors import unknown_cursor
from handlers.lists.cursors import position_cursor, read_position
from openapi.problems import Problem
from openapi.serving.messages import Answer, Request
from openapi.standards import date_times

ADDITIONAL = "additional_fields"
DEFAULT_LIMIT = 100
"""Items in a page if the request has no limit."""

Render = Callable[[Mapping[Any, Any]], dict[str, Any]]
"""Renders a row as the JSON that its hub reads."""


async def get_row(request: Request, table: Table, render: Render) -> Answer:
    """The row of `table` that the request names; Problem `nothing_by_name` unless it is the hub's own."""
    identifier = UUID(request.parameters["id"])
    row = await request.resources.database.run(pages.get, table, request.caller.id, identifier)
    if row is None:
        raise Problem("nothing_by_name")
    return Answer(200, render(row))


async def list_rows(request: Request, table: Table, equal: Sequence[str], render: Render) -> Answer:
    """One page of the rows of `table` that the request asks for; it may filter by the columns of `equal`."""
    limit = request.parameters.get("limit", DEFAULT_LIMIT)
    try:
        page = await request.resources.database.run(pages.page, table, query(request, equal), limit)
    except UnknownPosition:
        raise unknown_cursor() from None
    return page_answer([render(row) for row in page.rows], position_cursor(page.last), page.has_more)


def page_answer(items: list[Any], next_cursor: str, has_more: bool) -> Answer:
    """One page of a list."""
    return Answer(200, {"items": items, "next_cursor": next_cursor, "has_more": has_more})


def query(request: Request, equal: Sequence[str]) -> Query:
    """The query in the parameters of a request; Problem if one cannot be read."""
    parameters = request.parameters
    return Query(
        hub_id=request.caller.id,
        equal={name: parameters[name] for name in equal if name in parameters},
        occurred_from=_instant(parameters.get("occurred_from")),
        occurred_until=_instant(parameters.get("occurred_until")),
        received_since=_instant(parameters.get("received_since")),
        after=read_position(parameters["cursor"]) if "cursor" in parameters else 0,
    )


def column_names(table: Table, but: Sequence[str] = ()) -> list[str]:
    """The columns of `table` that its hub reads, without those of `but`."""
    return [column.name for column in table.columns if column.name not in {"hub_id", "position", ADDITIONAL, *but}]


def rendering(table: Table, but: Sequence[str] = ()) -> Render:
    """A function that renders a row of `table` for its hub, without the columns of `but`."""
    return partial(present, names=column_names(table, but))


def present(row: Mapping[Any, Any], names: Collection[str]) -> dict[str, Any]:
    """The columns `names` of `row` that have a value, as JSON values, and its additional fields."""
    values = {name: _plain(row[name]) for name in names if row[name] is not None}
    return {**(row.get(ADDITIONAL) or {}), **values}


def _plain(value: Any) -> Any:
    return date_times.render(value) if isinstance(value, datetime) else value


def _instant(text: str | None) -> datetime | None:
    return None if text is None else date_times.parse(text)
