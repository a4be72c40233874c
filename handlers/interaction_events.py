"""Interaction events: what happened on a widget."""

from typing import Any
from uuid import UUID

from db import interaction_events
from db.errors import NotRegistered
from openapi import problems, rfc3339
from openapi.exchange import Answer, Field, Request, takes
from openapi.problems import Problem

UUID_FIELDS = ("widget_id", "actor_id")


@takes(
    widget_id=Field("string", "uuid", required=True),
    event_type=Field("string", required=True),
    occurred_at=Field("string", "date-time", required=True),
    actor_id=Field("string", "uuid"),
    actor_type=Field("string"),
    view_context_ref=Field("string"),
    metadata=Field("object"),
)
async def create(request: Request) -> Answer:
    """Keep one event. The answer is given after the commit."""
    event = _event(request)
    try:
        await request.resources.run(interaction_events.add, event)
    except NotRegistered as missing:
        raise problems.joined([_not_registered(field, request.body[field]) for field in missing.fields]) from None
    return Answer(
        201,
        {
            "id": str(event["id"]),
            "widget_id": str(event["widget_id"]),
            "event_type": event["event_type"],
            "occurred_at": rfc3339.render(event["occurred_at"]),
        },
    )


def _event(request: Request) -> dict[str, Any]:
    """The row that keeps the body of `request`. Fields that no column holds are kept together."""
    fields = {name: value for name, value in request.body.items() if name in interaction_events.FIELDS}
    for name in UUID_FIELDS:
        if name in fields:
            fields[name] = UUID(fields[name])
    return {
        **fields,
        "id": interaction_events.new_id(),
        "hub_id": request.caller.id,
        "occurred_at": rfc3339.parse(fields["occurred_at"]),
        "contract_version": request.contract_version,
        "additional_fields": {name: value for name, value in request.body.items() if name not in fields} or None,
    }


def _not_registered(field: str, value: str) -> Problem:
    if field == "event_type":
        return Problem("event_type_not_registered", name=value)
    return Problem("widget_not_registered", id=value)
