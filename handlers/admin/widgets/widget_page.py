"""The page of a widget: what it is, and what happened to it last. And the page that asks before it is retired."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import Connection
from starlette.responses import Response

from db import event_search, widget_list, widgets
from db.event_search import StoredEvent
from db.widget_list import Listed
from handlers.admin import stale
from handlers.admin.roles import GET, POST
from handlers.admin.stale import SEEN, Shown
from handlers.admin.visits import Handle, Visit
from handlers.admin.widgets import widget_ids
from handlers.pages import parameters
from handlers.pages.page_problems import PageRefusal
from handlers.paths import WIDGETS, register_widget_path, widget_path
from handlers.sessions.fields import Fields
from openapi.rendering.visible_text import visible

EVENTS = 5
KIND = "widget"
"""How the audit log names the rows."""
RETIRE = "retire"


@dataclass(frozen=True, slots=True)
class WidgetPage:
    """The page; `events` occurred last. `retire` is the path of the page that asks before it is retired."""

    widget: Listed
    events: Sequence[StoredEvent]
    retire: str
    title: str
    tab: str = WIDGETS


@dataclass(frozen=True, slots=True)
class RetirePage:
    """The page that asks; `last` is the event that occurred last, None if there is none."""

    widget: Listed
    last: StoredEvent | None
    fields: Fields
    seen: str
    action: str
    back: str
    labels: Mapping[str, str] = field(default_factory=lambda: {"why": "Why"})
    title: str = "Retire the widget"
    tab: str = WIDGETS


def pages() -> dict[tuple[str, str], Handle]:
    """The page, the one that asks, and its form."""
    one, retire = widget_path("{id}"), widget_path("{id}", RETIRE)
    return {(GET, one): _show, (GET, retire): _ask, (POST, retire): _retire}


async def _show(visit: Visit) -> Response:
    widget, events = await _known(visit, EVENTS)
    page = WidgetPage(widget, events, widget_path(widget.id, RETIRE), widget.name)
    return visit.page("widget.html", page)


async def _ask(visit: Visit) -> Response:
    return await _retire_page(visit, Fields())


async def _retire_page(visit: Visit, fields: Fields) -> Response:
    widget, events = await _known(visit, 1)
    path = widget_path(widget.id)
    if not widget.may_be_retired:
        raise PageRefusal(
            409, "changed_meanwhile", "The widget is retired already", "There is nothing to do.", {path: "Its page"}
        )
    last, seen = events[0] if events else None, stale.state_of(widget)
    page = RetirePage(widget, last, fields, seen, widget_path(widget.id, RETIRE), path)
    return visit.page("widget_retire.html", page, 422 if fields.faults else 200)


async def _retire(visit: Visit) -> Response:
    fields = Fields(visit.form)
    fields.text("why")
    if fields.faults:
        return await _retire_page(visit, fields)
    widget, _ = await _known(visit, 0)
    await visit.change(RETIRE, _retired, widget.id, visit.form.text(SEEN))
    done = f"{widget.name} is retired: new events about it are refused. Stored ones stay."
    return await visit.go_on(widget_path(widget.id), done)


def _retired(connection: Connection, widget_id: UUID, seen: str) -> None:
    shown = Shown(KIND, str(widget_id), seen, widget_path(widget_id))
    stale.require_unchanged(connection, widget_list.find(connection, widget_id), shown)
    widgets.retire(connection, widget_id)


async def _known(visit: Visit, limit: int) -> tuple[Listed, Sequence[StoredEvent]]:
    """The widget in the path, and its last events; PageRefusal 404 if there is none."""
    text = visit.request.path_params["id"]
    identifier = widget_ids.read(text)
    found = await visit.read(_read, identifier, limit) if identifier else None
    if found is None:
        raise _missing(text[: parameters.LONGEST], is_id=identifier is not None)
    return found


def _read(connection: Connection, widget_id: UUID, limit: int) -> tuple[Listed, Sequence[StoredEvent]] | None:
    widget = widget_list.find(connection, widget_id)
    if widget is None:
        return None
    return widget, event_search.of_widget(connection, widget_id, limit) if limit else ()


def _missing(text: str, *, is_id: bool) -> PageRefusal:
    shown = visible(text)
    links = {register_widget_path(text): f"Register {shown}"} if is_id else {}
    help_ = "The list has every widget, and finds one by its id or a part of its name."
    return PageRefusal(404, "not_found", f"No widget has the id “{shown}”", help_, {**links, WIDGETS: "All widgets"})
