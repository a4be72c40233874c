"""What hubs submit: each thing is judged alone, stored once, and answered for after its commit."""

import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from db import submissions
from db.errors import Unavailable
from db.submissions import Conflict, Duplicate, Outcome, SubmissionTable, Unstored
from handlers.submissions import results
from handlers.submissions.results import Result
from openapi.problems import Problem
from openapi.requests.batch import LINE_BYTES, Array, Item
from openapi.serving.error_styles import ErrorStyle
from openapi.serving.messages import Answer, Refusal, Request
from openapi.standards import date_times, prefer
from openapi.standards.server_timing import lap

logger = logging.getLogger(__name__)

REPLAYED = (b"idempotent-replayed", b"true")
DRY_RUN = (b"preference-applied", prefer.DRY_RUN.encode())
FAULTS = 500
"""What is answered with this status, or a higher one, is not counted: it may be sent again, and counts then."""
THROTTLED = 429
NOT_SUBMITTED = frozenset(
    {"unauthorized", "invalid_token", "invalid_dpop_proof", "insufficient_scope", "cut_over", "invalid_parameters"}
)
"""Problems of a request of which nothing is counted as submitted."""


@dataclass(frozen=True, slots=True)
class SubmissionType:
    """One kind of submission: where it is kept, what a hub fills of it, and what is answered."""

    table: SubmissionTable
    fields: frozenset[str]
    uuids: tuple[str, ...]
    type_field: str
    answered: tuple[str, ...]
    check: "Check"


@dataclass(slots=True)
class Submission:
    """One item on its way: its row, if it has a valid value, and what became of it."""

    item: Item
    row: dict[str, Any]
    problem: Problem | None
    is_duplicate: bool = False
    is_replayed: bool = False


Check = Callable[[Request, Sequence[Submission]], Awaitable[None]]
"""Gives those that the contract accepts a problem nevertheless, where there is one."""
Claim = Callable[[], Awaitable[None]]
"""What is done before anything of a group is stored; Problem if nothing may be."""


async def keep(request: Request, kind: SubmissionType) -> Answer:
    """Keep one thing; with a key that was used before for the same content, the first answer again."""
    key = request.parameters.get("Idempotency-Key")
    submission = submitted(request, kind, Item(0, request.body), key)
    await _check(request, kind, [submission])
    lap("handle")
    if not submission.problem and not submission.is_duplicate:
        await _write_one(request, kind, submission)
    if submission.problem:
        raise submission.problem
    row = submission.row
    answer = {name: row[name] for name in kind.answered}
    headers = [REPLAYED] if submission.is_duplicate else []
    if is_dry_run(request):
        return Answer(200, answer, [*headers, DRY_RUN])
    outcome = "duplicate" if submission.is_duplicate else "created"
    request.resources.usage.add(request.caller.id, kind.table.kind, outcome, row[kind.type_field])
    return Answer(201, answer, headers)


async def resubmit(
    request: Request, kind: SubmissionType, items: Sequence[Item], keys: Sequence[str]
) -> list[Submission]:
    """Keep what can be kept of `items`, each under its own request key of `keys`; what became of each."""
    group = [submitted(request, kind, item, key) for item, key in zip(items, keys, strict=True)]
    await keep_several(request, kind, group)
    return group


def when_refused(kind: SubmissionType, is_batch: bool = False) -> Callable[[Refusal], Awaitable[None]]:
    """What is done when a request is refused that should have kept something: it is counted, and kept as rejected."""

    async def refused(refusal: Refusal) -> None:
        request, problem = refusal.request, refusal.problem
        if is_dry_run(request) or problem.code in NOT_SUBMITTED:
            return
        items = len(request.body) if isinstance(request.body, Array) else 1
        _count(request, kind, [Submission(Item(0, None), {}, problem)] * items)
        if problem.code != "batch_key_conflict":  # its content is not at fault
            name = f"{kind.table.kind}-batch" if is_batch else kind.table.kind
            await request.resources.rejections.keep(request, name, [(None, problem, request.content)])

    return refused


def is_dry_run(request: Request) -> bool:
    """Whether nothing is to be kept."""
    return "Prefer" in request.parameters and prefer.prefers(request.parameters["Prefer"], prefer.DRY_RUN)


def submitted(request: Request, kind: SubmissionType, item: Item, key: str | None) -> Submission:
    """`item`, under the request key `key`, as nothing is known of it yet."""
    return Submission(item, {} if item.problem else _row(request, kind, item.value, key), item.problem)


async def keep_several(
    request: Request, kind: SubmissionType, group: Sequence[Submission], claim: Claim | None = None
) -> None:
    """Keep what can be kept of `group`; what cannot has a problem then. Problem if `claim` raises it."""
    valid = [submission for submission in group if not submission.problem]
    if isinstance(request.body, Array) and len(request.content) > LINE_BYTES:  # else none can be so large
        _refuse_large(valid)
    try:
        await _check(request, kind, [one for one in valid if not one.problem])
        accepted = [one for one in valid if not one.problem]
        if claim and accepted:
            await claim()
        await _write(request, kind, [one for one in accepted if not one.is_duplicate])
    except Unavailable as error:
        for submission in valid:
            submission.problem = submission.problem or Problem("unavailable", reason=str(error))
    if not is_dry_run(request):
        _count(request, kind, group)


