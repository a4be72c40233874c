"""The pages of the Type Registry in a real browser: full, filled in, with a proposal, with faults, and hostile."""

import json
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page

from db import event_types
from handlers.paths import REGISTRY, registry_path
from tests.handlers.admin.registry.conftest import seen
from tests.handlers.admin.registry.test_registry import SCHEMA, pend
from tests.handlers.conftest import Hub
from tests.handlers.conftest import new_hub as new_hub  # noqa: PLC0414 - a fixture
from tests.page_admins import AdminBrowser
from tests.page_browser import Look, chromium, look

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("looks")]

HOSTILE = "<b>\u202egpj.exe'\"" + "W" * 180


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    """One browser for all pages."""
    with chromium() as each:
        yield each


@pytest.fixture
def filled(editor: AdminBrowser, new_hub: Callable[..., Hub]) -> AdminBrowser:
    """An editor of a registry in which much waits, and to which hubs send what is not registered."""
    hubs = [new_hub(editor.service) for _ in range(2)]
    with editor.service.database.begin() as connection:
        if event_types.is_registered(connection, "acme.rated"):
            return editor
    for hub in hubs:
        for name in ("pipeline_started", "click\u202eed", "pipeline_started"):
            hub.event(event_type=name)
    pend(editor.service, hubs[0], "acme.survey_answered", metadata_schema=SCHEMA)
    pend(editor.service, hubs[0], HOSTILE, description=HOSTILE)
    hubs[0].event(event_type="acme.survey_answered")
    editor.post(REGISTRY, {"name": "acme.rated", "description": "A user has rated the widget."})
    for metadata in ({"score": 3}, {"score": "high"}, {}):
        hubs[1].event(event_type="acme.rated", metadata=metadata)
    path = registry_path("acme.rated")
    fields = {"description": "A user has rated.", "version": "2", "metadata_schema": json.dumps(SCHEMA)}
    editor.post(registry_path("acme.rated", "propose"), {**fields, "seen": seen(editor, path)})
    editor.get(path)  # shows the note
    return editor


@pytest.mark.parametrize(
    "path",
    [
        REGISTRY,
        f"{REGISTRY}?event_type=pipeline_started",
        f"{REGISTRY}?event_type=acme.survey_answered",
        f"{REGISTRY}?status=waiting",
        registry_path("acme.rated"),
        registry_path("acme.survey_answered"),
        registry_path(HOSTILE),
    ],
    ids=lambda path: path[:60],
)
def test_a_filled_page_is_without_fault(filled: AdminBrowser, chrome: Browser, path: str) -> None:
    """In both themes, on a desktop and on a phone."""
    assert look(chrome, filled.service.url + path, cookies=dict(filled.client.cookies)) == Look(200, [])


def _register_nothing(page: Page) -> None:
    page.fill("#description", "x" * 2001)
    page.evaluate("document.querySelector('#name').required = false")
    page.click("text=Register the event type")


def _propose_nonsense(page: Page) -> None:
    page.fill("#metadata_schema", '{"type": "object", "propertees": {}}')
    page.click("text=Propose this definition")


@pytest.mark.parametrize(
    ("path", "send"), [(REGISTRY, _register_nothing), (registry_path("clicked"), _propose_nonsense)]
)
def test_faults_are_without_fault(
    filled: AdminBrowser, chrome: Browser, path: str, send: Callable[[Page], None]
) -> None:
    """The page of a form that was sent with faults: the focus is on the list of them."""
    url, cookies = filled.service.url + path, dict(filled.client.cookies)
    assert look(chrome, url, "faulty-", cookies, send=send) == Look(422, [])
