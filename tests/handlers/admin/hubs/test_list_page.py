"""The list of hubs, and the form that creates one."""

import re
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import Connection, insert, update

from db import hub_totals, hubs, submission_usage
from db.tables import event_type_registry, widgets
from db.tables import hub_totals as totals
from db.tables import hubs as table
from tests.page_admins import AdminBrowser, signed_in, text_of
from tests.page_forms import HUBS, path_of, secret_of
from tests.service import Service

HOSTILE = [
    "a/b ?#%20+&;=",
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "a/disable",
    "../../health",
    "x" * 200,
    "😀 {{7*7}}",
    "a//",
]


def test_an_owner_creates_a_hub_and_sees_its_key_once(owner: AdminBrowser) -> None:
    """A reload of the page makes no other hub, and shows no key."""
    page = owner.post(HUBS, {"name": " a new hub ", "why": "asked for"})
    key = secret_of(page)
    assert page.status_code == 200
    with owner.service.database.begin() as connection:
        hub = hubs.of_key(connection, key)
    assert hub is not None
    assert hub.name == "a new hub"
    assert "The hub may report now." in text_of(page)
    assert f'<a href="{path_of("a new hub")}">Its page is the place to rotate the key.</a>' in page.text
    page = owner.post(HUBS, {"name": "a new hub"})
    assert page.status_code == 422
    assert "A hub named 'a new hub' already exists." in text_of(page)
    assert "irk_" not in page.text


def test_a_new_hub_is_told_what_events_need(start_service: Callable[..., AbstractContextManager[Service]]) -> None:
    """A widget and an event type: with a link to each that nobody has registered. So is the first page."""
    with start_service() as service, signed_in(service, "an owner of nothing") as owner:
        with service.database.begin() as connection:
            connection.execute(update(event_type_registry).values(status="deprecated"))
            connection.execute(update(widgets).values(status="retired"))
        overview = owner.get("/admin").text
        assert 'href="/admin/hubs#create"' in overview
        page = owner.post(HUBS, {"name": "the first hub"})
        assert "The hub may report now." not in page.text
        for path, sentence in {
            "/admin/widgets": "No widget is active: register one.",
            "/admin/event-types": "No event type is active: register one.",
        }.items():
            assert f'<a href="{path}">{sentence}</a>' in page.text
            assert f'href="{path}#register"' in overview
            assert 'id="register"' in owner.get(path).text
        assert 'id="create"' in owner.get(HUBS).text
        owner.post("/admin/widgets", {"name": "the first widget"})
        page = owner.post(HUBS, {"name": "the second hub"})
        assert "No widget is active" not in page.text
        assert "No event type is active" in page.text


@pytest.mark.parametrize("name", ["", "n" * 201, "a\u202eb", "a\nb", "a\0b"])
def test_a_name_that_no_list_can_show(owner: AdminBrowser, name: str) -> None:
    """It is a fault of the field."""
    page = owner.post(HUBS, {"name": name, "why": "\0"})
    assert page.status_code == 422
    assert "This is" in text_of(page) or "These are not right yet" in text_of(page)
    assert 'href="#name"' in page.text


@pytest.mark.parametrize("name", [*HOSTILE, ".", "..", "right\u202eleft", " blank "])
def test_a_hub_is_found_by_the_link_of_the_list(owner: AdminBrowser, name: str) -> None:
    """Whatever its name has, also in plain SQL."""
    with owner.service.database.begin() as connection:
        hub, _ = hubs.create(connection, "to be renamed")
        connection.execute(update(table).where(table.c.id == hub.id).values(name=name))
    path = f"{HUBS}/?name={name}" if name in (".", "..") else path_of(name)
    page = owner.get(HUBS, params={"q": name.strip()})
    assert f'href="{path}"' in page.text
    shown = owner.get(path)
    assert shown.status_code == 200
    assert "It has never sent a request." in text_of(shown)
    assert "<script>alert" not in shown.text
    assert "<img" not in shown.text
    for action in ("rotate-key", "disable", "limit", "add-origin", "issue-client", "manifests"):
        form = path.replace("/admin/hubs", f"/admin/hub/{action}")
        assert action == "manifests" or f'href="{form}"' in shown.text
        assert owner.get(form).status_code == 200


