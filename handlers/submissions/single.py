"""One submission of a hub: it is checked, stored once, and answered after its commit."""

import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from db import json_text, submissions
from db.errors import Unavailable
from db.ids import new_id
from db.submissions import Conflict, Duplicate, Outcome, SubmissionTable, Unstored
from handlers.submissions import results
from handlers.submissions.results import Result
from openapi.problems import Problem
from openapi.requests.batch import LINE_BYTES, Array, Item
from openapi.serving.error_styles import ErrorStyle
from openapi.serving.messages import Answer, Refusal, Request, without_null
from openapi.standards import date_times, prefer
from openapi.standards.server_timing import lap

logger = logging.getLogger(__name__)

REPLAYED = (b"idempotent-replayed", b"true")
SENT_AT = "sent_at"
"""The time of sending by the clock of the client: stored, and not a part of the content that keys compare."""
DRY_RUN = (b"preference-applied", prefer.DRY_RUN.encode())
FAULTS = 500
"""Submissions answered with this status or a higher one do not count: a hub may send them again."""
THROTTLED = 429
NOT_SUBMITTED = frozenset(
    {"unauthorized", "invalid_token", "invalid_dpop_proof", "insufficient_scope", "cut_over", "invalid_parameters"}
)
"""Requests refused with these problems do not count as submissions."""


@dataclass(frozen=True, slots=True)
class SubmissionType:
    """One type of submission: its table, the fields that a hub fills, and the fields of the answer."""

    table: SubmissionTable
    fields: frozenset[str]
    uuids: tuple[str, ...]
    type_field: str
    answer_fields: tuple[str, ...]
    check: "Check"


@dataclass(slots=True)
class Submission:
    """One item in progress: its row, if its value is valid, and its outcome."""

    item: Item
    row: dict[str, Any]
    problem: Problem | None
    is_duplicate: bool = False
    is_replayed: bool = False


Check = Callable[[Request, Sequence[Submission]], Awaitable[None]]
"""Sets the problem of each submission that the contract accepts but the service does not."""
BeforeStoring = Callable[[], Awaitable[None]]
"""Called before anything of a group is stored; raises Problem if nothing may be stored."""


async def keep(request: Request, submission_type: SubmissionType) -> Answer:
    """Store one submission; a key that was used before for the same content gets the first answer again."""
    key = request.parameters.get("Idempotency-Key")
    submission = submitted(request, submission_type, Item(0, request.body), key)
    await _check(request, submission_type, [submission])
    lap("handle")
    if not submission.problem and not submission.is_duplicate:
        await _write_one(request, submission_type, submission)
    if submission.problem:
        raise submission.problem
    row = submission.row
    answer = {name: row[name] for name in submission_type.answer_fields}
    headers = [REPLAYED] if submission.is_duplicate else []
    if is_dry_run(request):
        return Answer(200, answer, [*headers, DRY_RUN])
    outcome = "duplicate" if submission.is_duplicate else "created"
    request.resources.usage.add(
        request.caller.id,
        request.contract_version,
        submission_type.table.kind,
        outcome,
        row[submission_type.type_field],
    )
    return Answer(201, answer, headers)


async def resubmit(
    request: Request, submission_type: SubmissionType, items: Sequence[Item], keys: Sequence[str]
) -> list[Submission]:
    """Store the valid `items`, each under its own request key in `keys`; returns all submissions, in order."""
    group = [submitted(request, submission_type, item, key) for item, key in zip(items, keys, strict=True)]
    await keep_several(request, submission_type, group)
    return group


def when_refused(submission_type: SubmissionType, is_batch: bool = False) -> Callable[[Refusal], Awaitable[None]]:
    """A function that counts a refused request, and stores its content as rejected."""

    async def refused(refusal: Refusal) -> None:
        request, problem = refusal.request, refusal.problem
        if is_dry_run(request) or problem.code in NOT_SUBMITTED:
            return
        items = len(request.body) if isinstance(request.body, Array) else 1
        _count(request, submission_type, [Submission(Item(0, None), {}, problem)] * items)
        if problem.code != "batch_key_conflict":  # its content is not at fault
            name = f"{submission_type.table.kind}-batch" if is_batch else submission_type.table.kind
            await request.resources.rejections.keep(request, name, [(None, problem, request.content)])

    return refused


