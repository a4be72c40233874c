"""Liveness and readiness, for operators: not part of the contract."""

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import JSONResponse

from db import partitions, session_settings
from db.engine import Database
from db.errors import DatabaseError
from db.ids import new_id
from handlers.contracts import lifecycle
from handlers.site.draining import DRAINING
from handlers.site.service_state import ServiceState, service_state

LEAST_FREE_BYTES = 64 * 1024 * 1024
"""Below this the operator is warned: long requests write their results to temporary files."""

_READ_ONLY = (
    "the database is read-only, so that nothing can be stored: free its disk, then set default_transaction_read_only "
    "to off"
)


About = Literal["database", "registry", "read_only", "partitions", "replicas", "writer", "draining"]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a worker is not ready. `text` is for the operator: it may name the address of the database."""

    about: About
    text: str


@dataclass(frozen=True, slots=True)
class Readiness:
    """The reasons why a worker is not ready, none if it is; the answer of the database, or its fault; and warnings."""

    reasons: list[Reason]
    database: str
    warnings: list[str]


async def live(_request: Request) -> JSONResponse:
    """200 as long as the process answers."""
    return JSONResponse({"status": "live"})


async def ready(request: Request) -> JSONResponse:
    """200 when this worker can do what requests need, else 503 with `reasons`; `warnings` are for the operator."""
    state = service_state(request)
    found = await readiness(request)
    answer = {"contracts": [contract.version for contract in state.serving.contracts], "database": found.database}
    if found.reasons:
        reasons = [reason.text for reason in found.reasons]
        body = {"status": "not ready", **answer, "reasons": reasons, "warnings": found.warnings}
        return JSONResponse(body, 503, {"retry-after": "1"})
    return JSONResponse({"status": "ready", **answer, "warnings": found.warnings})


async def readiness(request: Request) -> Readiness:
    """Whether the worker that serves `request` can do what requests need."""
    state = service_state(request)
    reasons = [*_reasons(state)]
    if DRAINING in request.scope["state"]:
        reasons.append(Reason("draining", "the service is about to stop"))
    answer, warnings = "answers", [*state.serving.warnings, *_disk_warnings()]
    try:
        differences, is_read_only, has_partitions = await state.database.run(_look)
        warnings += differences
        if is_read_only:
            reasons.append(Reason("read_only", _READ_ONLY))
        elif not has_partitions:
            reasons += await _create_partitions(state.database)
    except DatabaseError as error:
        answer = str(error)
        reasons.insert(0, Reason("database", f"the database does not answer: {error}"))
    return Readiness(reasons, answer, warnings)


def _reasons(state: ServiceState) -> Iterator[Reason]:
    """Why requests would fail, as far as memory knows."""
    for kind, writer in state.resources.writers.items():
        if fault := writer.fault:
            yield Reason("writer", f"the writer of {kind}s cannot store rows: {fault}")
    if not state.resources.registry.is_fresh:
        age = state.resources.registry.age
        text = f"the registry of hubs, widgets and event types was last confirmed {age:.1f} seconds ago"
        yield Reason("registry", text)
    if fault := state.replicas.fault:
        yield Reason("replicas", f"the database takes no writes: {fault}")


def _look(connection: Connection) -> tuple[list[str], bool, bool]:
    """The differences between rows and documents, whether the database only reads, and has partitions for new rows."""
    now = datetime.now(UTC)
    covered = partitions.covered_until(connection, now)
    has_partitions = all(until > now for until in covered.values())
    return lifecycle.differences(connection), session_settings.is_read_only(connection), has_partitions


async def _create_partitions(database: Database) -> list[Reason]:
    """Create the partitions for new rows, as a writer would; returns why that failed, if it did."""
    try:
        await database.run(partitions.ensure_for, [str(new_id())])
    except DatabaseError as error:
        return [Reason("partitions", f"new rows have no partition, and none can be created: {error}")]
    return []


def _disk_warnings() -> Iterator[str]:
    """What the operator should know of the disk of temporary files."""
    directory = tempfile.gettempdir()
    try:
        free = shutil.disk_usage(directory).free
    except OSError as error:
        yield f"{directory}, where long requests keep their results, cannot be used: {error.strerror}"
        return
    if free < LEAST_FREE_BYTES:
        yield f"{directory}, where long requests keep their results, has {free // 2**20} MiB left"
