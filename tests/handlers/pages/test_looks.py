"""Every page in a real browser: accessible, within its window, and with nothing from elsewhere.

With SCREENSHOTS=DIRECTORY each page that is looked at leaves a picture there.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from playwright.sync_api import Browser

from db import contracts
from handlers.contracts.publications import Publications
from scripts.service.routes import pages
from tests.examples import MAJOR, NEWEST
from tests.handlers.site.conftest import database_away
from tests.handlers.site.conftest import lonely_service as lonely_service  # noqa: PLC0414 - a fixture
from tests.page_browser import Look, chromium, look
from tests.page_clients import BROWSER, SECONDS
from tests.service import Service
from tests.waiting import wait_until

Start = Callable[..., AbstractContextManager[Service]]

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("looks")]

PATHS = {
    "/": ["/"],
    "/contracts": ["/contracts"],
    "/contracts/changelog.atom": [],
    "/contracts/{old}/diff/{new}": ["/contracts/1.0/diff/1.1", "/contracts/1.1/diff/2.0", "/contracts/1.1/diff/1.1"],
    "/contracts/{version}": ["/contracts/1.1", "/contracts/2.0", "/contracts/9.9"],
    "/contracts/{version}/card": ["/contracts/2.0/card"],
    "/contracts/{version}/changelog": ["/contracts/2.0/changelog", "/contracts/1.0/changelog"],
    "/contracts/{version}/try": ["/contracts/1.1/try", "/contracts/2.0/try", "/contracts/1.0/try"],
    "/event-types": ["/event-types", "/event-types?q=nothing.like.it", "/event-types?q=a&q=b"],
    "/event-types/{name:path}": ["/event-types/clicked", "/event-types/click"],
    "/problems": ["/problems", "/problems?q=429"],
    "/problems/{code:path}": ["/problems/event_type_not_registered", "/problems/nothing"],
    "/clients": ["/clients"],
    "/contracts/{version}/clients": ["/contracts/2.0/clients"],
    "/status": ["/status"],
    "/hub": ["/hub"],
    "/hub/rejected/{id}": [],  # tests/handlers/hub looks at it, as a hub that is signed in
}
"""By the path of each route: pages to look at."""


SWAGGER_UI = dict.fromkeys(("/contracts/1.1/try", "/contracts/2.0/try"), "#swagger-ui")
"""By page, what axe passes over: its makers' faults of accessibility. All else is asked of these pages, too."""
FAULTY = {"/contracts/9.9": 404, "/event-types?q=a&q=b": 400, "/event-types/click": 404, "/problems/nothing": 404}
"""The status of pages that say what is wrong."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all pages."""
    with chromium() as each:
        yield each


def test_every_page_is_looked_at() -> None:
    """A new one has to be added here."""
    routes = pages(Publications(), "")
    assert {route.path for route in routes if "GET" in (route.methods or ())} == set(PATHS)


@pytest.mark.parametrize("path", [path for paths in PATHS.values() for path in paths])
def test_a_page_is_without_fault(newest: Service, browser: Browser, path: str) -> None:
    """In both themes, on a desktop and on a phone: axe (WCAG 2.2 AA) finds nothing, and nothing scrolls sideways.

    Nothing is logged, and nothing is asked of another origin.
    """
    seen = look(browser, newest.url + path, besides=SWAGGER_UI.get(path, ""))
    assert seen.faults == []
    assert seen.status == FAULTY.get(path, 200)


def test_pages_without_a_contract_are_without_fault(start_service: Start, browser: Browser) -> None:
    """Each says why it is empty, and what to do."""
    with start_service() as service:
        with service.database.begin() as connection:
            for version in (NEWEST, MAJOR):
                contracts.deprecate(connection, version, datetime.now(UTC) + timedelta(days=200))
                contracts.retire(connection, version, before_sunset=True)
        for path in ("/", "/contracts", "/clients", "/status"):
            assert look(browser, service.url + path, "empty-") == Look(200, [])


def test_pages_without_a_database_are_without_fault(lonely_service: Service, browser: Browser) -> None:
    """Those that are in memory go on, and the others say when to come again."""
    known = ("/", "/contracts", "/contracts/1.1/diff/2.0", "/clients", "/problems/unauthorized")
    for path in known:
        httpx.get(lonely_service.url + path, headers={"accept": BROWSER}, timeout=SECONDS)
    with database_away(lonely_service):
        wait_until(lambda: "cannot be reached" in httpx.get(lonely_service.url, headers={"accept": BROWSER}).text)
        for path in (*known, "/status"):
            assert look(browser, lonely_service.url + path, "away-") == Look(200, [])
        assert look(browser, f"{lonely_service.url}/event-types", "away-") == Look(503, [])