def is_dry_run(request: Request) -> bool:
    """True if the client asks for a dry run, which stores nothing."""
    return "Prefer" in request.parameters and prefer.prefers(request.parameters["Prefer"], prefer.DRY_RUN)


def submitted(request: Request, submission_type: SubmissionType, item: Item, key: str | None) -> Submission:
    """The submission of `item` under the request key `key`, before any check. A null field is an absent one."""
    if item.problem:
        return Submission(item, {}, item.problem)
    fields = without_null(item.value) if None in item.value.values() else item.value
    return Submission(item, _row(request, submission_type, fields, key), None)


async def keep_several(
    request: Request,
    submission_type: SubmissionType,
    group: Sequence[Submission],
    before_storing: BeforeStoring | None = None,
) -> None:
    """Store the valid submissions of `group`; the others get a problem. Passes on a Problem of `before_storing`."""
    valid = [submission for submission in group if not submission.problem]
    if (
        isinstance(request.body, Array) and len(request.content) > LINE_BYTES
    ):  # a smaller request has no item that is too large
        _refuse_large(valid)
    try:
        await _check(request, submission_type, [submission for submission in valid if not submission.problem])
        accepted = [submission for submission in valid if not submission.problem]
        if before_storing and accepted:
            await before_storing()
        await _write(request, submission_type, [submission for submission in accepted if not submission.is_duplicate])
    except Unavailable as error:
        for submission in valid:
            submission.problem = submission.problem or Problem("unavailable", reason=str(error))
    if not is_dry_run(request):
        _count(request, submission_type, group)


def _refuse_large(group: Sequence[Submission]) -> None:
    """Refuse items that are larger than a single item or a line may be; blanks between tokens do not count."""
    for submission in group:
        size = len(json_text.encoded(submission.item.value))
        if size > LINE_BYTES:
            submission.problem = Problem("content_too_large", size=size, limit=LINE_BYTES)


async def _check(request: Request, submission_type: SubmissionType, group: Sequence[Submission]) -> None:
    """Set the problems of `group`; a submission that was stored before under the same keys has none."""
    await submission_type.check(request, group)
    refused = [submission for submission in group if submission.problem is not None and "digest" in submission.row]
    if refused:
        rows = [submissions.row(submission.row) for submission in refused]
        duplicates = await request.resources.database.run(submissions.known, submission_type.table, rows)
        for submission, duplicate in zip(refused, duplicates, strict=True):
            if duplicate:
                submission.problem = None
                _mark(submission, duplicate)


def _mark(submission: Submission, duplicate: Duplicate) -> None:
    submission.row["id"] = duplicate.id
    submission.is_duplicate, submission.is_replayed = True, duplicate.by_request


async def _write_one(request: Request, submission_type: SubmissionType, submission: Submission) -> None:
    """Like `_write`, for one submission: most requests come here."""
    if is_dry_run(request):
        await _write(request, submission_type, [submission])
        return
    sent_at, existing = await request.resources.writers[submission_type.table.kind].add(submissions.row(submission.row))
    lap("queue", at=sent_at)
    lap("commit")
    if existing is not None:
        _settle(submission_type, submission, submissions.outcome(submission.row["id"], existing))


async def _write(request: Request, submission_type: SubmissionType, group: Sequence[Submission]) -> None:
    """Store `group`, and set the outcome of each; Unavailable if nothing was stored."""
    outcomes = await write_rows(request, submission_type, [submission.row for submission in group])
    for submission, outcome in zip(group, outcomes, strict=True):
        _settle(submission_type, submission, outcome)


