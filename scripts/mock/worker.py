"""The application of the mock: the service's own, behind its faults and beside its test paths."""

from starlette.types import ASGIApp, Receive, Scope, Send

from scripts.mock import control
from scripts.mock.control import TEST
from scripts.mock.faults import Faults
from scripts.mock.injection import Injection
from scripts.service import worker


def application() -> ASGIApp:
    """The mock, configured by the environment as the service is. uvicorn calls this, once: faults are in memory."""
    faults = Faults()
    service, tests = Injection(worker.application(), faults), control.application(faults)

    async def mock(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")  # a lifespan has none
        is_test = path == TEST or path.startswith(f"{TEST}/")
        await (tests if is_test else service)(scope, receive, send)

    return mock
