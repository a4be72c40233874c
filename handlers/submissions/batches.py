"""Batches of submissions: a refused item does not affect the others."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from db import submissions
from db.errors import Unavailable
from db.ids import new_id
from db.submissions import Conflict, Unstored, key_within
from handlers.submissions.results import Results
from handlers.submissions.single import (
    DRY_RUN,
    REPLAYED,
    Submission,
    SubmissionType,
    is_dry_run,
    keep_several,
    result,
    submitted,
    write_rows,
)
from openapi.problems import Problem
from openapi.requests.batch import Array, Batch, Lines
from openapi.serving.messages import Answer, Request


async def keep(request: Request, submission_type: SubmissionType) -> Answer:
    """Store the valid items of a batch, and answer with the result of each."""
    body: Batch = request.body
    interruption = None
    with Results(body.is_stream, request.style, is_dry_run(request)) as results:
        if isinstance(body, Array):
            request.take_items(len(body))
        try:
            groups, claim = await _begin(request, submission_type)
            async for group in groups:
                await _keep_group(request, submission_type, group, claim, results)
        except (Problem, Unavailable) as error:
            if not body.is_stream or results.is_empty:
                raise
            interruption = error if isinstance(error, Problem) else Problem("unavailable", reason=str(error))
    if is_dry_run(request):
        results.headers.append(DRY_RUN)
    return results.answer(interruption)


@dataclass(slots=True)
class Claim:
    """Claims the key of a batch, if it has one, for `content`: from then on another batch with that key is refused."""

    request: Request
    submission_type: SubmissionType
    key: str | None
    content: Sequence[Any]
    _is_done: bool = False

    async def once(self) -> None:
        """Claim the key unless it is claimed; Problem `batch_key_conflict` if another batch has it."""
        if self.key is None or self._is_done:
            return
        kind, hub_id = self.submission_type.table.kind, self.request.caller.id
        digest = submissions.digest([kind, "batch", *self.content])
        row = {"id": new_id(), "hub_id": hub_id, "request_key": self.key, "request_digest": digest}
        (outcome,) = await write_rows(self.request, self.submission_type, [row])
        match outcome:
            case Conflict():
                raise Problem("batch_key_conflict")
            case Unstored():
                raise outcome.error
        self._is_done = True


async def _begin(request: Request, submission_type: SubmissionType) -> tuple[AsyncIterator[list[Submission]], Claim]:
    """The items of a batch, some at a time, each with its row; and the claim of its key."""
    key = request.parameters.get("Idempotency-Key")
    groups = _groups(request, submission_type, key)
    if request.body.is_stream or not (key or is_dry_run(request)):
        return groups, Claim(request, submission_type, key, [])  # the content of a stream is unknown before its end
    # A key is claimed for the whole batch. A dry run stores nothing of one group that the next group would find.
    batch = [submission async for group in groups for submission in group]
    content = [submission.row.get("request_digest") for submission in batch]
    return _as_one_group(batch), Claim(request, submission_type, key, content)


async def _groups(
    request: Request, submission_type: SubmissionType, key: str | None
) -> AsyncIterator[list[Submission]]:
    async for items in request.body.groups():
        yield [submitted(request, submission_type, item, key and key_within(key, item.index)) for item in items]


async def _as_one_group(batch: list[Submission]) -> AsyncIterator[list[Submission]]:
    yield batch


async def _keep_group(
    request: Request, submission_type: SubmissionType, group: Sequence[Submission], claim: Claim, results: Results
) -> None:
    """Store the valid submissions of `group` as soon as the hub's rate allows them."""
    if isinstance(request.body, Lines):
        await _wait(request, request.body, len(group) - results.is_empty)  # the request took a token for the first
    await keep_several(request, submission_type, group, claim.once)
    await _keep_rejected(request, submission_type, group)
    # A submission that an earlier request with the same key stored gets its original result.
    results.add(
        [
            result(submission, submission.is_duplicate and not submission.is_replayed, request.style)
            for submission in group
        ]
    )
    if any(submission.is_replayed for submission in group) and REPLAYED not in results.headers:
        results.headers.append(REPLAYED)


async def _wait(request: Request, lines: Lines, count: int) -> None:
    """Wait until the hub may send `count` items more; Problem if it may no longer send any."""
    if request.bucket:
        await request.bucket.wait_for(count)
    await lines.authorize()


async def _keep_rejected(request: Request, submission_type: SubmissionType, group: Sequence[Submission]) -> None:
    body: Batch = request.body
    refused = [
        (submission.item.index, submission.problem, body.bytes_of(submission.item))
        for submission in group
        if submission.problem
    ]
    if refused and not is_dry_run(request):
        await request.resources.rejections.keep(request, submission_type.table.kind, refused)