def _settle(submission_type: SubmissionType, submission: Submission, outcome: Outcome) -> None:
    """Set the outcome of `submission`."""
    match outcome:
        case Duplicate():
            _mark(submission, outcome)
        case Conflict():
            submission.problem = _conflict(submission_type, outcome)
        case Unstored(error=Unavailable() as error):
            submission.problem = Problem("unavailable", reason=str(error))
        case Unstored():
            logger.error("a row was refused by the database: %s", outcome.error)
            submission.problem = Problem("internal_error")


async def write_rows(
    request: Request, submission_type: SubmissionType, rows: Sequence[dict[str, Any]]
) -> list[Outcome]:
    """Write `rows`; returns the outcome of each, in order. A dry run rolls back."""
    if not rows:
        return []
    encoded = [submissions.row(row) for row in rows]
    if is_dry_run(request):
        existing = await request.resources.database.run(submissions.tried, submission_type.table, encoded)
    else:
        _, existing = await request.resources.writers[submission_type.table.kind].add_all(encoded)
    return [submissions.outcome(row["id"], keys) for row, keys in zip(rows, existing, strict=True)]


def _row(
    request: Request, submission_type: SubmissionType, body: dict[str, Any], request_key: str | None
) -> dict[str, Any]:
    """The row of `body`. Fields without a column are stored together, as `additional_fields`."""
    unknown = body.keys() - submission_type.fields
    content = {name: body[name] for name in body if name not in unknown} if unknown else body.copy()
    for name in submission_type.uuids:
        if name in content:
            content[name] = content[name].lower()
    if "occurred_at" in content:
        content["occurred_at"] = date_times.normalized(content["occurred_at"])
    additional = {name: body[name] for name in unknown if name != SENT_AT}
    if additional:
        content["additional_fields"] = additional
    keys = (
        _keys(submission_type, content, request_key)
        if request_key or submission_type.table.own_key in content
        else None
    )
    if SENT_AT in unknown:  # after the keys: a repeated request may have another time of sending
        content["additional_fields"] = additional | {SENT_AT: _instant(body[SENT_AT])}
    content["id"] = new_id()
    content["hub_id"] = request.caller.id
    content["contract_version"] = request.contract_version
    return content | keys if keys else content


def _instant(value: Any) -> Any:
    """A timestamp as it is stored; any other value, which a contract with open objects accepts, as it is."""
    return date_times.normalized(value) if isinstance(value, str) and date_times.is_timestamp(value) else value


def _keys(submission_type: SubmissionType, content: dict[str, Any], request_key: str | None) -> dict[str, Any]:
    """The columns for the keys of `content`."""
    digest = submissions.digest([submission_type.table.kind, content])
    keys = {"digest": digest}
    return keys | {"request_key": request_key, "request_digest": digest} if request_key else keys


def _conflict(submission_type: SubmissionType, conflict: Conflict) -> Problem:
    if conflict.key == "request_key":
        return Problem("idempotency_conflict", name="the Idempotency-Key", key="Idempotency-Key")
    own = submission_type.table.own_key
    return Problem("idempotency_conflict", pointer=f"/{own}", name=f"the {own}", key=own)


def result(submission: Submission, is_duplicate: bool, style: ErrorStyle) -> Result:
    """The result of one of several submissions."""
    if submission.problem:
        return results.rejected(submission.item.index, submission.problem, style)
    return results.stored(submission.item.index, "duplicate" if is_duplicate else "created", submission.row["id"])


def _count(request: Request, submission_type: SubmissionType, group: Sequence[Submission]) -> None:
    """Add `group` to the hub's usage."""
    counts: Counter[tuple[str, str]] = Counter()
    for submission in group:
        problem = submission.problem
        if problem is None:
            counts[
                "duplicate" if submission.is_duplicate else "created", submission.row[submission_type.type_field]
            ] += 1
        elif problem.status < FAULTS:
            counts["throttled" if problem.status == THROTTLED else "rejected", problem.code] += 1
    for (outcome, reason), count in counts.items():
        request.resources.usage.add(
            request.caller.id, request.contract_version, submission_type.table.kind, outcome, reason, count
        )
