"""What hubs have stored, before a version is withdrawn or rolled back: the rows that the others cannot answer with.

Both look at rows for seconds, on a thread that pauses after each page of them as long as that took, so that requests
go on.
"""

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from db.contracts import ContractRow
from db.errors import NotFound, Refused, Unavailable
from handlers.admin.visits import Visit
from handlers.contracts.rehearsing.records import Unanswerable, newest
from handlers.contracts.rehearsing.withdrawals import require_withdrawable
from handlers.contracts.serving_plan import read
from handlers.sessions.reading import sentence
from handlers.site.service_state import service_state
from openapi.contract import ContractError
from openapi.problems import Problem

T = TypeVar("T")

WITHDRAWING_SECONDS = 10.0
"""How long the form that withdraws a version looks through rows; the command may be given more time."""
COUNTED = 20_000
"""The newest events and annotations each that the page of a rollback looks through."""
COUNTING_SECONDS = 2.0
LONGEST_PAUSE = 0.05
"""Seconds."""


async def require_readable(visit: Visit, version: str) -> None:
    """Refused unless `version` may be withdrawn, and the served contracts can answer with what it has stored."""
    database = service_state(visit.request).database
    try:
        await _on_thread(partial(require_withdrawable, database, version, WITHDRAWING_SECONDS, _pauses()))
    except (ContractError, NotFound) as error:
        raise Refused(f"the rows that were stored under contract {version} cannot be judged: {error}") from None


async def warning(visit: Visit, row: ContractRow) -> str:
    """The newest stored rows that the contract of `row` could not answer with, in sentences; empty without one."""
    database = service_state(visit.request).database
    try:
        contract = read(row)
        found = await _on_thread(partial(newest, database, [contract], COUNTED, COUNTING_SECONDS, _pauses()))
    except ContractError as error:
        return f"The stored rows that contract {row.contract_version} cannot answer with were not counted: {error}"
    return _words(row.contract_version, found)


def _words(version: str, found: Unanswerable) -> str:
    if found.count:
        return (
            f"The records of contract {version} cannot say what is in {found.number} before: hubs that read them get "
            f"what its document forbids. {sentence(ValueError('; '.join(found.reasons)))}"
        )
    if not found.is_complete:
        return (
            f"{COUNTING_SECONDS:g} seconds were too few to find out whether contract {version} can answer with the "
            "newest stored rows."
        )
    return ""


async def _on_thread(function: Callable[[], T]) -> T:
    """What `function` returns; Problem if the database is away."""
    try:
        return await asyncio.to_thread(function)
    except Unavailable as error:
        raise Problem("unavailable", reason=str(error)) from None


def _pauses() -> Callable[[], None]:
    """A function that sleeps as long as it was not called, within limits."""
    paused_at = time.monotonic()

    def pause() -> None:
        nonlocal paused_at
        time.sleep(min(time.monotonic() - paused_at, LONGEST_PAUSE))
        paused_at = time.monotonic()

    return pause
