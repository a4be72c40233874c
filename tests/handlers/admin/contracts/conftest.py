"""Fixtures: a service of the test's own, its owner, and documents that may become contracts."""

import json
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from db import contracts
from db.contracts import ContractRow
from tests.examples import NEWEST
from tests.page_admins import AdminBrowser, signed_in, text_of
from tests.service import CONTRACTS, Service

CONTRACTS_PAGE, PUBLISH = "/admin/contracts", "/admin/contracts/publish"


@pytest.fixture
def own(start_service: Callable[..., Any]) -> Iterator[Service]:
    """A service of the test's own."""
    with start_service() as service:
        yield service


@pytest.fixture
def owner(own: Service) -> Iterator[AdminBrowser]:
    """An owner who is signed in."""
    with signed_in(own, "olga") as browser:
        yield browser


def document(change: Callable[[dict[str, Any]], object] = lambda _: None, version: str = "1.2") -> str:
    """The newest contract as `version`, with `change` made to its schemas, as JSON."""
    copy = CONTRACTS[NEWEST].copy()
    copy["info"]["version"] = version
    copy["servers"] = [{"url": f"/api/v{version.split('.', maxsplit=1)[0]}"}]
    change(copy["components"]["schemas"])
    return json.dumps(copy)


def wider(schemas: dict[str, Any]) -> None:
    """Let an event have a mood."""
    schemas["InteractionEvent"]["properties"]["mood"] = {
        "type": "string",
        "maxLength": 20,
        "description": "How it was.",
    }


def shorter(schemas: dict[str, Any]) -> None:
    """Lower the maximum length of a text: proved to break clients."""
    schemas["InteractionEvent"]["properties"]["view_context_ref"]["maxLength"] = 3


def tighter(schemas: dict[str, Any]) -> None:
    """Lower it by one character: no example breaks that, and a client can."""
    schemas["InteractionEvent"]["properties"]["view_context_ref"]["maxLength"] -= 1


def publish(browser: AdminBrowser, text: str, do: str = "publish", **fields: Any) -> httpx.Response:
    """The response to the form of a document."""
    return browser.post(PUBLISH, {"document": text, "do": do, **fields})


def row(service: Service, version: str) -> ContractRow:
    """The row of a version."""
    with service.database.begin() as connection:
        return contracts.get(connection, version)


def status(service: Service, version: str) -> str:
    """The status of a version."""
    return row(service, version).status


def field(page: httpx.Response, name: str) -> str:
    """The value of a hidden field, or of a box, in a page."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page.text)
    assert found is not None, text_of(page)
    return found[1]


def step(browser: AdminBrowser, version: str, action: str, **fields: Any) -> httpx.Response:
    """The response to a form of a step, which was opened just before."""
    path = f"{CONTRACTS_PAGE}/{version}/{action}"
    page = browser.get(path)
    assert page.status_code == 200, text_of(page)
    return browser.post(path, {"seen": field(page, "seen"), "typed": version, **fields})


def rehearsed(browser: AdminBrowser, version: str) -> httpx.Response:
    """The page of a rehearsal that has ended."""
    begun = browser.post(f"{CONTRACTS_PAGE}/{version}/rehearse", {"last": "1000"})
    assert begun.status_code == 303, text_of(begun)
    until = time.monotonic() + 20
    while "It goes on if you close this page." in (page := browser.get(begun.headers["location"])).text.replace(
        "The rehearsal is begun. It goes on if you close this page.", ""
    ):
        assert time.monotonic() < until, "the rehearsal did not end"
        time.sleep(0.05)
    return page
