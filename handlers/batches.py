"""What hubs submit many at a time: one that is refused leaves the others as they are."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from db import submissions
from db.errors import Unavailable
from db.submissions import Conflict, Unstored, key_within
from handlers.results import Results
from handlers.submissions import (
    DRY_RUN,
    REPLAYED,
    Kind,
    Submission,
    is_dry_run,
    keep_group,
    result,
    stored,
    submitted,
)
from openapi.batch import Array, Batch, Lines
from openapi.exchange import Answer, Request
from openapi.problems import Problem


async def keep(request: Request, kind: Kind) -> Answer:
    """Keep what can be kept of a batch, and tell what became of each item."""
    body: Batch = request.body
    told = Results(body.is_stream)
    interruption = None
    if isinstance(body, Array):
        request.take_items(len(body))
    try:
        groups = _groups(request, kind)
        if is_dry_run(request) and not body.is_stream:
            groups = _together(groups)  # nothing is kept of one group that another would find
        async for group in groups:
            if isinstance(body, Lines):
                await _wait(request, body, len(group))
            await keep_group(request, kind, group)
            await _keep_rejected(request, kind, group)
            told.add([result(one) for one in group])
            if any(one.is_replayed for one in group) and REPLAYED not in told.headers:
                told.headers.append(REPLAYED)
    except (Problem, Unavailable) as error:
        if not body.is_stream or told.is_empty:
            raise
        interruption = error if isinstance(error, Problem) else Problem("unavailable", reason=str(error))
    if is_dry_run(request):
        told.headers.append(DRY_RUN)
    return told.answer(interruption)


async def _wait(request: Request, lines: Lines, count: int) -> None:
    """Wait until the hub may send `count` items more; Problem if it may send none any more."""
    if request.bucket:
        await request.bucket.wait_for(count)
    await lines.authorize()


async def _together(groups: AsyncIterator[list[Submission]]) -> AsyncIterator[list[Submission]]:
    """All of `groups` as one."""
    yield [one async for group in groups for one in group]


async def _groups(request: Request, kind: Kind) -> AsyncIterator[list[Submission]]:
    """The items of a batch, some at a time, each with its row; Problem if its key was used for another batch."""
    key = request.parameters.get("Idempotency-Key")
    groups = _made(request, kind, key)
    if key is None:
        async for group in groups:
            yield group
        return
    if isinstance(request.body, Array):
        made = [group async for group in groups]
        content = [one.row.get("request_digest") for group in made for one in group]
        if any(content):  # what was refused as a whole claims nothing
            await _claim(request, kind, key, content)
        for group in made:
            yield group
        return
    await _claim(request, kind, key, [])
    async for group in groups:
        yield group


async def _made(request: Request, kind: Kind, key: str | None) -> AsyncIterator[list[Submission]]:
    async for items in request.body.groups():
        yield [submitted(request, kind, item, key and key_within(key, item.index)) for item in items]


async def _claim(request: Request, kind: Kind, key: str, content: Sequence[Any]) -> None:
    """Take `key` for a batch of `content`, so that another batch with it finds it taken; Problem if it is."""
    hub_id = request.caller.id
    digest = submissions.digest([kind.table.kind, "batch", *content])
    claim = {"id": submissions.new_id(), "hub_id": hub_id, "request_key": key, "request_digest": digest}
    (outcome,) = await stored(request, kind, [claim])
    match outcome:
        case Conflict():
            raise Problem("batch_key_conflict")
        case Unstored():
            raise outcome.error


async def _keep_rejected(request: Request, kind: Kind, group: Sequence[Submission]) -> None:
    body: Batch = request.body
    refused = [(one.item.index, one.problem, body.bytes_of(one.item)) for one in group if one.problem]
    if refused and not is_dry_run(request):
        await request.resources.rejections.keep(request, kind.table.kind, refused)
