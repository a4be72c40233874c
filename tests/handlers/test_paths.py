"""The paths outside the API are those that the worker mounts."""

from handlers.contracts.publications import Publications
from handlers.paths import BESIDE, FOR_PEOPLE, HOME, RESERVED
from scripts.service.routes import pages, routes


def test_the_mounted_paths_are_those_outside_the_api() -> None:
    """The worker returns 404 for a page that BESIDE lacks; no contract could use a path in BESIDE without a page."""
    mounted = routes(Publications(), "http://127.0.0.1", operator_key="k" * 40, tools="everybody")
    tops = {f"/{route.path.split('/')[1]}" for route in mounted}
    assert tops == set(BESIDE)


def test_the_pages_for_people_are_at_these_paths_or_at_those_of_programs() -> None:
    """A page elsewhere would be where a contract may be."""
    tops = {f"/{route.path.split('/')[1]}" for route in pages(Publications(), "http://127.0.0.1")}
    assert {HOME, *FOR_PEOPLE} <= tops <= {HOME, *RESERVED}
