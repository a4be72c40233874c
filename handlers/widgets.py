"""The widgets that may be reported about."""

from uuid import UUID

from db import widgets
from handlers.lists import cursors, pages
from openapi.generated.v1.types import Widget
from openapi.serving.messages import Answer, Request


async def list_(request: Request) -> Answer:
    """A page of the active widgets, by id."""
    limit = request.parameters.get("limit", pages.DEFAULT_LIMIT)
    after = cursors.read_id(request.parameters["cursor"]) if "cursor" in request.parameters else UUID(int=0)
    found = await request.resources.database.run(widgets.active, after, limit + 1)
    rows = found[:limit]
    items: list[Widget] = [{"id": str(row["id"]), "name": row["name"]} for row in rows]
    return pages.page_answer(items, cursors.id_cursor(rows[-1]["id"] if rows else after), len(found) > limit)
