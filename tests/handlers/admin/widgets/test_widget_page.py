"""The page of a widget, and the one that asks before it is retired."""

from uuid import UUID, uuid4

from db import audit, widget_list
from handlers.paths import WIDGETS, widget_path
from tests.handlers.admin.widgets.test_widget_list import SCRIPT, register
from tests.handlers.conftest import Hub
from tests.handlers.conftest import hub as hub  # noqa: PLC0414 - a fixture
from tests.handlers.conftest import new_hub as new_hub  # noqa: PLC0414 - a fixture
from tests.handlers.conftest import prefix as prefix  # noqa: PLC0414 - a fixture
from tests.page_admins import AdminBrowser, text_of
from tests.page_forms import send
from tests.service import Service
from tests.waiting import wait_until


def status_of(service: Service, widget_id: UUID) -> str:
    """The status of a widget."""
    with service.database.begin() as connection:
        widget = widget_list.find(connection, widget_id)
    assert widget
    return widget.status


def test_the_page_says_who_registered_it_and_what_happened(viewer: AdminBrowser, hub: Hub, prefix: str) -> None:
    """The events that occurred last, with links; and who changed it."""
    widget_id = uuid4()
    assert hub.manifest(widgets=[{"id": str(widget_id), "name": f"{prefix} {SCRIPT}"}]).status_code in {200, 201}
    assert "No stored event is about it." in text_of(viewer.get(widget_path(widget_id)))
    wait_until(lambda: hub.event(widget_id=str(widget_id), occurred_at="2026-03-01T00:00:00Z").status_code == 201)
    times = ("2026-03-05", "2026-03-02", "2026-03-06", "2026-03-03", "2026-03-04")
    ids = {day: hub.event(widget_id=str(widget_id), occurred_at=f"{day}T00:00:00Z").json()["id"] for day in times}
    page = viewer.get(widget_path(widget_id))
    assert f"Registered by the manifest of {hub.name}" in text_of(page)
    places = [page.text.index(f'href="/admin/events/{ids[day]}"') for day in sorted(times, reverse=True)]
    assert places == sorted(places)
    assert page.text.count('href="/admin/events/') == len(times)
    assert f'href="/admin/audit?kind=widget&amp;subject={widget_id}"' in page.text
    assert SCRIPT not in page.text
    assert "Retire the widget" not in page.text
    event = viewer.get(f"/admin/events/{ids[times[0]]}")
    assert f'href="{WIDGETS}/{widget_id}"' in event.text


def test_an_editor_retires_a_widget_once(editor: AdminBrowser, hub: Hub, prefix: str) -> None:
    """The page says to whom it happens; the log says who did it, and why. Then there is nothing to retire."""
    widget_id = register(editor.service, prefix)
    path = widget_path(widget_id)
    wait_until(lambda: hub.event(widget_id=str(widget_id)).status_code == 201)
    assert f'href="{path}/retire"' in editor.get(path).text
    assert f"from the hub {hub.name}" in text_of(editor.get(f"{path}/retire"))
    assert send(editor, f"{path}/retire", {"why": "w" * 2001}).status_code == 422
    assert status_of(editor.service, widget_id) == "active"
    answer = send(editor, f"{path}/retire", {"why": "replaced"})
    assert (answer.status_code, answer.headers["location"]) == (303, path)
    page = editor.get(path)
    assert f"{prefix} is retired: new events about it are refused." in text_of(page)
    assert "Retire the widget" not in page.text
    assert status_of(editor.service, widget_id) == "retired"
    wait_until(lambda: hub.event(widget_id=str(widget_id)).status_code == 422)
    with editor.service.database.begin() as connection:
        entry, _ = audit.entries(connection, 9, None, {"kind": "widget", "subject": str(widget_id)})
    assert (entry.actor, entry.action, entry.why) == ("admin:an editor of widgets", "retire", "replaced")
    assert (entry.before, entry.after) == ({"status": "active"}, {"status": "retired"})
    assert "The widget is retired already" in text_of(editor.get(f"{path}/retire"))
    assert "It is retired: events about it are refused." in text_of(editor.get(f"{WIDGETS}?widget_id={widget_id}"))


def test_a_stale_form_retires_nothing(editor: AdminBrowser, hub: Hub, prefix: str) -> None:
    """The widget has another name meanwhile, or the form has no state."""
    widget_id, other = uuid4(), {"name": f"{prefix} renamed"}
    path = widget_path(widget_id)
    assert hub.manifest(widgets=[{"id": str(widget_id), "name": prefix}]).status_code in {200, 201}
    old = editor.get(f"{path}/retire")
    seen = old.text.partition('name="seen" value="')[2][:32]
    assert hub.manifest(widgets=[{"id": str(widget_id), **other}]).status_code in {200, 201}
    for fields in ({"seen": seen}, {}):
        assert editor.post(f"{path}/retire", fields).status_code == 409
    assert status_of(editor.service, widget_id) == "active"


def test_one_that_its_hub_left_out_is_retired_for_good(editor: AdminBrowser, hub: Hub, prefix: str) -> None:
    """Then the manifest does not bring it back."""
    widget_id = uuid4()
    widget = {"id": str(widget_id), "name": prefix}
    path = widget_path(widget_id)
    assert hub.manifest(widgets=[widget]).status_code in {200, 201}
    assert hub.manifest().status_code in {200, 201}
    assert "Its hub has left it out of its last manifest." in text_of(editor.get(path))
    assert send(editor, f"{path}/retire").status_code == 303
    assert "left it out" not in text_of(editor.get(path))
    assert hub.manifest(widgets=[widget]).status_code in {200, 201}
    assert status_of(editor.service, widget_id) == "retired"


def test_an_unknown_id_leads_to_the_form_and_the_list(editor: AdminBrowser) -> None:
    """What is no id only to the list."""
    unknown = uuid4()
    for end in ("", "/retire"):
        page = editor.get(f"{WIDGETS}/{unknown}{end}")
        assert page.status_code == 404
        assert f'href="{WIDGETS}?widget_id={unknown}"' in page.text
        assert editor.get(f"{WIDGETS}/x{end}").status_code == 404
        assert editor.get(f"{WIDGETS}/%00{end}").status_code == 404
    assert editor.post(f"{WIDGETS}/{unknown}/retire").status_code == 404