def _refuse_large(group: Sequence[Submission]) -> None:
    """Find what is larger than it may be alone or as a line, whatever blanks it was sent with."""
    for one in group:
        size = len(submissions.encoded(one.item.value))
        if size > LINE_BYTES:
            one.problem = Problem("content_too_large", size=size, limit=LINE_BYTES)


async def _check(request: Request, kind: SubmissionType, group: Sequence[Submission]) -> None:
    """Find what is wrong with each of `group`, unless it was stored before under the same keys: then it was right."""
    await kind.check(request, group)
    refused = [one for one in group if one.problem is not None and "digest" in one.row]
    if refused:
        rows = [submissions.row(one.row) for one in refused]
        found = await request.resources.database.run(submissions.known, kind.table, rows)
        for one, duplicate in zip(refused, found, strict=True):
            if duplicate:
                one.problem = None
                _mark(one, duplicate)


def _mark(submission: Submission, duplicate: Duplicate) -> None:
    submission.row["id"] = duplicate.id
    submission.is_duplicate, submission.is_replayed = True, duplicate.by_request


async def _write_one(request: Request, kind: SubmissionType, submission: Submission) -> None:
    """As `_write`; this is the way of most requests."""
    if is_dry_run(request):
        await _write(request, kind, [submission])
        return
    sent_at, found = await request.resources.writers[kind.table.kind].add(submissions.row(submission.row))
    lap("queue", at=sent_at)
    lap("commit")
    if found is not None:
        _settle(kind, submission, submissions.outcome(submission.row["id"], found))


async def _write(request: Request, kind: SubmissionType, group: Sequence[Submission]) -> None:
    """Keep `group`, of which some may have a problem then. Unavailable if nothing was kept."""
    outcomes = await written(request, kind, [submission.row for submission in group])
    for submission, outcome in zip(group, outcomes, strict=True):
        _settle(kind, submission, outcome)


def _settle(kind: SubmissionType, submission: Submission, outcome: Outcome) -> None:
    """Give `submission` what became of it."""
    match outcome:
        case Duplicate():
            _mark(submission, outcome)
        case Conflict():
            submission.problem = _conflict(kind, outcome)
        case Unstored(error=Unavailable() as error):
            submission.problem = Problem("unavailable", reason=str(error))
        case Unstored():
            logger.error("a row was refused by the database: %s", outcome.error)
            submission.problem = Problem("internal_error")


async def written(request: Request, kind: SubmissionType, rows: Sequence[dict[str, Any]]) -> list[Outcome]:
    """What became of each of `rows`; of a dry run, what would have."""
    if not rows:
        return []
    encoded = [submissions.row(row) for row in rows]
    if is_dry_run(request):
        found = await request.resources.database.run(submissions.tried, kind.table, encoded)
    else:
        _, found = await request.resources.writers[kind.table.kind].add_all(encoded)
    return [submissions.outcome(row["id"], one) for row, one in zip(rows, found, strict=True)]


def _row(request: Request, kind: SubmissionType, body: dict[str, Any], request_key: str | None) -> dict[str, Any]:
    """The row that keeps `body`. Fields that no column holds are kept together."""
    unknown = body.keys() - kind.fields
    content = {name: body[name] for name in body if name not in unknown} if unknown else body.copy()
    for name in kind.uuids:
        if name in content:
            content[name] = content[name].lower()
    if "occurred_at" in content:
        content["occurred_at"] = date_times.normalized(content["occurred_at"])
    if unknown:
        content["additional_fields"] = {name: body[name] for name in unknown}
    keys = _keys(kind, content, request_key) if request_key or kind.table.own_key in content else None
    content["id"] = submissions.new_id()
    content["hub_id"] = request.caller.id
    content["contract_version"] = request.contract_version
    return content | keys if keys else content


def _keys(kind: SubmissionType, content: dict[str, Any], request_key: str | None) -> dict[str, Any]:
    """What the row of `content` has for its keys."""
    digest = submissions.digest([kind.table.kind, content])
    keys = {"digest": digest}
    return keys | {"request_key": request_key, "request_digest": digest} if request_key else keys


def _conflict(kind: SubmissionType, conflict: Conflict) -> Problem:
    if conflict.key == "request_key":
        return Problem("idempotency_conflict", name="the Idempotency-Key", key="Idempotency-Key")
    own = kind.table.own_key
    return Problem("idempotency_conflict", pointer=f"/{own}", name=f"the {own}", key=own)


def result(submission: Submission, is_duplicate: bool, style: ErrorStyle) -> Result:
    """What is told of one of several."""
    if submission.problem:
        return results.rejected(submission.item.index, submission.problem, style)
    return results.stored(submission.item.index, "duplicate" if is_duplicate else "created", submission.row["id"])


def _count(request: Request, kind: SubmissionType, group: Sequence[Submission]) -> None:
    """Add `group` to the hub's usage."""
    counts: Counter[tuple[str, str]] = Counter()
    for submission in group:
        problem = submission.problem
        if problem is None:
            counts["duplicate" if submission.is_duplicate else "created", submission.row[kind.type_field]] += 1
        elif problem.status < FAULTS:
            counts["throttled" if problem.status == THROTTLED else "rejected", problem.code] += 1
    for (outcome, reason), count in counts.items():
        request.resources.usage.add(request.caller.id, kind.table.kind, outcome, reason, count)
