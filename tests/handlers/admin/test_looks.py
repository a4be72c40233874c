"""Every page of the admin in a real browser, as the pages for everybody are looked at."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
from playwright.sync_api import Browser, Page
from sqlalchemy import Connection, delete, func, insert, update

from db import (
    contracts,
    hub_capability_manifests,
    hub_origins,
    hub_totals,
    hubs,
    ids,
    oauth_clients,
    replays,
    submission_usage,
    tables,
    version_usage,
)
from db.advisory_locks import AdvisoryLock, try_session_lock
from db.audit import Author
from db.rejections import RejectionFilter
from db.tables import contract_rehearsals
from db.tables import interaction_reporting_contracts as table
from handlers.admin.roles import GET
from openapi.contract import Contract
from scripts.service.routes import admin_pages
from tests.examples import WIDGET
from tests.handlers.admin.rejections.rejecting import REJECTED, REPLAYS, begin, ended, reject, reject_events
from tests.handlers.conftest import Hub
from tests.page_admins import AdminBrowser, browsing, signed_in
from tests.page_browser import Look, chromium, look
from tests.service import CONTRACTS, Service
from tests.sign_in_issuer import issuing, lead

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("looks")]

Start = Callable[..., AbstractContextManager[Service]]
CLIENT = "018f2b1a-0000-7000-8000-000000000001"
UNKNOWN = "018f2b1a-0000-7000-8000-00000000abcd"
PATHS = {
    "/admin": ["/admin", "/admin?period=two-days", "/admin?period=year"],
    "/admin/admins": ["/admin/admins"],
    "/admin/events": ["/admin/events", "/admin/events?hub=looked%20at", "/admin/events?hub=nobody"],
    "/admin/events/{id}": ["/admin/events/x"],
    "/admin/migration": ["/admin/migration", "/admin/migration?of=all", "/admin/migration?days=x"],
    "/admin/event-types": ["/admin/event-types", "/admin/event-types?q=nothing.like.it", "/admin/event-types?hub=%00"],
    "/admin/event-types/{name:path}": ["/admin/event-types/clicked", "/admin/event-types/clickedd"],
    "/admin/widgets": [
        "/admin/widgets",
        "/admin/widgets?q=nothing.like.it",
        f"/admin/widgets?widget_id={UNKNOWN}&rejection={UNKNOWN}",
        f"/admin/widgets?widget_id={WIDGET}",
        "/admin/widgets?status=lost",
    ],
    "/admin/widgets/{id}": [f"/admin/widgets/{WIDGET}", f"/admin/widgets/{UNKNOWN}", "/admin/widgets/x"],
    "/admin/widgets/{id}/retire": [f"/admin/widgets/{WIDGET}/retire"],
    "/admin/live": ["/admin/live", "/admin/live?outcome=lost"],
    "/admin/rejected": [
        "/admin/rejected",
        "/admin/rejected?code=none",
        "/admin/rejected?hub=nobody",
        "/admin/rejected?before=x",
    ],
    "/admin/rejected/{id}": ["/admin/rejected/x"],
    "/admin/replays/{id}": ["/admin/replays/x"],
    "/admin/contracts": ["/admin/contracts"],
    "/admin/contracts/compare": ["/admin/contracts/compare?old=1.1&new=7.1", "/admin/contracts/compare?old=1.1&new=x"],
    "/admin/contracts/publish": ["/admin/contracts/publish", "/admin/contracts/publish?from=1.1"],
    "/admin/contracts/{version}": [f"/admin/contracts/{each}" for each in ("1.1", "1.0", "7.1", "7.2", "7.3")],
    "/admin/contracts/{version}/rehearsals/{id}": [f"/admin/contracts/1.1/rehearsals/{UUID(int=n)}" for n in range(4)],
    "/admin/contracts/{version}/activate": ["/admin/contracts/1.0/activate", "/admin/contracts/7.1/activate"],
    "/admin/contracts/{version}/deprecate": ["/admin/contracts/1.1/deprecate"],
    "/admin/contracts/{version}/withdraw-deprecation": ["/admin/contracts/2.0/withdraw-deprecation"],
    "/admin/contracts/{version}/withdraw-version": [f"/admin/contracts/{each}/withdraw-version" for each in (7.1, 7.2)],
    "/admin/contracts/{version}/discard": ["/admin/contracts/7.1/discard"],
    "/admin/contracts/{version}/retire": ["/admin/contracts/2.0/retire"],
    "/admin/contracts/{version}/rollback": ["/admin/contracts/1.1/rollback"],
    "/admin/audit": ["/admin/audit", "/admin/audit?actor=nobody", "/admin/audit?before=x"],
    "/admin/hubs": ["/admin/hubs", "/admin/hubs?q=nothing+has+this", "/admin/hubs?state=gone"],
    "/admin/hubs/{name:path}": ["/admin/hubs/looked%20at", "/admin/hubs/empty%20hub", "/admin/hubs/lookd%20at"],
    "/admin/hub/manifests/{name:path}": ["/admin/hub/manifests/looked%20at", "/admin/hub/manifests/empty%20hub"],
    "/admin/hub/rotate-key/{name:path}": ["/admin/hub/rotate-key/looked%20at"],
    "/admin/hub/disable/{name:path}": ["/admin/hub/disable/looked%20at"],
    "/admin/hub/cut-over/{name:path}": ["/admin/hub/cut-over/looked%20at"],
    "/admin/hub/limit/{name:path}": ["/admin/hub/limit/looked%20at"],
    "/admin/hub/add-origin/{name:path}": ["/admin/hub/add-origin/looked%20at"],
    "/admin/hub/issue-client/{name:path}": ["/admin/hub/issue-client/looked%20at"],
    "/admin/hub/rotate-client/{name:path}": [f"/admin/hub/rotate-client/{CLIENT}"],
    "/admin/hub/disable-client/{name:path}": [f"/admin/hub/disable-client/{CLIENT}"],
}
"""By the path of each page: what is looked at."""
FAULTY = {
    "/admin/event-types?hub=%00": 400,
    "/admin/event-types/clickedd": 404,
    "/admin/widgets?status=lost": 400,
    f"/admin/widgets/{UNKNOWN}": 404,
    "/admin/widgets/x": 404,
    "/admin/migration?days=x": 400,
    "/admin/events?hub=nobody": 404,
    "/admin/events/x": 400,
    "/admin?period=year": 400,
    "/admin/audit?before=x": 400,
    "/admin/live?outcome=lost": 400,
    "/admin/hubs?state=gone": 400,
    "/admin/hubs/lookd%20at": 404,
    "/admin/rejected?before=x": 400,
    "/admin/rejected?hub=nobody": 404,
    "/admin/rejected/x": 404,
    "/admin/replays/x": 404,
    "/admin/contracts/compare?old=1.1&new=x": 404,
    "/admin/hub/cut-over/looked%20at": 409,  # version 2.0 ends, so that no hub can go on to it
}
_HOSTILE = "</table><script>\u202e" + "n" * 180
RESULT: dict[str, Any] = {
    "counts": {"newly_fails": 5, "newly_passes": 0, "refused_by_both": 1, "unchanged": 3},
    "groups": [
        {
            "hub": _HOSTILE,
            "kind": "event",
            "name": _HOSTILE,
            "counts": {"newly_fails": 5, "newly_passes": 0, "refused_by_both": 1, "unchanged": 3},
            "examples": [
                {"outcome": "newly_fails", "id": str(UUID(int=9)), "error": _HOSTILE, "pointer": "/" + _HOSTILE}
            ],
        }
    ],
    "left_out": 3,
    "unanswerable": [{"kind": "event", "id": str(UUID(int=8)), "error": _HOSTILE, "pointer": "/" + _HOSTILE}],
}


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    """One browser for all pages."""
    with chromium() as each:
        yield each


def fill(connection: Connection) -> None:
    """Store a hub that has everything, one that has nothing, and some that have long or odd names."""
    now = datetime.now(UTC)
    hub, _ = hubs.create(connection, "looked at")
    for name in ("empty hub", "n" * 200, "<b> right\N{RIGHT-TO-LEFT OVERRIDE}left / 😀"):
        hubs.create(connection, name)
    hub_totals.see(connection, [hub.id], now)
    hubs.rotate_key(connection, "looked at", timedelta(hours=24))
    hub_origins.add(connection, "looked at", "https://a-page-of-a-rather-long-host-name.of-some.example:8443")
    version_usage.add(connection, Counter({(hub.id.int, "1.1"): 1}), now)
    for outcome, count in {"created": 123456, "duplicate": 12, "rejected": 345}.items():
        submission_usage.add(connection, Counter({(hub.id.int, "1.1", "event", outcome, "clicked"): count}), now)
    _fill_clients(connection)
    names = ("kept", "x" * 200, "<b>odd</b>")
    for number in range(1, 4):
        entries = [{"name": name, "description": f"{number} " + "words " * 30} for name in names[:number]]
        manifest = {"event_types": entries, "widgets": []}
        hub_capability_manifests.keep(connection, hub.id, number, manifest, "1.1")
    for code in ("event_type_not_registered", "invalid_body"):
        row = {"kind": "event", "code": code, "error": "long words " * 30, "raw": b"{}", "contract_version": "1.1"}
        connection.execute(insert(tables.rejected_submissions).values(**row, id=ids.new_id(), hub_id=hub.id))


def _fill_clients(connection: Connection) -> None:
    """Store a client with a known id, and one that is disabled."""
    client, _ = oauth_clients.issue(connection, "looked at", ["events:read", "events:write", "annotations:write"])
    table = tables.oauth_clients
    connection.execute(update(table).where(table.c.client_id == client.client_id).values(client_id=CLIENT))
    oauth_clients.rotate(connection, CLIENT, timedelta(hours=24))
    disabled, _ = oauth_clients.issue(connection, "looked at", ["events:read"])
    oauth_clients.disable(connection, disabled.client_id)


@pytest.fixture(scope="module")
def owner(newest: Service) -> Iterator[AdminBrowser]:
    """An owner who is signed in."""
    with newest.database.begin() as connection:
        fill(connection)
    with signed_in(newest, "an owner who looks") as browser:
        yield browser


@pytest.fixture(scope="module")
def contracts_of_all_states(owner: AdminBrowser) -> Iterator[None]:
    """Version 1.1 with rehearsals of every state, a draft 7.1 that changes much, and 2.0 deprecated.

    7.2 was rolled back, as 7.3 was, which is withdrawn.
    """
    service = owner.service
    document = CONTRACTS["2.0"].copy()
    document["info"]["version"] = "7.1"
    document["servers"] = [{"url": "/api/v7"}]
    del document["components"]["schemas"]["InteractionEvent"]["properties"]["view_context_ref"]
    draft = Contract.read(json.dumps(document))
    rows: list[dict[str, Any]] = [
        {},
        {"total": 300_000, "done": 123_456},
        {"total": 9, "fault": "each attempt ended with its worker", "ended_at": func.now()},
        {
            "total": 9,
            "done": 9,
            "governing": "1.0",
            "newly_fails": 5,
            "newly_passes": 0,
            "unanswerable": 7,
            "newly_unanswerable": 6,
            "ended_at": func.now(),
            "result": RESULT,
        },
    ]
    common = {"contract_version": "1.1", "document": "d", "last": 100_000, "begun_by": "admin:\u202e<b>"}
    with service.database.begin() as connection:
        contracts.publish(connection, "7.1", draft.text, draft.digest, Author("admin:\u202e<b>", "x" * 300))
        for version in ("7.2", "7.3"):
            contracts.publish(connection, version, draft.text.replace('"7.1"', f'"{version}"'), draft.digest)
            contracts.activate(connection, version)
        connection.execute(update(table).where(table.c.contract_version == "7.3").values(status="superseded"))
        contracts.withdraw(connection, "7.3", Author("admin:\u202e<b>", "x" * 300))
        contracts.deprecate(connection, "2.0", datetime(2125, 1, 1, tzinfo=UTC))
        for number, row in enumerate(rows):
            values = {"id": UUID(int=number), **common, "attempts": 2, **row}
            connection.execute(insert(contract_rehearsals).values(values))
    with service.database.session() as session:
        assert try_session_lock(session, AdvisoryLock.REHEARSALS)  # so that no worker ends them
        session.commit()
        yield
    with service.database.begin() as connection:
        contracts.withdraw_deprecation(connection, "2.0")
        connection.execute(delete(contract_rehearsals))
        connection.execute(delete(table).where(table.c.contract_version.in_(("7.1", "7.2", "7.3"))))


def test_every_page_is_looked_at() -> None:
    """A new one has to be added here."""
    assert {path for method, path in admin_pages() if method == GET} == set(PATHS)


@pytest.mark.parametrize("path", [path for paths in PATHS.values() for path in paths])
@pytest.mark.usefixtures("contracts_of_all_states")
def test_a_page_is_without_fault(owner: AdminBrowser, chrome: Browser, path: str) -> None:
    """In both themes, on a desktop and on a phone."""
    seen = look(chrome, owner.service.url + path, cookies=dict(owner.client.cookies))
    assert seen == Look(FAULTY.get(path, 200), [])


@pytest.mark.usefixtures("contracts_of_all_states")
@pytest.mark.parametrize("state", ["broken", "undecided", "proved", "no-yaml"])
def test_a_document_that_is_examined(owner: AdminBrowser, chrome: Browser, state: str) -> None:
    """Each outcome of the form, with what was found."""
    copy = CONTRACTS["1.1"].copy()
    copy["info"]["version"] = "1.9"
    field = copy["components"]["schemas"]["InteractionEvent"]["properties"]["view_context_ref"]
    if state == "broken":
        del field["maxLength"]
    field |= {"undecided": {"pattern": "^(a|b|.|\\n)*$"}, "proved": {"maxLength": 100}}.get(state, {})
    text = "a: [" if state == "no-yaml" else json.dumps(copy)

    def check(page: Page) -> None:
        page.fill("textarea", text)
        page.click("main button")
        page.wait_for_selector("[role=status], [role=alert]")

    url = f"{owner.service.url}/admin/contracts/publish"
    assert look(chrome, url, f"{state}-", dict(owner.client.cookies), send=check).faults == []


@pytest.mark.usefixtures("contracts_of_all_states")
def test_a_step_with_a_wrong_number(owner: AdminBrowser, chrome: Browser) -> None:
    """The faults on top and at the fields."""

    def send(page: Page) -> None:
        page.fill("[name=typed]", "9")
        page.click("main button")
        page.wait_for_selector("[role=alert]")

    url = f"{owner.service.url}/admin/contracts/2.0/retire"
    assert look(chrome, url, "wrong-", dict(owner.client.cookies), send=send) == Look(422, [])


def test_the_sign_in_is_without_fault(newest: Service, chrome: Browser) -> None:
    """As it opens, and with faults."""
    assert look(chrome, f"{newest.url}/admin/sign-in") == Look(200, [])
    with browsing(newest) as browser:
        page = browser.sign_in("", "")
    assert page.status_code == 422


def test_the_sign_in_by_an_issuer_is_without_fault(start_service: Start, chrome: Browser) -> None:
    """The page that offers it, and one that refuses it."""
    with issuing() as issuer, start_service(**issuer.settings) as service, browsing(service) as browser:
        assert look(chrome, f"{service.url}/admin/sign-in?return=/admin/audit") == Look(200, [])
        answer = issuer.authorized(lead(browser))
        cookies = dict(browser.client.cookies)
        assert look(chrome, f"{service.url}/admin/sign-in/issued?{answer}", cookies=cookies).faults == []


def test_rejections_and_replays_are_without_fault(owner: AdminBrowser, chrome: Browser, hub: Hub, prefix: str) -> None:
    """Lists, one rejection of each sort, and replays in each state."""
    ids = reject_events(hub, prefix, 3)
    hostile = b'{"a": "<script>\xff\xe2\x80\xae", "b": [1, {"c": "' + b"x" * 300 + b'"}]}'
    ids += reject(hub.service, hub.id, hostile, pointer="/b/1")
    ids += reject(hub.service, hub.id, b"{bad " + b"\xff" * 200, code="malformed_json", kind="event-batch")
    done = begin(owner, hub=hub.name)
    ended(hub.service, done)
    with hub.service.database.begin() as connection:
        cancelled = replays.start(connection, Author("admin:a"), RejectionFilter(hub_id=hub.id))
        replays.cancel(connection, Author("admin:b"), cancelled)
    paths = ["", f"?hub={quote(hub.name)}", *[f"/{identifier}" for identifier in ids[2:]]]
    for path in [*[f"{REJECTED}{path}" for path in paths], done, f"{REPLAYS}/{cancelled}"]:
        assert look(chrome, owner.service.url + path, cookies=dict(owner.client.cookies)) == Look(200, []), path
