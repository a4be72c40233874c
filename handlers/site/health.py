"""Liveness and readiness, for operators: not part of the contract."""

from starlette.requests import Request
from starlette.responses import JSONResponse

from db.errors import DatabaseError
from handlers.contracts import lifecycle
from handlers.site.service_state import service_state


async def live(_request: Request) -> JSONResponse:
    """200 as long as the process answers."""
    return JSONResponse({"status": "live"})


async def ready(request: Request) -> JSONResponse:
    """200 when the database answers, else 503; `warnings` are for the operator."""
    state = service_state(request)
    served = [contract.version for contract in state.serving.contracts]
    try:
        differences = await state.database.run(lifecycle.differences)
    except DatabaseError as error:
        return JSONResponse(
            {"status": "not ready", "contracts": served, "database": str(error)}, 503, {"retry-after": "1"}
        )
    warnings = [*state.warnings, *state.serving.warnings, *differences]
    return JSONResponse({"status": "ready", "contracts": served, "database": "answers", "warnings": warnings})
