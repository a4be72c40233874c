"""The paths beside the API are those that the worker mounts."""

from handlers.paths import BESIDE
from scripts.service.routes import routes


def test_the_mounted_paths_are_those_beside_the_api() -> None:
    """The worker would answer 404 to a page that BESIDE lacks; a contract could never use a path without a page."""
    tops = {f"/{route.path.split('/')[1]}" for route in routes("http://127.0.0.1", operator_key="k" * 40)}
    assert tops == set(BESIDE)
