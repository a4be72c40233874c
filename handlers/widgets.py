"""The widgets that may be reported about."""

from uuid import UUID

from db import widgets
from handlers.lists import cursors, pages
from openapi.serving.messages import Answer, Request


async def list_(request: Request) -> Answer:
    """A page of the active widgets, by id."""
    limit = request.parameters.get("limit", pages.DEFAULT_LIMIT)
    after = cursors.read_id(request.parameters["cursor"]) if "cursor" in request.parameters else UUID(int=0)
    rows = await request.resources.database.run(widgets.active, after, limit + 1)
    items = [pages.present(row, ("id", "name")) for row in rows[:limit]]
    return pages.page_answer(items, cursors.id_cursor(items[-1]["id"] if items else after), len(rows) > limit)
