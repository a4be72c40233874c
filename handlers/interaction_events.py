"""Interaction events on widgets."""

import asyncio
from collections.abc import Sequence
from functools import lru_cache

from db import interaction_events, json_text
from db.tables import interaction_events as table
from handlers.lists import exports, pages
from handlers.similar_names import SimilarNames
from handlers.submissions import batches, single
from handlers.submissions.single import Submission, SubmissionType
from openapi import problems
from openapi.metadata.check import MetadataSchema
from openapi.problems import Problem
from openapi.serving.messages import Answer, BodyField, Request, takes, when_refused

FILTERS = ("widget_id", "event_type", "actor_id")

_render = pages.rendering(table)


async def _check(request: Request, group: Sequence[Submission]) -> None:
    """Find widgets and types that are not registered, and metadata that its type refuses."""
    registry = request.resources.registry
    names = [(submission.row["widget_id"], submission.row["event_type"]) for submission in group]
    missing_names = await registry.missing(names)
    similar = SimilarNames(registry.event_types if any(missing_names) else ())
    for submission, missing in zip(group, missing_names, strict=True):
        if missing:
            submission.problem = problems.joined(
                [_not_registered(name, submission.item.value[name], similar) for name in missing]
            )
        elif schema := registry.metadata_schema(submission.row["event_type"]):
            submission.problem = _compiled(schema).problem(submission.item.value)
            await asyncio.sleep(0)  # a hub's own patterns may take long: other requests get their turn


KIND = SubmissionType(
    table=interaction_events.TABLE,
    fields=interaction_events.TABLE.fields,
    uuids=("widget_id", "actor_id"),
    type_field="event_type",
    answer_fields=("id", "widget_id", "event_type", "occurred_at"),
    check=_check,
)
_TAKEN = takes(
    widget_id=BodyField("string", "uuid", required=True),
    event_type=BodyField("string", required=True),
    occurred_at=BodyField("string", "date-time", required=True),
    actor_id=BodyField("string", "uuid"),
    actor_type=BodyField("string"),
    view_context_ref=BodyField("string"),
    metadata=BodyField("object"),
    client_event_id=BodyField("string"),
)


@_TAKEN
@when_refused(single.when_refused(KIND))
async def create(request: Request) -> Answer:
    """Store one event, and answer after the commit."""
    return await single.keep(request, KIND)


@_TAKEN
@when_refused(single.when_refused(KIND, is_batch=True))
async def create_batch(request: Request) -> Answer:
    """Store many events, each validated on its own."""
    return await batches.keep(request, KIND)


async def get(request: Request) -> Answer:
    """One of the hub's own events."""
    return await pages.get_row(request, table, _render)


async def list_(request: Request) -> Answer:
    """A page of the hub's own events."""
    return await pages.list_rows(request, table, FILTERS, _render)


async def export(request: Request) -> Answer:
    """All of the hub's own events, or those of a filter."""
    return await exports.export_rows(request, table, FILTERS, _render)


@lru_cache(maxsize=1000)
def _compiled(schema: str) -> MetadataSchema:
    return MetadataSchema(json_text.decoded(schema))


def _not_registered(field: str, value: str, similar: SimilarNames) -> Problem:
    if field == "event_type":
        return Problem("event_type_not_registered", name=value, pointer="/event_type", hint=similar.hint(value))
    return Problem("widget_not_registered", id=value, pointer="/widget_id")
