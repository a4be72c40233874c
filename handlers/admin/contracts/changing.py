"""The steps in the life of a contract. A page before each says what will happen to whom; its form asks for the number.

A form that was made before something changed changes nothing.
"""

from collections.abc import Awaitable, Callable, Sequence, Set
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection
from starlette.responses import Response

from db import contract_rehearsals, contracts, version_usage
from db.audit import Author
from db.contract_rehearsals import ContractRehearsal
from db.contracts import ContractRow
from db.errors import Refused
from handlers.admin import stale
from handlers.admin.contracts import consequences, stored_rows
from handlers.admin.contracts.consequences import Before
from handlers.admin.contracts.listing import DAYS
from handlers.admin.contracts.rehearsing import counts
from handlers.admin.contracts.standing import PATH, Standing, require_unchanged, standing
from handlers.admin.roles import GET, POST
from handlers.admin.visits import Handle, Visit
from handlers.contracts import lifecycle
from handlers.pages.page_problems import PageRefusal
from handlers.sessions.fields import Fields
from handlers.sessions.reading import sentence
from handlers.site.service_state import service_state
from openapi.contract import Contract, ContractError

SENDERS = 20
"""Limit on the hubs that the page names."""


@dataclass(frozen=True, slots=True)
class Step:
    """One kind of change: the words of its page, the `box` that must be ticked, empty if none, and what it does.

    `check` comes before the change, and may take seconds. `noun` stands in the title before the number.
    """

    verb: str
    done: str
    says: Callable[[Before, Sequence[Contract]], list[str]]
    box: Callable[[Before], str]
    do: Callable[[Connection, Before, Fields, Author], ContractRow]
    kind: str = "primary"
    noun: str = "contract "
    check: Callable[[Visit, str], Awaitable[None]] | None = None
    is_last: bool = False


@dataclass(frozen=True, slots=True)
class ChangePage:
    """The page. `says` are the consequences, sentence by sentence; `box` is what must be ticked, empty if nothing.

    `objections` are what a rehearsal found against an activation, `warning` what was found among stored rows.
    """

    action: str
    step: Step
    before: Before
    says: Sequence[str]
    box: str
    seen: str
    fields: Fields
    title: str
    objections: Sequence[str] = ()
    warning: str = ""
    days: int = DAYS
    labels: dict[str, str] = field(
        default_factory=lambda: {"typed": "Version", "sunset": "Sunset", "despite": "Confirmation", "why": "Why"}
    )
    tab: str = PATH


def pages() -> dict[tuple[str, str], Handle]:
    """A page and a form for each step."""
    handles: dict[tuple[str, str], Handle] = {}
    for action in STEPS:
        path = f"{PATH}/{{version}}/{action}"
        handles[GET, path], handles[POST, path] = _showing(action), _changing(action)
    return handles


def _showing(action: str) -> Handle:
    async def show(visit: Visit) -> Response:
        return await _page(visit, action, Fields())

    return show


def _changing(action: str) -> Handle:
    async def change(visit: Visit) -> Response:
        version, fields, step = visit.request.path_params["version"], Fields(visit.form), STEPS[action]
        before = await _before(visit)
        _require_possible(before.standing, action, visit.form.text(stale.SEEN))
        if visit.form.text("typed") != version:
            fields.refuse("typed", f"Type {version}, to say that you mean this contract.")
        if (box := step.box(before)) and visit.form.text("despite") != box:
            fields.refuse("despite", "Tick this, or leave the contract as it is.")
        fields.text("why")
        if action == "deprecate":
            _sunset(fields)
        if fields.faults:
            return await _page(visit, action, fields, 422)
        try:
            if step.check:
                await step.check(visit, version)
            await visit.change(action, _do, version, visit.form.text(stale.SEEN), step, before, fields, visit.author)
        except Refused as error:
            fields.refuse("sunset" if action == "deprecate" else "typed", sentence(error))
            return await _page(visit, action, fields, 422)
        return await visit.go_on(PATH if step.is_last else f"{PATH}/{version}", step.done.format(version=version))

    return change


def _do(  # noqa: PLR0913, PLR0917 (what a form consists of)
    connection: Connection, version: str, seen: str, step: Step, before: Before, fields: Fields, author: Author
) -> ContractRow:
    """Make a change; PageRefusal if something is no longer as its page showed it, or it cannot be served."""
    require_unchanged(connection, version, seen)
    try:
        return step.do(connection, before, fields, author)
    except ContractError as error:
        raise PageRefusal(
            409, "contract_not_servable", f"Contract {version} cannot be served", sentence(error)[:500], {PATH: "All"}
        ) from None


def _require_possible(at: Standing, action: str, seen: str | None = None) -> None:
    """PageRefusal 409 if the contract's status has no such step; a form gets there that was sent twice, too."""
    if action not in at.actions and (seen is None or seen == stale.state_of(at)):
        raise PageRefusal(
            409,
            "not_possible",
            "This step is not possible now",
            f"Contract {at.version} is {at.row.status}. Nothing was changed.",
            {f"{PATH}/{at.version}": f"Contract {at.version}"},
        )


