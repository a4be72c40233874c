"""Annotations: remarks of people or agents on a widget, or on one of its events."""

from collections.abc import Sequence
from datetime import UTC, datetime

from db import annotations
from db.tables import annotations as table
from handlers.lists import exports, pages
from handlers.submissions import batches, single
from handlers.submissions.single import Submission, SubmissionType
from openapi import problems
from openapi.problems import Problem
from openapi.serving.messages import Answer, BodyField, Request, takes, when_refused
from openapi.standards import date_times

FILTERS = ("widget_id", "event_id", "category", "actor_id")

_render = pages.rendering(table)


async def _check(request: Request, group: Sequence[Submission]) -> None:
    """Find widgets that are not registered, and events that are not the hub's own.

    An annotation without `occurred_at` gets the current time.
    """
    registry, database = request.resources.registry, request.resources.database
    event_ids = {submission.row["event_id"] for submission in group if "event_id" in submission.row}
    own = await database.run(annotations.own_events, request.caller.id, event_ids) if event_ids else set()
    now = date_times.render(datetime.now(UTC))
    widgets = await registry.has_widgets([submission.row["widget_id"] for submission in group])
    for submission, has_widget in zip(group, widgets, strict=True):
        submission.row.setdefault("occurred_at", now)
        faults = []
        if not has_widget:
            faults.append(Problem("widget_not_registered", id=submission.item.value["widget_id"], pointer="/widget_id"))
        if "event_id" in submission.row and submission.row["event_id"] not in own:
            faults.append(Problem("event_not_found", id=submission.item.value["event_id"], pointer="/event_id"))
        submission.problem = problems.joined(faults) if faults else None


KIND = SubmissionType(
    table=annotations.TABLE,
    fields=annotations.TABLE.fields,
    uuids=("widget_id", "event_id", "actor_id"),
    type_field="category",
    answer_fields=("id", "widget_id", "category"),
    check=_check,
)
_TAKEN = takes(
    widget_id=BodyField("string", "uuid", required=True),
    event_id=BodyField("string", "uuid"),
    category=BodyField("string", required=True),
    body=BodyField("string", required=True),
    severity=BodyField("string"),
    occurred_at=BodyField("string", "date-time"),
    actor_id=BodyField("string", "uuid"),
    actor_type=BodyField("string"),
    view_context_ref=BodyField("string"),
    metadata=BodyField("object"),
    client_annotation_id=BodyField("string"),
)


@_TAKEN
@when_refused(single.when_refused(KIND))
async def create(request: Request) -> Answer:
    """Store one annotation, and answer after the commit."""
    return await single.keep(request, KIND)


@_TAKEN
@when_refused(single.when_refused(KIND, is_batch=True))
async def create_batch(request: Request) -> Answer:
    """Store many annotations, each validated on its own."""
    return await batches.keep(request, KIND)


async def get(request: Request) -> Answer:
    """One of the hub's own annotations."""
    return await pages.get_row(request, table, _render)


async def list_(request: Request) -> Answer:
    """A page of the hub's own annotations."""
    return await pages.list_rows(request, table, FILTERS, _render)


async def export(request: Request) -> Answer:
    """All of the hub's own annotations, or those of a filter."""
    return await exports.export_rows(request, table, FILTERS, _render)
