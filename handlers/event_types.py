"""The event types that events may carry."""

from uuid import UUID

from sqlalchemy import RowMapping

from db import event_types
from handlers.lists import cursors, pages
from openapi.generated.v1.types import EventType, EventTypeOwner
from openapi.serving.messages import Answer, Request


async def list_(request: Request) -> Answer:
    """A page of the active entries of the registry, by name."""
    limit = request.parameters.get("limit", pages.DEFAULT_LIMIT)
    after = cursors.read_name(request.parameters["cursor"]) if "cursor" in request.parameters else ""
    rows = await request.resources.database.run(event_types.active, after, limit + 1)
    items = [_as_json(row, request) for row in rows[:limit]]
    return pages.page_answer(items, cursors.name_cursor(items[-1]["name"] if items else after), len(rows) > limit)


def _as_json(row: RowMapping, request: Request) -> EventType:
    owners: dict[UUID | None, EventTypeOwner] = {None: "framework", request.caller.id: "you"}
    event_type: EventType = {
        "name": row["name"],
        "description": row["description"],
        "version": row["version"],
        "registered_by": owners.get(row["hub_id"], "another hub"),
    }
    if row["metadata_schema"] is not None:
        event_type["metadata_schema"] = row["metadata_schema"]
    return event_type
