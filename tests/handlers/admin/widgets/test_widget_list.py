"""The list of widgets, its search, and the form that registers one."""

import re
from html import unescape
from uuid import UUID, uuid4

import pytest

from db import audit, widgets
from db.widgets import Widget
from handlers.paths import WIDGETS
from tests.examples import WIDGET
from tests.handlers.admin.rejections.rejecting import REJECTED, reject
from tests.handlers.conftest import Hub
from tests.handlers.conftest import hub as hub  # noqa: PLC0414 - a fixture
from tests.handlers.conftest import new_hub as new_hub  # noqa: PLC0414 - a fixture
from tests.handlers.conftest import prefix as prefix  # noqa: PLC0414 - a fixture
from tests.page_admins import AdminBrowser, text_of
from tests.page_forms import hidden
from tests.service import Service
from tests.waiting import wait_until

SCRIPT = "<script>alert(1)</script>"


def registered(service: Service, name: str) -> list[Widget]:
    """The widgets with a name."""
    with service.database.begin() as connection:
        return [each for each in widgets.list_all(connection) if each.name == name]


def register(service: Service, name: str, widget_id: UUID | None = None) -> UUID:
    """Register a widget; returns its id."""
    with service.database.begin() as connection:
        return widgets.register(connection, name, widget_id).id


def test_an_editor_registers_a_widget_once(editor: AdminBrowser, hub: Hub, prefix: str) -> None:
    """Its page says its id, and events may be about it. The same form again is refused, and says why."""
    form = hidden(editor.get(WIDGETS), WIDGETS) | {"name": f" {prefix} ", "widget_id": "", "why": "asked for"}
    answer = editor.post(WIDGETS, form)
    (widget,) = registered(editor.service, prefix)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{WIDGETS}/{widget.id}")
    assert f"{prefix} is registered, and events may be about it now. Its id is {widget.id}." in text_of(
        editor.get(answer.headers["location"])
    )
    wait_until(lambda: hub.event(widget_id=str(widget.id)).status_code == 201)
    again = editor.post(WIDGETS, form)
    assert again.status_code == 422
    assert f"Id : A widget with the id {widget.id} already exists." in text_of(again)
    assert f'href="{WIDGETS}/{widget.id}"' in again.text
    assert 'value="asked for"' in again.text
    once_more = editor.post(WIDGETS, form | hidden(again, WIDGETS))
    assert once_more.status_code == 422
    assert registered(editor.service, prefix) == [widget]


def test_the_log_says_who_registered_it_and_why(editor: AdminBrowser, prefix: str) -> None:
    """As for every change."""
    widget_id = uuid4()
    assert editor.post(WIDGETS, {"name": prefix, "widget_id": str(widget_id).upper(), "why": "its team"}).is_redirect
    with editor.service.database.begin() as connection:
        (entry,) = audit.entries(connection, 9, None, {"kind": "widget", "subject": str(widget_id)})
    assert (entry.actor, entry.action, entry.why) == ("admin:an editor of widgets", "register", "its team")
    assert entry.before is None
    assert entry.after
    assert entry.after["name"] == prefix


@pytest.mark.parametrize(
    ("name", "widget_id", "field"),
    [
        ("", "", "name"),
        ("n" * 201, "", "name"),
        ("a\u202eb", "", "name"),
        ("a\0b", "", "name"),
        ("right", "x", "widget_id"),
        ("right", "{5b0e3c9a-6a57-4d0b-8f6f-2b7a1c0d9e12}", "widget_id"),
        ("right", SCRIPT, "widget_id"),
        ("right", "\0" + "x" * 3000, "widget_id"),
        ("right", WIDGET, "widget_id"),
    ],
)
def test_faults_stand_at_their_fields(editor: AdminBrowser, name: str, widget_id: str, field: str) -> None:
    """What was typed is kept, and nothing is registered."""
    page = editor.post(WIDGETS, {"name": name, "widget_id": widget_id, "why": "kept"})
    assert page.status_code == 422
    assert "Nothing was changed." in text_of(page)
    assert f'href="#{field}"' in page.text
    assert f'id="{field}-fault"' in page.text
    assert 'value="kept"' in page.text
    assert SCRIPT not in page.text
    assert registered(editor.service, name) == []


def test_a_reason_that_no_log_can_keep(editor: AdminBrowser) -> None:
    """Likewise."""
    page = editor.post(WIDGETS, {"name": "with a long reason", "why": "w" * 2001})
    assert page.status_code == 422
    assert 'id="why-fault"' in page.text
    assert registered(editor.service, "with a long reason") == []