async def _page(visit: Visit, action: str, fields: Fields, status: int = 200) -> Response:
    before, step = await _before(visit), STEPS[action]
    _require_possible(before.standing, action)
    says = step.says(before, service_state(visit.request).serving.contracts)
    # A page with faults keeps what the first one showed, so that it refuses what has changed since.
    seen = visit.form.text(stale.SEEN) or stale.state_of(before.standing)
    title = f"{step.verb} {step.noun}{before.standing.version}"
    objections = _objections(before.rehearsal) if before.rehearsal else []
    previous = before.standing.previous
    warning = await stored_rows.warning(visit, previous) if action == "rollback" and previous else ""
    return visit.page(
        "admin_contract_change.html",
        ChangePage(action, step, before, says, step.box(before), seen, fields, title, objections, warning),
        status,
    )


async def _before(visit: Visit) -> Before:
    served = {contract.major for contract in service_state(visit.request).serving.contracts}
    return await visit.read(_read, visit.request.path_params["version"], served)


def _read(connection: Connection, version: str, served: Set[int]) -> Before:
    at, day = standing(connection, version), (datetime.now(UTC) - timedelta(days=DAYS - 1)).date()
    requests, hubs = version_usage.totals(connection, day).get(at.row.major, (0, 0))
    senders = version_usage.senders(connection, at.row.major, day, SENDERS) if hubs else []
    tried = contract_rehearsals.of_version(connection, version)
    counting = (each for each in tried if counts(each, at))
    is_replacing = lifecycle.is_replacing(served, at.row)
    return Before(at, senders, requests, hubs, next(counting, None), is_replacing)


def _sunset(fields: Fields) -> datetime | None:
    """The instant in the field `sunset`."""
    try:
        return lifecycle.sunset(fields.value("sunset"))
    except ValueError:
        fields.refuse("sunset", "Enter a date like 2027-03-31, or a date and a time like 2027-03-31T12:00:00Z.")
        return None


def _activate(connection: Connection, before: Before, _fields: Fields, author: Author) -> ContractRow:
    return lifecycle.activate(connection, before.standing.version, author, before.standing.row)


def _deprecate(connection: Connection, before: Before, fields: Fields, author: Author) -> ContractRow:
    return contracts.deprecate(connection, before.standing.version, lifecycle.sunset(fields.value("sunset")), author)


def _take_back(connection: Connection, before: Before, _fields: Fields, author: Author) -> ContractRow:
    return contracts.withdraw_deprecation(connection, before.standing.version, author)


def _withdraw(connection: Connection, before: Before, _fields: Fields, author: Author) -> ContractRow:
    return contracts.withdraw(connection, before.standing.version, author)


def _discard(connection: Connection, before: Before, _fields: Fields, author: Author) -> ContractRow:
    return contracts.discard(connection, before.standing.version, author)


def _retire(connection: Connection, before: Before, fields: Fields, author: Author) -> ContractRow:
    is_early = bool(fields.value("despite"))
    return contracts.retire(connection, before.standing.version, is_early, author)


def _roll_back(connection: Connection, before: Before, _fields: Fields, author: Author) -> ContractRow:
    return lifecycle.rollback(connection, before.standing.row.major, author).row


def _box_of_activation(before: Before) -> str:
    """What must be ticked to activate a contract that is not known to refuse nothing new."""
    if not before.is_replacing:
        return ""
    if before.rehearsal is None:
        return "Activate it without a rehearsal. Hubs may be refused what was accepted until now."
    if objections := _objections(before.rehearsal):
        return f"Activate it although {' and '.join(objections)}."
    return ""


def _objections(rehearsal: ContractRehearsal) -> list[str]:
    """What a rehearsal found against an activation, as clauses of a sentence."""
    objections = []
    if fails := rehearsal.newly_fails:
        objections.append(f"{fails:,} of the tried submissions would newly fail")
    if rows := rehearsal.newly_unanswerable:
        objections.append(f"{rows:,} stored {'row' if rows == 1 else 'rows'} could newly not be answered with")
    return objections


def _box_of_retirement(before: Before) -> str:
    sunset = before.standing.row.sunset_at
    if sunset and sunset > datetime.now(UTC):
        return f"Retire it before its sunset, which hubs were told is {sunset:%-d %B %Y, %H:%M} UTC."
    return ""


def _no_box(_before: Before) -> str:
    return ""


STEPS = {
    "activate": Step(
        "Activate", "Contract {version} governs from now on.", consequences.of_activation, _box_of_activation, _activate
    ),
    "deprecate": Step(
        "Deprecate",
        "Responses announce the end of {version} from now on.",
        consequences.of_deprecation,
        _no_box,
        _deprecate,
    ),
    "withdraw-deprecation": Step(
        "Take back the deprecation of",
        "Contract {version} has no end any more.",
        consequences.of_taking_back,
        _no_box,
        _take_back,
    ),
    "retire": Step(
        "Retire",
        "Contract {version} is retired.",
        consequences.of_retirement,
        _box_of_retirement,
        _retire,
        kind="danger",
    ),
    "rollback": Step(
        "Roll back",
        "Contract {version} governs no more: the one before it does.",
        consequences.of_rollback,
        _no_box,
        _roll_back,
        kind="danger",
    ),
    "withdraw-version": Step(
        "Withdraw version",
        "Version {version} is withdrawn: it binds no later version.",
        consequences.of_withdrawal,
        _no_box,
        _withdraw,
        kind="danger",
        noun="",
        check=stored_rows.require_readable,
    ),
    "discard": Step(
        "Discard",
        "Contract {version} is deleted, and its number is free again.",
        consequences.of_discard,
        _no_box,
        _discard,
        kind="danger",
        is_last=True,
    ),
}
"""By the last segment of the path."""