def test_an_unknown_name_leads_to_the_nearest(owner: AdminBrowser) -> None:
    """And to the list; a name that no row can have, too."""
    owner.post(HUBS, {"name": "harbor-billing"})
    page = owner.get(path_of("Harbour billing"))
    assert page.status_code == 404
    assert "Did you mean harbor-billing?" in text_of(page)
    assert f'href="{path_of("harbor-billing")}"' in page.text
    assert owner.get(f"{HUBS}/%00").status_code == 404
    assert owner.get(f"{HUBS}/").status_code == 404
    assert owner.get("/admin/hub/disable/nobody").status_code == 404


def test_the_list_says_who_is_quiet_and_who_fails(owner: AdminBrowser) -> None:
    """By the last request, and by what was stored and rejected in the last hours."""
    now = datetime.now(UTC)
    with owner.service.database.begin() as connection:
        ids = {}
        for name in ("state: busy", "state: still", "state: new", "state: off", "state: moved"):
            ids[name] = hubs.create(connection, name)[0].id
        hub_totals.see(connection, [ids["state: busy"]], now)
        old = now - timedelta(days=3)
        connection.execute(insert(totals).values(hub_id=ids["state: still"], last_seen_at=old))
        _count(connection, ids["state: busy"], now)
        hubs.disable(connection, "state: off")
        hubs.cut_over(connection, "state: moved", "moved")
    words = text_of(owner.get(HUBS, params={"q": "STATE: "}))
    for line in ("busy active", "still quiet", "new never seen", "off disabled", "moved cut over"):
        assert f"state: {line}" in words
    assert "1,234 56" in words
    for state, names in {
        "active": {"busy", "still", "new"},
        "disabled": {"off"},
        "cut over": {"moved"},
        "never seen": {"new", "off", "moved"},
    }.items():
        page = text_of(owner.get(HUBS, params={"q": "state: ", "state": state}))
        assert {name for name in ("busy", "still", "new", "off", "moved") if f"state: {name}" in page} == names


def _count(connection: Connection, hub_id: UUID, now: datetime) -> None:
    counts = {"created": 1000, "duplicate": 234, "rejected": 56}
    keys = {(hub_id.int, "1.1", "event", outcome, "x"): count for outcome, count in counts.items()}
    submission_usage.add(connection, Counter(keys), now)


def test_the_list_is_paged_by_name(owner: AdminBrowser) -> None:
    """Each hub is on one page, also if those before it are gone meanwhile."""
    names = {f"paged {number:03}" for number in range(60)}
    with owner.service.database.begin() as connection:
        for name in names:
            hubs.create(connection, name)
    path: str | None = f"{HUBS}?q=paged+"
    seen: list[str] = []
    while path:
        words = owner.get(path).text
        seen += [name for name in sorted(names) if f">{name}<" in words]
        path = _next(words)
    assert seen == sorted(names)


def _next(page: str) -> str | None:
    found = re.search(r'href="([^"]*)" rel="next"', page)
    return found[1].replace("&amp;", "&") if found else None


@pytest.mark.parametrize("query", ["state=gone", "cursor=x", "q=a&q=b", f"q={'x' * 201}", "q=%ff"])
def test_a_filter_that_cannot_be_read(owner: AdminBrowser, query: str) -> None:
    """400."""
    assert owner.get(f"{HUBS}?{query}").status_code == 400


def test_nothing_is_like_that(owner: AdminBrowser) -> None:
    """The empty list leads to all hubs."""
    assert "No hub is like that." in text_of(owner.get(f"{HUBS}?q=nobody+has+this"))


def test_a_viewer_has_no_forms(newest: Service) -> None:
    """A page shows what the role may do."""
    with newest.database.begin() as connection:
        hubs.create(connection, "seen by a viewer")
    with signed_in(newest, "a viewer of hubs", "viewer") as viewer:
        assert "Create the hub" not in viewer.get(HUBS).text
        page = viewer.get(path_of("seen by a viewer"))
        assert page.status_code == 200
        assert "Rotate the key" not in page.text
