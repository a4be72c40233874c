"""A service whose live tail admits every request: the header X-Session, or the parameter, names its session.

As a program it serves until SIGTERM, configured by the environment, and prints its URL.
"""

from typing import Any
from unittest import mock

from starlette.requests import Request
from starlette.routing import Route
from starlette.types import ASGIApp

from db.engine import Database
from handlers.live import page
from handlers.live.stream import Viewer
from handlers.live.tail import Tail
from handlers.site.service_state import service_state
from scripts.service import worker
from scripts.service.routes import routes
from scripts.service.serve import Program, serve
from scripts.service.settings import Settings

PROGRAM = Program("tests.handlers.live.served:application")
SIGNED_OUT: set[str] = set()
"""The sessions that may not read any more."""
TAILS: set[Tail] = set()
"""The tails of the services in this process."""


def application() -> ASGIApp:
    """The service of one worker."""
    with mock.patch.object(worker, "routes", _routes):
        return worker.application()


def _routes(*arguments: Any) -> list[Route]:
    return [page.stream_route(_admit), *routes(*arguments)]


async def _admit(request: Request) -> Viewer:
    TAILS.add(service_state(request).tail)
    session = request.headers.get("x-session", "of the tests")

    async def still_allowed() -> bool:
        return session not in SIGNED_OUT

    return Viewer(session, still_allowed)


def _announce(_database: Database, url: str) -> None:
    print(url, flush=True)


if __name__ == "__main__":
    serve(Settings.read(), _announce, program=PROGRAM)
