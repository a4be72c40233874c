"""Interaction events: what happened on a widget."""

from typing import Any

from db import interaction_events
from openapi import problems, rfc3339
from openapi.exchange import Answer, Field, Request, takes
from openapi.problems import Problem
from openapi.server_timing import lap

ANSWERED = ("id", "widget_id", "event_type", "occurred_at")


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
    if missing := await request.resources.registry.missing(event["widget_id"], event["event_type"]):
        raise problems.joined([_not_registered(field, request.body[field]) for field in missing])
    lap("handle")
    lap("queue", at=await interaction_events.add(request.resources.events, event))
    lap("commit")
    return Answer(201, {name: event[name] for name in ANSWERED})


def _event(request: Request) -> dict[str, Any]:
    """The row that keeps the body of `request`. Fields that no column holds are kept together."""
    body: dict[str, Any] = request.body
    unknown = body.keys() - interaction_events.FIELDS
    event = {
        **({name: body[name] for name in body if name not in unknown} if unknown else body),
        "id": interaction_events.new_id(),
        "hub_id": request.caller.id,
        "widget_id": body["widget_id"].lower(),
        "occurred_at": rfc3339.render(rfc3339.parse(body["occurred_at"])),
        "contract_version": request.contract_version,
    }
    if unknown:
        event["additional_fields"] = {name: body[name] for name in unknown}
    return event


def _not_registered(field: str, value: str) -> Problem:
    if field == "event_type":
        return Problem("event_type_not_registered", name=value)
    return Problem("widget_not_registered", id=value)