def test_what_was_rejected_leads_to_a_form_that_leads_back(editor: AdminBrowser, hub: Hub, prefix: str) -> None:
    """The form has the id. After it the rejection can be replayed."""
    widget_id = str(uuid4())
    assert hub.event(widget_id=widget_id).status_code == 422
    wait_until(lambda: hub.rows("rejected_submissions") != [])
    (row,) = hub.rows("rejected_submissions")
    path = f"{REJECTED}/{row['id']}"
    advice = re.search(r'href="([^"]*)">Register the widget, then replay\.', editor.get(path).text)
    assert advice
    assert unescape(advice[1]) == f"{WIDGETS}?widget_id={widget_id}&rejection={row['id']}"
    page = editor.get(unescape(advice[1]))
    assert f"Register {widget_id}" in text_of(page)
    assert f'name="widget_id" value="{widget_id}"' in page.text
    form = hidden(page, WIDGETS) | {"name": prefix, "widget_id": widget_id}
    answer = editor.post(WIDGETS, form)
    assert (answer.status_code, answer.headers["location"]) == (303, path)
    shown = editor.get(path)
    assert f"{prefix} is registered, and events may be about it now. This can be replayed." in text_of(shown)
    assert "Replay this rejection" in shown.text
    assert f'href="{path}"' in editor.get(unescape(advice[1])).text  # it is registered: back to what was rejected


@pytest.mark.parametrize("raw", [b'{"widget_id": "x"}', b"[]", b"{", b'{"widget_id": 1}', b"[" * 100_000])
def test_what_was_rejected_without_an_id_leads_to_the_list(editor: AdminBrowser, hub: Hub, raw: bytes) -> None:
    """Hubs send anything."""
    (identifier,) = reject(hub.service, hub.id, raw, code="widget_not_registered")
    page = editor.get(f"{REJECTED}/{identifier}")
    assert f'href="{WIDGETS}">Register the widget, then replay.' in page.text


def test_the_advice_for_all_leads_to_where_it_is_registered(editor: AdminBrowser, hub: Hub) -> None:
    """Both for widgets and for event types."""
    reject(hub.service, hub.id, b"{}", code="widget_not_registered")
    reject(hub.service, hub.id, b"{}", code="event_type_not_registered")
    page = editor.get(REJECTED).text
    assert f'<a href="{WIDGETS}">Register the widget, then replay.</a>' in page
    assert '<a href="/admin/event-types">Register the event type, then replay.</a>' in page


@pytest.mark.parametrize("rejection", ["x", "//evil.example", "../../sign-out", SCRIPT, "%0d%0aa: b"])
def test_a_form_leads_back_to_rejections_alone(editor: AdminBrowser, prefix: str, rejection: str) -> None:
    """Whatever its hidden field has."""
    answer = editor.post(WIDGETS, {"name": prefix, "rejection": rejection, "new_id": rejection})
    (widget,) = registered(editor.service, prefix)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{WIDGETS}/{widget.id}")
    page = editor.get(WIDGETS, params={"widget_id": WIDGET, "rejection": rejection})
    assert page.status_code == 200
    assert SCRIPT not in page.text
    assert 'href="//evil' not in page.text


def test_the_list_is_paged_by_id(editor: AdminBrowser, prefix: str) -> None:
    """Each widget is on one page."""
    ids = {str(register(editor.service, f"{prefix} paged {number}")) for number in range(120)}
    path, seen, pages = f"{WIDGETS}?q={prefix}+PAGED", list[str](), 0
    while path:
        page = editor.get(path).text
        seen += re.findall(rf'href="{WIDGETS}/([0-9a-f-]{{36}})"', page)
        more = re.search(r'href="([^"]*)" rel="next"', page)
        path, pages = (unescape(more[1]) if more else ""), pages + 1
    assert (seen, pages) == (sorted(ids), 3)


def test_a_widget_is_found_by_its_id_and_a_part_of_its_name(viewer: AdminBrowser, prefix: str) -> None:
    """Whatever the name has; an id that nobody has leads to the form."""
    widget_id = register(viewer.service, f"{prefix} {SCRIPT}")
    with viewer.service.database.begin() as connection:
        widgets.retire(connection, widget_id)
    for query, is_found in {
        f"q={widget_id}": True,
        f"q={str(widget_id).upper()}": True,
        f"q={prefix}+%3CSCRIPT": True,
        f"q={prefix}&status=retired": True,
        f"q={widget_id}&status=retired": True,
        f"q={prefix}&status=active": False,
        f"q={widget_id}&status=active": False,
        f"q={prefix}+other": False,
    }.items():
        page = viewer.get(f"{WIDGETS}?{query}")
        assert (f'href="{WIDGETS}/{widget_id}"' in page.text) == is_found, query
        assert ("No widget is like that." in text_of(page)) != is_found, query
        assert SCRIPT not in page.text
    other = uuid4()
    assert f'href="{WIDGETS}?widget_id={other}"' in viewer.get(f"{WIDGETS}?q={other}").text


@pytest.mark.parametrize(
    "query",
    ["status=gone", "cursor=x", "cursor=bmFtZSB4", "q=a&q=b", f"q={'x' * 201}", "q=%ff", "widget_id=%00"],
)
def test_a_filter_that_cannot_be_read(viewer: AdminBrowser, query: str) -> None:
    """400; one of the cursors is from a list of names."""
    assert viewer.get(f"{WIDGETS}?{query}").status_code == 400


def test_a_viewer_has_no_form(viewer: AdminBrowser) -> None:
    """The page says which role it needs."""
    assert "Register the widget" not in viewer.get(WIDGETS).text
    page = viewer.get(f"{WIDGETS}?widget_id={uuid4()}")
    assert "Registering it needs the role editor. You have the role viewer." in text_of(page)
    assert "Register the widget" not in page.text
