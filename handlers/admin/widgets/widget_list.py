"""The list of widgets, a search in it, and a form that registers one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import Connection
from starlette.responses import Response

from db import widget_list, widgets
from db.errors import Refused
from db.ids import new_id
from db.widget_list import STATUSES, Listed
from handlers.admin.roles import GET, POST
from handlers.admin.visits import Handle, Visit
from handlers.admin.widgets import widget_ids
from handlers.pages import name_lists, parameters
from handlers.paths import ADMIN, WIDGETS, widget_path
from handlers.sessions.fields import Fields
from handlers.sessions.reading import sentence

ROWS = 50
WIDGET_ID, REJECTION = "widget_id", "rejection"
"""Parameters of the address: what the form is filled in with, and the rejection that it leads back to."""
NEW_ID = "new_id"
"""The hidden field with the id of a widget that has none: a form that is sent twice registers one widget."""


@dataclass(frozen=True, slots=True)
class Widgets:
    """The page. `asked` is what the list is limited to, and `more` the path of its next page, None after the last one.

    `searched_to` is the last id that was searched, if the search ended before the last one of all. The form is about
    `wanted`, an id as it was given, if one was; `known` is the widget that has it.
    """

    rows: Sequence[Listed]
    asked: Mapping[str, str]
    is_first: bool
    more: str | None
    searched_to: UUID | None
    wanted: str
    known: Listed | None
    fields: Fields
    statuses: tuple[str, ...] = STATUSES
    labels: Mapping[str, str] = field(default_factory=lambda: {"name": "Name", WIDGET_ID: "Id", "why": "Why"})
    title: str = "Widgets"
    tab: str = WIDGETS

    @property
    def start(self) -> str:
        """The path of the first page of the list."""
        return name_lists.path(WIDGETS, self.asked)

    @property
    def is_id_asked(self) -> bool:
        """True if the search is for an id."""
        return widget_ids.read(self.asked["q"]) is not None


def pages() -> dict[tuple[str, str], Handle]:
    """The page, and the form that registers a widget."""
    return {(GET, WIDGETS): _list, (POST, WIDGETS): _register}


async def _list(visit: Visit) -> Response:
    wanted, rejection = (parameters.text(visit.request, name) for name in (WIDGET_ID, REJECTION))
    return await _page(visit, Fields(new_id=new_id(), widget_id=wanted, rejection=rejection), wanted)


async def _register(visit: Visit) -> Response:
    fields = Fields(visit.form)
    name, given = fields.name("name", "the name of the widget"), fields.value(WIDGET_ID)
    fields.text("why")
    identifier = widget_ids.read(given or fields.value(NEW_ID))
    if given and identifier is None:
        fields.refuse(WIDGET_ID, f"Enter a UUID, such as {widget_ids.EXAMPLE}, or nothing.")
    if not fields.faults:
        try:
            widget = await visit.change("register", widgets.register, name, identifier)
        except Refused as error:
            fields.refuse(WIDGET_ID, sentence(error))
        else:
            return await _go_on(visit, widget.id, f"{name} is registered, and events may be about it now.")
    return await _page(visit, fields, str(identifier or "") if WIDGET_ID in fields.faults else given)


async def _go_on(visit: Visit, widget_id: UUID, done: str) -> Response:
    """Lead to the page of the widget, or back to the rejection that the form came from."""
    rejection = widget_ids.read(visit.form.text(REJECTION))
    if rejection is None:
        return await visit.go_on(widget_path(widget_id), f"{done} Its id is {widget_id}.")
    return await visit.go_on(f"{ADMIN}/rejected/{rejection}", f"{done} This can be replayed.")


async def _page(visit: Visit, fields: Fields, wanted: str) -> Response:
    request = visit.request
    asked = {"q": parameters.text(request, "q"), "status": parameters.choice(request, "status", STATUSES)}
    after = _after(visit)
    page, known = await visit.read(_read, asked, after, widget_ids.read(wanted))
    more = page.next_after
    shown = Widgets(
        rows=page.widgets,
        asked=asked,
        is_first=after is None,
        more=name_lists.path(WIDGETS, asked, str(more)) if more else None,
        searched_to=more if len(page.widgets) < ROWS else None,
        wanted=wanted,
        known=known,
        fields=fields,
    )
    return visit.page("widgets.html", shown, 422 if fields.faults else 200)


def _after(visit: Visit) -> UUID | None:
    """The id after which the page begins; None for the first page."""
    if (text := name_lists.after(visit.request)) is None:
        return None
    if (identifier := widget_ids.read(text)) is None:
        raise parameters.UnreadableParameter("cursor is from no page of this list", "Begin with the first page.")
    return identifier


def _read(
    connection: Connection, asked: Mapping[str, str], after: UUID | None, wanted: UUID | None
) -> tuple[widget_list.Page, Listed | None]:
    known = widget_list.find(connection, wanted) if wanted else None
    status = next((each for each in STATUSES if each == asked["status"]), None)
    if identifier := widget_ids.read(asked["q"]):
        found = widget_list.find(connection, identifier)
        is_asked = found is not None and asked["status"] in ("", found.status)
        return widget_list.Page([found] if found and is_asked else [], None), known
    return widget_list.page(connection, status, asked["q"], after, ROWS), known
