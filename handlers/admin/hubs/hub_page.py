"""The page of a hub: how it is, what it sends, and what it may do."""

from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from sqlalchemy import Connection
from starlette.responses import Response

from db import hub_list
from db.errors import NotFound
from db.oauth_clients import OAuthClient
from handlers.admin.hubs import states
from handlers.admin.hubs.facts import Facts, look_up
from handlers.admin.hubs.paths import HUBS, ONE, client_path, form_path, name_of
from handlers.admin.roles import GET
from handlers.admin.visits import Handle, Visit
from handlers.pages.page_problems import PageRefusal
from handlers.paths import ADMIN, hub_path
from handlers.similar_names import SimilarNames
from openapi.rendering.visible_text import visible

NEAREST = 5
OUTCOMES = ("created", "duplicate", "rejected", "throttled")


@dataclass(frozen=True, slots=True)
class HubPage:
    """The page. `seen` is the state of the hub for its forms."""

    title: str
    facts: Facts
    state: str
    seen: str
    names_of_outcomes: tuple[str, ...] = OUTCOMES
    tab: str = HUBS

    def form(self, action: str) -> str:
        """The path of a form about the hub."""
        return form_path(action, self.title)

    def client_form(self, action: str, client: OAuthClient) -> str:
        """The path of a form about a client."""
        return client_path(action, client)

    def seen_client(self, client: OAuthClient) -> str:
        """The state of a client for its forms."""
        return states.of_client(client)

    @property
    def rejections(self) -> str:
        """The path of what was rejected of this hub."""
        return f"{ADMIN}/rejected?hub={quote(self.title, safe='')}"


def pages() -> dict[tuple[str, str], Handle]:
    """The page."""
    return {(GET, ONE): _show}


async def _show(visit: Visit) -> Response:
    name, now = name_of(visit.request), datetime.now(UTC)
    facts = await visit.read(_known, name, now)
    if isinstance(facts, PageRefusal):
        raise facts
    hub = facts.hub
    page = HubPage(
        hub.name,
        facts,
        states.word(hub.disabled_at, hub.cut_over_at, facts.seen_at, now),
        states.of_hub(hub, facts.origins),
    )
    return visit.page("hub.html", page)


def _known(connection: Connection, name: str, now: datetime) -> Facts | PageRefusal:
    """What is known about the hub; a refusal with the nearest names if there is none."""
    try:
        return look_up(connection, name, now)
    except NotFound:
        nearest = SimilarNames(hub_list.names(connection)).several(name, NEAREST)
    links = {hub_path(each): f"Did you mean {visible(each)}?" for each in nearest}
    help_ = "The list has every hub, and finds a name by a part of it."
    return PageRefusal(404, "not_found", f"There is no hub named {name[:200]!r}", help_, {**links, HUBS: "All hubs"})
