"""The paths outside the API are those that the worker mounts."""

from handlers.paths import BESIDE
from scripts.service.routes import routes


def test_the_mounted_paths_are_those_outside_the_api() -> None:
    """The worker returns 404 for a page that BESIDE lacks; no contract could use a path in BESIDE without a page."""
    tops = {f"/{route.path.split('/')[1]}" for route in routes("http://127.0.0.1", "", operator_key="k" * 40)}
    assert tops == set(BESIDE)
