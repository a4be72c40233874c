"""The filters of rejections: read from an address or a form, and shown in words."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import get_args
from urllib.parse import urlencode

from sqlalchemy import Connection
from starlette.requests import Request

from db import hubs
from db.errors import NotFound
from db.rejections import KINDS, RejectionFilter, State
from handlers.pages import parameters
from handlers.pages.page_problems import PageRefusal
from handlers.paths import ADMIN
from handlers.sessions.fields import Fields
from handlers.similar_names import SimilarNames

PATH = f"{ADMIN}/rejected"
STATES: tuple[State, ...] = get_args(State)
NAMES = ("code", "hub", "event_type", "kind")
_TEXTS = NAMES[:3]
SIMILAR = 5
"""Hubs that the page of an unknown name leads to, at most."""
_WORDS = {"code": "code", "hub": "hub", "event_type": "event type", "kind": "kind"}


@dataclass(frozen=True, slots=True)
class Asked:
    """A filter in an address: texts, empty for any; the hub by its name."""

    code: str = ""
    hub: str = ""
    event_type: str = ""
    kind: str = ""
    state: State = "waiting"

    @property
    def given(self) -> dict[str, str]:
        """What is not empty, by name."""
        return {name: value for name in NAMES if (value := getattr(self, name))}

    def path(self, **more: object) -> str:
        """The path of the list with this filter."""
        state = {} if self.state == STATES[0] else {"state": self.state}
        query = urlencode({**self.given, **state, **more})
        return f"{PATH}?{query}" if query else PATH

    def of(self, connection: Connection) -> RejectionFilter:
        """The filter of the database; PageRefusal 404, with the nearest names, if it has no such hub."""
        hub_id = None
        if self.hub:
            try:
                hub_id = hubs.get(connection, self.hub).id
            except NotFound:
                raise self._unknown_hub(connection) from None
        return RejectionFilter(self.code or None, hub_id, self.event_type or None, self.kind or None)

    def _unknown_hub(self, connection: Connection) -> PageRefusal:
        names = tuple(hub.name for hub in hubs.list_all(connection))
        alike = SimilarNames(names).several(self.hub, SIMILAR)
        links = {replace(self, hub=name).path(): f"Rejections of {name}" for name in alike}
        title = f"There is no hub named {self.hub!r}"
        return PageRefusal(404, "not_found", title, "It may have another name.", links | {PATH: "All rejections"})


def of_query(request: Request) -> Asked:
    """The filter in an address; UnreadableParameter if there is none in it that can be read."""
    code, hub, event_type = (_printed(parameters.text(request, name)) for name in _TEXTS)
    state = parameters.choice(request, "state", STATES)
    kind = parameters.choice(request, "kind", KINDS)
    return Asked(code, hub, event_type, kind, "replayed" if state == "replayed" else "waiting")


def of_form(fields: Fields) -> Asked:
    """The filter in the hidden fields of a form."""
    code, hub, event_type = (_printed(fields.value(name)[: parameters.LONGEST]) for name in _TEXTS)
    kind = fields.value("kind")
    return Asked(code, hub, event_type, kind if kind in KINDS else "")


def in_words(values: Mapping[str, object], hub: str | None) -> str:
    """What a replay is of, from its filter as JSON; `hub` is the name of its hub."""
    if isinstance(ids := values.get("ids"), list):
        return "1 rejection" if len(ids) == 1 else f"{len(ids):,} selected rejections"
    named = {**values, "hub": hub or values["hub_id"]} if "hub_id" in values else values
    words = [f"{word} {named[name]}" for name, word in _WORDS.items() if name in named]
    return f"All rejections with {', '.join(words)}" if words else "All rejections"


def _printed(text: str) -> str:
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")  # PostgreSQL takes no NUL: nothing is found
