"""What hubs submit many at a time: one that is refused leaves the others as they are."""

from collections.abc import AsyncIterator, Sequence
from functools import partial
from typing import Any

from db import submissions
from db.errors import Unavailable
from db.submissions import Conflict, Unstored, key_within
from handlers.submissions.results import Results
from handlers.submissions.single import (
    DRY_RUN,
    REPLAYED,
    Claim,
    Submission,
    SubmissionType,
    is_dry_run,
    keep_several,
    result,
    submitted,
    written,
)
from openapi.problems import Problem
from openapi.requests.batch import Array, Batch, Lines
from openapi.serving.messages import Answer, Request


async def keep(request: Request, kind: SubmissionType) -> Answer:
    """Keep what can be kept of a batch, and tell what became of each item."""
    body: Batch = request.body
    interruption = None
    with Results(body.is_stream, request.style) as told:
        if isinstance(body, Array):
            request.take_items(len(body))
        try:
            async for group, claim in _groups(request, kind):
                await _keep_group(request, kind, group, claim, told)
        except (Problem, Unavailable) as error:
            if not body.is_stream or told.is_empty:
                raise
            interruption = error if isinstance(error, Problem) else Problem("unavailable", reason=str(error))
    if is_dry_run(request):
        told.headers.append(DRY_RUN)
    return told.answer(interruption)


async def _keep_group(
    request: Request, kind: SubmissionType, group: Sequence[Submission], claim: Claim | None, told: Results
) -> None:
    """Keep what can be kept of `group`, when the hub may send so much more."""
    if isinstance(request.body, Lines):
        await _wait(request, request.body, len(group) - told.is_empty)  # the request took a token for the first
    await keep_several(request, kind, group, claim)
    await _keep_rejected(request, kind, group)
    # What a request with the same key stored is told as it was then.
    told.add([result(one, one.is_duplicate and not one.is_replayed, request.style) for one in group])
    if any(one.is_replayed for one in group) and REPLAYED not in told.headers:
        told.headers.append(REPLAYED)


async def _wait(request: Request, lines: Lines, count: int) -> None:
    """Wait until the hub may send `count` items more; Problem if it may send none any more."""
    if request.bucket:
        await request.bucket.wait_for(count)
    await lines.authorize()


async def _groups(request: Request, kind: SubmissionType) -> AsyncIterator[tuple[list[Submission], Claim | None]]:
    """The items of a batch, some at a time, each with its row; and how to claim the key of the batch, until it is."""
    key = request.parameters.get("Idempotency-Key")
    made = _made(request, kind, key)
    content: list[Any] = []  # of a stream, which is not known before its end
    if not request.body.is_stream and (key or is_dry_run(request)):
        # A key is claimed for the whole; and in a dry run nothing is kept of one group that another would find.
        whole = [one async for group in made for one in group]
        content = [one.row.get("request_digest") for one in whole]
        made = _alone(whole)
    claim = partial(_claim, request, kind, key, content) if key else None
    async for group in made:
        yield group, claim
        if any(not one.problem for one in group):
            claim = None


async def _made(request: Request, kind: SubmissionType, key: str | None) -> AsyncIterator[list[Submission]]:
    async for items in request.body.groups():
        yield [submitted(request, kind, item, key and key_within(key, item.index)) for item in items]


async def _alone(group: list[Submission]) -> AsyncIterator[list[Submission]]:
    yield group


async def _claim(request: Request, kind: SubmissionType, key: str, content: Sequence[Any]) -> None:
    """Take `key` for a batch of `content`, so that another batch with it finds it taken; Problem if it is."""
    hub_id = request.caller.id
    digest = submissions.digest([kind.table.kind, "batch", *content])
    claim = {"id": submissions.new_id(), "hub_id": hub_id, "request_key": key, "request_digest": digest}
    (outcome,) = await written(request, kind, [claim])
    match outcome:
        case Conflict():
            raise Problem("batch_key_conflict")
        case Unstored():
            raise outcome.error


async def _keep_rejected(request: Request, kind: SubmissionType, group: Sequence[Submission]) -> None:
    body: Batch = request.body
    refused = [(one.item.index, one.problem, body.bytes_of(one.item)) for one in group if one.problem]
    if refused and not is_dry_run(request):
        await request.resources.rejections.keep(request, kind.table.kind, refused)
