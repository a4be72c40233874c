"""The paths beside the API are those that the worker mounts."""

from typing import Any
from unittest import mock

from starlette.routing import Route, Router

from handlers.paths import BESIDE
from scripts.service.worker import application

SETTINGS = {"IR_DATABASE_URL": "postgresql://127.0.0.1:1/none", "IR_OPERATOR_KEY": "k" * 40}


def mounted() -> list[str]:
    """The path of each route of a worker that serves every page."""
    routes: list[Route] = []

    class Recorded(Router):
        def __init__(self, added: list[Route], **options: Any) -> None:
            routes.extend(added)
            super().__init__(added, **options)

    with mock.patch.dict("os.environ", SETTINGS), mock.patch("scripts.service.worker.Router", Recorded):
        application()
    return [route.path for route in routes]


def test_the_mounted_paths_are_those_beside_the_api() -> None:
    """The worker would answer 404 to a page that BESIDE lacks; a contract could never use a path without a page."""
    tops = {f"/{path.split('/')[1]}" for path in mounted()}
    assert tops == set(BESIDE)
