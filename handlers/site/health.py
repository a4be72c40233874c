"""How we are, for who watches over the service: not part of the contract."""

from starlette.requests import Request
from starlette.responses import JSONResponse

from db.engine import Database
from db.errors import DatabaseError
from handlers.contracts import lifecycle
from handlers.contracts.serving import Serving


async def live(_request: Request) -> JSONResponse:
    """200 as long as the process answers."""
    return JSONResponse({"status": "live"})


async def ready(request: Request) -> JSONResponse:
    """200 when the database answers, else 503; `warnings` are what an operator should look at."""
    database: Database = request.state.database
    serving: Serving = request.state.serving
    served = [contract.version for contract in serving.contracts]
    try:
        differences = await database.run(lifecycle.differences)
    except DatabaseError as error:
        return JSONResponse(
            {"status": "not ready", "contracts": served, "database": str(error)}, 503, {"retry-after": "1"}
        )
    warnings = [*serving.warnings, *differences]
    return JSONResponse({"status": "ready", "contracts": served, "database": "answers", "warnings": warnings})
