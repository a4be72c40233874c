"""Rejected submissions: a hub reads them, and submits them again."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping

from db import rejected_submissions
from db.submissions import key_within
from db.tables import rejected_submissions as table
from handlers import annotations, interaction_events
from handlers.lists import pages
from handlers.submissions import results, single
from handlers.submissions.rejections import reason
from handlers.submissions.results import Result, Results
from handlers.submissions.single import DRY_RUN, Submission, SubmissionType, is_dry_run
from openapi.problems import Problem
from openapi.requests.batch import Item
from openapi.serving.error_styles import ErrorStyle
from openapi.serving.messages import Answer, Request, without_null

FILTERS = ("kind", "code")
MOST_REPLAYED = 1000
PART_BYTES = 256 * 1024
PART_ROWS = 100

_render = pages.rendering(table, but=("raw", "request_key", "attempted_at", "event_type"))

KINDS = {kind.table.kind: kind for kind in (interaction_events.KIND, annotations.KIND)}
OPERATION_IDS = {"event": "reportInteractionEvent", "annotation": "reportAnnotation"}
"""By kind, the operation whose contract a submission must satisfy."""


async def list_(request: Request) -> Answer:
    """A page of rejected submissions, without their content."""
    return await pages.list_rows(request, table, FILTERS, _listed)


async def get(request: Request) -> Answer:
    """One rejected submission, with the bytes that the hub sent."""
    return await pages.get_row(request, table, _whole)


async def replay(request: Request) -> Answer:
    """Submit rejected submissions again, under today's contract; a stored one is never stored again."""
    rejections = await _requested(request)
    request.take_items(len(rejections))
    by_rejection: dict[UUID, Result] = {}
    for kind in KINDS.values():
        rows = [row for row in rejections.values() if row and row["kind"] == kind.table.kind and not row["replayed_at"]]
        for part in parts(rows):
            group = await resubmitted(request, kind, part)
            if not is_dry_run(request):
                await request.resources.database.run(rejected_submissions.settle, *outcomes(part, group))
            by_rejection |= {
                row["id"]: single.result(submission, submission.is_duplicate, request.style)
                for row, submission in zip(part, group, strict=True)
            }
    all_results = Results(False, request.style, is_dry_run(request))
    for index, (identifier, row) in enumerate(rejections.items()):
        result = by_rejection.get(identifier) or _unsubmitted(identifier, row, request.style)
        all_results.add([{**result, "index": index, "rejection_id": identifier}])
    if is_dry_run(request):
        all_results.headers.append(DRY_RUN)
    return all_results.answer()


async def _requested(request: Request) -> dict[UUID, RowMapping | None]:
    """The rejections that the request asks for, in order; None for an id that is not the hub's own."""
    body, database, hub_id = without_null(request.body), request.resources.database, request.caller.id
    if "ids" in body:
        ids = [UUID(identifier) for identifier in body["ids"]]
        rows_by_id = await database.run(rejected_submissions.named, hub_id, ids)
        return {identifier: rows_by_id.get(identifier) for identifier in ids}
    kinds = [body["kind"]] if "kind" in body else list(KINDS)
    limit = body.get("limit", MOST_REPLAYED)
    if request.bucket:
        limit = min(limit, request.bucket.burst)
    rows = await database.run(rejected_submissions.waiting, hub_id, kinds, body.get("code"), limit)
    return {row["id"]: row for row in rows}


async def resubmitted(request: Request, kind: SubmissionType, rows: Sequence[RowMapping]) -> list[Submission]:
    """Submit `rows` under their former keys, else under their own ids; returns the submissions, in order.

    The rows have the columns rejected_submissions.COLUMNS; what comes of them is recorded by `settle` alone.
    """
    contents = await request.resources.database.run(rejected_submissions.contents, [row["id"] for row in rows])
    items = [_item(request, index, row["kind"], contents.get(row["id"], b"")) for index, row in enumerate(rows)]
    keys = [row["request_key"] or key_within("replay", str(row["id"])) for row in rows]
    return await single.resubmit(request, kind, items, keys)


def outcomes(
    rows: Sequence[RowMapping], group: Sequence[Submission]
) -> tuple[dict[UUID, str], dict[UUID, dict[str, str | None]]]:
    """What came of `rows`, as `settle` takes it: the ids of those that are stored, and the reasons of the others."""
    pairs = list(zip(rows, group, strict=True))
    stored_as = {row["id"]: submission.row["id"] for row, submission in pairs if not submission.problem}
    return stored_as, {row["id"]: reason(submission.problem) for row, submission in pairs if submission.problem}


def _unsubmitted(identifier: UUID, row: RowMapping | None, style: ErrorStyle) -> Result:
    """The result of a rejection that was replayed before, is absent, or is a batch that was refused as a whole."""
    if row is None:
        return results.rejected(0, Problem("rejection_not_found", id=identifier), style)
    if row["kind"] not in KINDS:
        return results.rejected(0, Problem("batch_not_replayed"), style)
    return results.stored(0, "duplicate", str(row["replayed_as"]))


def parts(rows: Sequence[RowMapping]) -> Iterator[list[RowMapping]]:
    """`rows` in parts, because the content of a whole part is held in memory."""
    part: list[RowMapping] = []
    size = 0
    for row in rows:
        part.append(row)
        size += row["bytes"]
        if size > PART_BYTES or len(part) == PART_ROWS:
            yield part
            part, size = [], 0
    if part:
        yield part


def _item(request: Request, index: int, kind: str, content: bytes) -> Item:
    try:
        return Item(index, request.validate(OPERATION_IDS[kind], content))
    except Problem as problem:
        return Item(index, None, problem)


def _listed(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {**_render(row), "content_bytes": row["bytes"]}


def _whole(row: Mapping[Any, Any]) -> dict[str, Any]:
    raw = bytes(row["raw"])
    rejection = {**_listed({**row, "bytes": len(raw)}), "content_base64": base64.b64encode(raw).decode()}
    try:
        return {**rejection, "content": raw.decode()}
    except UnicodeDecodeError:
        return rejection
