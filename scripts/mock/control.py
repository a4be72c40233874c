"""The paths below `/_test`, by which a test sees what it has done, and orders faults."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp

from db.errors import Unavailable
from handlers.site.service_state import service_state
from openapi.serving.access_log import AccessLog
from openapi.serving.dispatch import ErrorMiddleware
from openapi.serving.messages import encoded
from openapi.standards.media_types import JSON
from scripts.mock import fault_kinds, records
from scripts.mock.faults import Faults

TEST = "/_test"
ACCEPTED, REJECTED, RESET, FAULTS = (f"{TEST}/{name}" for name in ("accepted", "rejected", "reset", "faults"))


class Control:
    """The endpoints, over the `faults` of the mock."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    async def accepted(self, request: Request) -> Response:
        """200 with what is stored."""
        return _json(await records.accepted(service_state(request)))

    async def rejected(self, request: Request) -> Response:
        """200 with what was rejected."""
        return _json(await records.rejected(service_state(request)))

    async def reset(self, request: Request) -> Response:
        """204: what was reported is forgotten, and no fault is left."""
        self._faults.clear()
        await records.forget(service_state(request))
        return Response(status_code=204)

    async def list_faults(self, _request: Request) -> Response:
        """200 with the faults that are left."""
        return _json(self._faults.left)

    async def order_faults(self, request: Request) -> Response:
        """200 with the faults that are left, the new ones at the end; Problem, and no new one, if one is wrong."""
        self._faults.add(fault_kinds.read(await request.body()))
        return _json(self._faults.left)

    async def clear_faults(self, _request: Request) -> Response:
        """204: no fault is left."""
        self._faults.clear()
        return Response(status_code=204)


def application(faults: Faults) -> ASGIApp:
    """The application of all paths below `/_test`; its errors are in the style of version 1."""
    control = Control(faults)
    changes = {"POST": control.order_faults, "DELETE": control.clear_faults}

    async def of_faults(request: Request) -> Response:
        return await changes.get(request.method, control.list_faults)(request)

    routes = [
        Route(ACCEPTED, control.accepted, methods=["GET"]),
        Route(REJECTED, control.rejected, methods=["GET"]),
        Route(RESET, control.reset, methods=["POST"]),
        Route(FAULTS, of_faults, methods=["GET", *changes]),
    ]
    paths = [route.path for route in routes]
    router = Router(routes, redirect_slashes=False)
    return AccessLog(ErrorMiddleware(router, {Unavailable: "unavailable"}, paths=paths))


def _json(value: Any) -> Response:
    return Response(encoded(value), media_type=JSON)
