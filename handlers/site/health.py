"""Liveness and readiness, for operators: not part of the contract."""

import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import JSONResponse

from db import partitions, session_settings
from db.engine import Database
from db.errors import DatabaseError
from db.ids import new_id
from handlers.contracts import lifecycle
from handlers.site.service_state import DRAINING, ServiceState, service_state

LEAST_FREE_BYTES = 64 * 1024 * 1024
"""Below this the operator is warned: long requests write their results to temporary files."""

_READ_ONLY = (
    "the database is read-only, so that nothing can be stored: free its disk, then set default_transaction_read_only "
    "to off"
)


async def live(_request: Request) -> JSONResponse:
    """200 as long as the process answers."""
    return JSONResponse({"status": "live"})


async def ready(request: Request) -> JSONResponse:
    """200 when this worker can do what requests need, else 503 with `reasons`; `warnings` are for the operator."""
    state = service_state(request)
    reasons = [*_reasons(state)]
    if DRAINING in request.scope["state"]:
        reasons.append("the service is about to stop")
    answer = {"contracts": [contract.version for contract in state.serving.contracts], "database": "answers"}
    warnings = [*state.serving.warnings, *_disk_warnings()]
    try:
        differences, is_read_only, has_partitions = await state.database.run(_look)
        warnings += differences
        if is_read_only:
            reasons.append(_READ_ONLY)
        elif not has_partitions:
            reasons += await _create_partitions(state.database)
    except DatabaseError as error:
        answer["database"] = str(error)
        reasons.insert(0, f"the database does not answer: {error}")
    if reasons:
        body = {"status": "not ready", **answer, "reasons": reasons, "warnings": warnings}
        return JSONResponse(body, 503, {"retry-after": "1"})
    return JSONResponse({"status": "ready", **answer, "warnings": warnings})


def _reasons(state: ServiceState) -> Iterator[str]:
    """Why requests would fail, as far as memory knows."""
    for kind, writer in state.resources.writers.items():
        if fault := writer.fault:
            yield f"the writer of {kind}s cannot store rows: {fault}"
    if not state.resources.registry.is_fresh:
        age = state.resources.registry.age
        yield f"the registry of hubs, widgets and event types was last confirmed {age:.1f} seconds ago"
    if fault := state.replicas.fault:
        yield f"the database takes no writes: {fault}"


def _look(connection: Connection) -> tuple[list[str], bool, bool]:
    """The differences between rows and documents, whether the database only reads, and has partitions for new rows."""
    now = datetime.now(UTC)
    covered = partitions.covered_until(connection, now)
    has_partitions = all(until > now for until in covered.values())
    return lifecycle.differences(connection), session_settings.is_read_only(connection), has_partitions


async def _create_partitions(database: Database) -> list[str]:
    """Create the partitions for new rows, as a writer would; returns why that failed, if it did."""
    try:
        await database.run(partitions.ensure_for, [str(new_id())])
    except DatabaseError as error:
        return [f"new rows have no partition, and none can be created: {error}"]
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
