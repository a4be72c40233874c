"""Hostile texts in a real browser: no page gets an element, runs a script, or asks anybody for anything by them."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Dialog, Page, Response
from sqlalchemy import select

from db import contracts, hubs, oauth_clients, rejected_submissions, replays, tables
from db.audit import Author
from db.rejections import RejectionFilter
from handlers.admin.roles import GET
from handlers.contracts.publications import Publications
from scripts.service.routes import admin_pages, pages
from tests.handlers.admin.rejections.rejecting import ended
from tests.handlers.hub.browsers import sign_in, visitor
from tests.handlers.pages.hostile_texts import CHANGED, FIELDS, REHEARSALS, Filling, document
from tests.page_admins import signed_in
from tests.page_browser import chromium
from tests.page_walks import Walk, walking
from tests.postgresql import fresh_database
from tests.service import Service, running
from tests.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("looks")]

HOSTILE = (
    "\"'></title></textarea></pre></script>-->]]><script>alert(1)</script><img src=x onerror=alert(1)>"
    "<svg onload=alert(1)>{{7*7}}[a](javascript:alert(1))![b](data:text/html,c)<b>\N{RIGHT-TO-LEFT OVERRIDE}"
)
HARMLESS = re.sub(r"[!-/:-@\[-`{-~]", ",", HOSTILE)
"""As long, with the same words."""
SHAPES = """() => {
    for (const details of document.querySelectorAll("details")) details.open = true;
    return [...document.querySelectorAll("*")].map((each) =>
        [each.localName, ...each.getAttributeNames(), /^(javascript|data):$/.exec(each.protocol) ?? ""].join(" "));
}"""
"""Of each element its name, the names of its attributes, and the protocol of a link that no page may have."""

PAGES = {
    "/": ["/"],
    "/contracts": ["/contracts"],
    "/contracts/changelog.atom": [],
    "/contracts/{old}/diff/{new}": ["/contracts/1.1/diff/1.9", "/contracts/1.1/diff/{segment}"],
    "/contracts/{version}": ["/contracts/1.9", "/contracts/1.8", "/contracts/{segment}"],
    "/contracts/{version}/card": ["/contracts/1.9/card"],
    "/contracts/{version}/changelog": ["/contracts/1.9/changelog"],
    "/contracts/{version}/clients": ["/contracts/1.9/clients"],
    "/contracts/{version}/try": ["/contracts/1.9/try"],
    "/event-types": [
        "/event-types",
        "/event-types?q={text}",
        "/event-types?status=deprecated",
        "/event-types?status={text}",
        "/event-types?cursor={text}",
    ],
    "/event-types/{name:path}": ["/event-types/{text}", "/event-types/acme.first", "/event-types/none {text}"],
    "/problems": ["/problems", "/problems?q={text}"],
    "/problems/{code:path}": ["/problems/event_type_not_registered", "/problems/{text}"],
    "/clients": ["/clients"],
    "/status": ["/status"],
    "/hub": ["/hub", "/hub?before={text}"],
    "/hub/rejected/{id}": ["/hub/rejected/{rejection}", "/hub/rejected/{segment}"],
    "/admin": ["/admin", "/admin?period={text}"],
    "/admin/admins": ["/admin/admins"],
    "/admin/events": [
        "/admin/events",
        "/admin/events?hub={text}",
        "/admin/events?hub=none {text}",
        "/admin/events?from={text}",
    ],
    "/admin/events/{id}": ["/admin/events/{event}", "/admin/events/{segment}"],
    "/admin/migration": ["/admin/migration?of=all", "/admin/migration?of={text}", "/admin/migration?days={text}"],
    "/admin/event-types": [
        "/admin/event-types",
        "/admin/event-types?q={text}",
        "/admin/event-types?hub={text}",
        "/admin/event-types?event_type={text}",
        "/admin/event-types?event_type=none {text}",
        "/admin/event-types?status=waiting",
        "/admin/event-types?status={text}",
    ],
    "/admin/event-types/{name:path}": [
        "/admin/event-types/{text}",
        "/admin/event-types/waits {text}",
        "/admin/event-types/acme.first",
        "/admin/event-types/none {text}",
    ],
    "/admin/widgets": [
        "/admin/widgets",
        "/admin/widgets?q={text}",
        "/admin/widgets?status={text}",
        "/admin/widgets?widget_id={text}",
    ],
    "/admin/widgets/{id}": ["/admin/widgets/{widget}", "/admin/widgets/{segment}"],
    "/admin/widgets/{id}/retire": ["/admin/widgets/{widget}/retire"],
    "/admin/live": [
        "/admin/live",
        "/admin/live?hub={text}&event_type={text}&not_type={text}",
        "/admin/live?outcome={text}",
    ],
    "/admin/rejected": [
        "/admin/rejected",
        "/admin/rejected?hub={text}&code={text}&event_type={text}",
        "/admin/rejected?kind={text}",
        "/admin/rejected?hub=none {text}",
        "/admin/rejected?before={text}",
    ],
    "/admin/rejected/{id}": ["/admin/rejected/{rejection}", "/admin/rejected/{segment}"],
    "/admin/replays/{id}": ["/admin/replays/{replay}", "/admin/replays/{segment}"],
    "/admin/contracts": ["/admin/contracts"],
    "/admin/contracts/compare": [
        "/admin/contracts/compare?old=1.1&new=1.10",
        "/admin/contracts/compare?old={text}&new=1.9",
    ],
    "/admin/contracts/publish": [
        "/admin/contracts/publish",
        "/admin/contracts/publish?from=1.9",
        "/admin/contracts/publish?from={text}",
    ],
    "/admin/contracts/{version}": ["/admin/contracts/1.9", "/admin/contracts/1.8", "/admin/contracts/{segment}"],
    "/admin/contracts/{version}/rehearsals/{id}": [f"/admin/contracts/1.1/rehearsals/{each}" for each in REHEARSALS],
    "/admin/contracts/{version}/activate": ["/admin/contracts/1.1/activate", "/admin/contracts/1.10/activate"],
    "/admin/contracts/{version}/deprecate": ["/admin/contracts/1.9/deprecate"],
    "/admin/contracts/{version}/withdraw-deprecation": ["/admin/contracts/{segment}/withdraw-deprecation"],
    "/admin/contracts/{version}/withdraw-version": ["/admin/contracts/1.10/withdraw-version"],
    "/admin/contracts/{version}/discard": ["/admin/contracts/1.10/discard"],
    "/admin/contracts/{version}/retire": ["/admin/contracts/{segment}/retire"],
    "/admin/contracts/{version}/rollback": ["/admin/contracts/1.9/rollback"],
    "/admin/audit": [
        "/admin/audit",
        "/admin/audit?actor={text}",
        "/admin/audit?subject={text}&kind={text}",
        "/admin/audit?before={text}",
    ],
    "/admin/hubs": ["/admin/hubs", "/admin/hubs?q={text}", "/admin/hubs?state={text}"],
    "/admin/hubs/{name:path}": ["/admin/hubs/{text}", "/admin/hubs/cut {text}", "/admin/hubs/none {text}"],
    "/admin/hub/manifests/{name:path}": ["/admin/hub/manifests/{text}?from=1&to=2"],
    "/admin/hub/rotate-key/{name:path}": ["/admin/hub/rotate-key/{text}"],
    "/admin/hub/disable/{name:path}": ["/admin/hub/disable/{text}"],
    "/admin/hub/cut-over/{name:path}": ["/admin/hub/cut-over/{text}"],
    "/admin/hub/limit/{name:path}": ["/admin/hub/limit/{text}"],
    "/admin/hub/add-origin/{name:path}": ["/admin/hub/add-origin/{text}"],
    "/admin/hub/issue-client/{name:path}": ["/admin/hub/issue-client/{text}"],
    "/admin/hub/rotate-client/{name:path}": ["/admin/hub/rotate-client/{client}", "/admin/hub/rotate-client/{text}"],
    "/admin/hub/disable-client/{name:path}": ["/admin/hub/disable-client/{text}?issuer={text}"],
}
"""By the path of each page: what is looked at."""
NO_PAGES = ["/{text}", "/admin/{text}", "/contracts/1.9/{segment}"]
"""Addresses at which there is no page."""
FORMS = {
    "/admin/admins": "Add the admin",
    "/admin/hubs": "Create the hub",
    "/admin/event-types": "Register the event type",
    "/admin/widgets": "Register the widget",
    "/admin/widgets/{widget}/retire": "Retire the widget",
    "/admin/event-types/clicked": "Propose this definition",
    "/admin/hub/rotate-key/{text}": "Rotate the key",
    "/admin/hub/cut-over/{text}": "Cut the hub over",
    "/admin/hub/limit/{text}": "Set the limit",
    "/admin/hub/add-origin/{text}": "Add the origin",
    "/admin/hub/issue-client/{text}": "Issue the client",
    "/admin/hub/rotate-client/{client}": "Rotate the secret",
    "/admin/hub/disable-client/{text}?issuer={text}": "Disable the client",
    "/admin/hub/disable/cut {text}": "Disable the hub",
    "/admin/contracts/publish": "Check the document",
    "/admin/contracts/1.9": "Rehearse 1.9",
    "/admin/contracts/1.9/deprecate": "Deprecate 1.9",
    "/admin/contracts/1.9/rollback": "Roll back 1.9",
    "/admin/contracts/1.10/withdraw-version": "Withdraw version 1.10",
    "/admin/contracts/1.10/discard": "Discard 1.10",
}
"""By path: the button of the form that is sent with the text in each field."""
SIGNED_OUT = {"/admin/sign-in?return={text}": "Sign in", "/hub": "Sign in"}
"""Likewise, for people who are not signed in."""
Seen = dict[str, tuple[int, Counter[str]]]
"""By page, and the button of its form: the status, and how many elements of each shape there are."""


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    """One browser for all pages."""
    with chromium() as each:
        yield each


def test_every_page_is_visited() -> None:
    """A new one has to be added here."""
    paths = {path for method, path in admin_pages() if method == GET}
    paths |= {route.path for route in pages(Publications(), "") if GET in (route.methods or ())}
    assert paths == set(PAGES)


def test_hostile_texts_stay_texts(embedded_url: str, template: str, chrome: Browser) -> None:
    """Each page has the elements that it has with harmless words, and the browser has nothing to complain about."""
    (harmless, _), (hostile, faults) = (_seen(embedded_url, template, chrome, text) for text in (HARMLESS, HOSTILE))
    for page, (status, shapes) in hostile.items():
        if status != harmless[page][0]:
            faults.append(f"{page}: {status} in place of {harmless[page][0]}")
        faults += [f"{page}: {count} more of <{shape}>" for shape, count in (shapes - harmless[page][1]).items()]
    assert not faults, "\n".join(faults)


def _seen(server: str, template: str, chrome: Browser, text: str) -> tuple[Seen, list[str]]:
    """What the pages of a service have that is filled with a text, and what the browser complains about."""
    with fresh_database(server, "texts", template) as url:
        with running(url) as service:
            names, key = _filled(service, text)
        # The service has ended, so that its counts are written: they change no page while it is looked at.
        with running(url) as service, signed_in(service, text[:-1]) as owner, visitor(service) as hub:
            assert sign_in(hub, key).status_code == 303
            with service.database.begin() as connection:
                contracts.activate(connection, CHANGED)
            wait_until(lambda: owner.get(f"/contracts/{CHANGED}").status_code == 200)
            with walking(chrome, service.url) as walk:
                walk.page.context.add_cookies(
                    [
                        {"name": name, "value": value, "url": service.url}
                        for client in (owner.client, hub)
                        for name, value in client.cookies.items()
                    ]
                )
                return _visited(walk, names)


def _filled(service: Service, text: str) -> tuple[dict[str, str], str]:
    """Fill each field with a text; the ids of what then is there, and the key of its hub."""
    with service.database.begin() as connection:
        hub, key = hubs.create(connection, text)
    for fill in FIELDS.values():
        with service.database.begin() as connection:
            fill(Filling(service, connection, hub, key, text))
    with service.database.begin() as connection:
        client, _ = oauth_clients.issue(connection, text, ["events:read"])
        replay = replays.start(connection, Author(text, text, text), RejectionFilter(hub_id=hub.id))
        (rejection, *_) = rejected_submissions.newest(connection, hub.id, 1)
        widget = connection.scalar(select(tables.widgets.c.id).where(tables.widgets.c.name == text))
    ended(service, str(replay))
    (event, *_) = service.events()
    ids = {"replay": replay, "rejection": rejection["id"], "event": event["id"]}
    ids |= {"client": client.client_id, "widget": widget}
    return {"text": text, "segment": text.replace("/", ""), **{name: str(each) for name, each in ids.items()}}, key


def _visited(walk: Walk, names: Mapping[str, str]) -> tuple[Seen, list[str]]:
    """Look at each page, and at what each form leads to."""
    page, seen, faults = walk.page, Seen(), list[str]()

    def refuse(dialog: Dialog) -> None:
        walk.faults.append(f"a dialog: {dialog.message}")
        dialog.dismiss()

    header = names["text"].encode("ascii", "ignore").decode()
    page.set_extra_http_headers({"X-Request-Id": header, "User-Agent": header})
    page.on("dialog", refuse)
    texts = {name: quote(text, safe="") for name, text in names.items()}

    def visit(path: str, button: str = "") -> None:
        response = page.goto(walk.origin + path.format(**texts))
        if button:
            response = _sent(page, button, names["text"])
        seen[f"{path} {button}"] = _look(page, response)
        faults.extend(f"{path} {button}: {fault}" for fault in walk.faults)
        walk.faults.clear()

    for path in [*(path for paths in PAGES.values() for path in paths), *NO_PAGES]:
        visit(path)
    for path, button in FORMS.items():
        visit(path, button)
    page.context.clear_cookies()
    for path, button in SIGNED_OUT.items():
        visit(path)
        visit(path, button)
    return seen, faults


def _sent(page: Page, button: str, text: str) -> Response | None:
    """What the form with a button leads to, with a text in each field."""
    found = page.get_by_role("button", name=button, exact=True)
    form = page.locator("main form[method=post]").filter(has=found)
    for field in form.locator("input:not([type=hidden], [type=checkbox]), textarea").all():
        field.fill(document(text, "1.20") if field.get_attribute("name") == "document" else text)
    with page.expect_navigation() as navigation:
        form.locator(found).click()
    return navigation.value


def _look(page: Page, response: Response | None) -> tuple[int, Counter[str]]:
    """The status of a page, and the shapes of its elements when its scripts have made them."""
    assert response is not None
    page.locator('[aria-busy="true"]').wait_for(state="detached")
    return response.status, Counter(page.evaluate(SHAPES))
