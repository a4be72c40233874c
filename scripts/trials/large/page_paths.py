"""The pages of a service on a large database: for each route, paths with names, filters and later parts of lists."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlencode

from sqlalchemy import Connection, text

from handlers.lists.cursors import name_cursor

Paths = Mapping[str, Sequence[str]]
"""The paths of pages, by route. The first of each is the page as most visitors see it."""

_KNOWN = text("""
    SELECT (SELECT max(id::text) FROM (SELECT id FROM interaction_events ORDER BY id DESC LIMIT 1) AS newest) AS event,
        (SELECT id::text FROM rejected_submissions ORDER BY position LIMIT 1) AS rejection,
        (SELECT position FROM rejected_submissions ORDER BY position OFFSET 2000 LIMIT 1) AS rejected_before,
        (SELECT position FROM interaction_events ORDER BY position DESC LIMIT 1) AS position,
        (SELECT id::text FROM replays ORDER BY created_at LIMIT 1) AS replay,
        (SELECT client_id FROM oauth_clients ORDER BY client_id LIMIT 1) AS client,
        (SELECT max(id) / 2 FROM audit) AS change,
        (SELECT hubs.name FROM rejected_submissions JOIN hubs ON hubs.id = hub_id ORDER BY position LIMIT 1) AS hub,
        (SELECT hub_id::text FROM rejected_submissions ORDER BY position LIMIT 1) AS hub_id,
        (SELECT name FROM event_type_registry WHERE name LIKE 'type.%' AND status = 'active' ORDER BY name LIMIT 1)
            AS type,
        (SELECT name FROM event_type_registry WHERE name LIKE 'type.%' ORDER BY name OFFSET 60 LIMIT 1) AS later_type,
        (SELECT name FROM hubs ORDER BY name OFFSET 60 LIMIT 1) AS later_hub
""")
_FORMS = ("rotate-key", "disable", "cut-over", "limit", "add-origin", "issue-client")
_STEPS = (
    "activate",
    "deprecate",
    "withdraw-deprecation",
    "retire",
    "rollback",
    "withdraw-version",
    "discard",
)
_OF_CONTRACTS = ("card", "changelog", "try", "clients")


@dataclass(frozen=True, slots=True)
class Known:
    """Names and ids of rows that `large_database` has made."""

    event: str
    rejection: str
    rejected_before: int
    position: int
    replay: str
    client: str
    change: int
    hub: str
    hub_id: str
    type: str
    later_type: str
    later_hub: str


def known(connection: Connection) -> Known:
    """Rows of a filled database."""
    return Known(*connection.execute(_KNOWN).one())


def of_admin(known: Known) -> Paths:
    """The pages for admins."""
    return {
        **_overviews(known),
        **_registry(known),
        **_widgets(known),
        **_hubs(known),
        **_rejections(known),
        **_contracts(),
    }


def _overviews(known: Known) -> Paths:
    now = datetime.now(UTC)
    hours = {"from": f"{now - timedelta(hours=30):%Y-%m-%dT%H:%M}", "to": f"{now:%Y-%m-%dT%H:%M}"}
    return {
        "/admin": ["/admin", *_with("/admin", {"period": "day"}, {"period": "two-days"})],
        "/admin/admins": ["/admin/admins"],
        "/admin/live": [
            "/admin/live",
            *_with(
                "/admin/live",
                {"after": known.position - 5000},
                {"after": 1},
                {"hub": known.hub},
                {"event_type": "type.none"},
                {"outcome": "rejected"},
            ),
        ],
        "/admin/events": [
            "/admin/events",
            *_with("/admin/events", {"hub": known.hub}, {"hub": known.hub, **hours}, {"hub": "hub none"}),
        ],
        "/admin/events/{id}": [f"/admin/events/{known.event}", "/admin/events/018f2b1a-0000-7000-8000-000000000001"],
        "/admin/migration": [
            "/admin/migration",
            *_with("/admin/migration", {"of": "all"}, {"of": "all", "after": known.later_hub}, {"days": 60}),
        ],
        "/admin/audit": [
            "/admin/audit",
            *_with(
                "/admin/audit",
                {"before": known.change},
                {"actor": "admin:person 7"},
                {"actor": "nobody"},
                {"subject": known.hub},
                {"subject": "nothing"},
                {"kind": "hub"},
                {"kind": "contract"},
                {"kind": "hub", "subject": known.hub},
                {"kind": "contract", "actor": "admin:person 7"},
                {"actor": "admin:person 7", "subject": known.hub, "kind": "hub"},
                {"actor": "admin:person 7", "subject": "nothing", "before": known.change},
            ),
        ],
    }


def _registry(known: Known) -> Paths:
    base = "/admin/event-types"
    return {
        base: [
            base,
            *_with(
                base,
                {"q": "9"},
                {"q": "nothing.like.it"},
                {"status": "pending"},
                {"status": "waiting"},
                {"status": "deprecated", "q": "nothing"},
                {"origin": "framework"},
                {"hub": known.hub},
                {"hub": known.hub, "q": "nothing"},
                {"event_type": "unknown.7"},
                {"cursor": name_cursor(known.later_type)},
            ),
        ],
        f"{base}/{{name:path}}": [f"{base}/{known.type}", f"{base}/type.none"],
    }


def _widgets(known: Known) -> Paths:
    base, one = "/admin/widgets", f"/admin/widgets/{known.hub_id}"
    return {
        base: [
            base,
            *_with(
                base,
                {"q": "99"},
                {"q": "nothing has this"},
                {"q": known.hub_id},
                {"status": "retired"},
                {"widget_id": known.hub_id},
                {"cursor": name_cursor(known.hub_id)},
                {"q": "widget", "cursor": name_cursor(known.hub_id)},
            ),
        ],
        f"{base}/{{id}}": [one, f"{base}/x"],
        f"{base}/{{id}}/retire": [f"{one}/retire"],
    }


def _hubs(known: Known) -> Paths:
    base, name = "/admin/hubs", quote(known.hub)
    return {
        base: [
            base,
            *_with(
                base,
                {"q": "99"},
                {"q": "nothing has this"},
                {"state": "active"},
                {"state": "disabled"},
                {"state": "cut over"},
                {"state": "never seen"},
                {"cursor": name_cursor(known.later_hub)},
                {"q": "hub", "cursor": name_cursor(known.later_hub)},
            ),
        ],
        f"{base}/{{name:path}}": [f"{base}/{name}", f"{base}/hub%20none"],
        "/admin/hub/manifests/{name:path}": [
            f"/admin/hub/manifests/{name}?from=1&to=3",
            f"/admin/hub/manifests/{name}",
        ],
        **{f"/admin/hub/{form}/{{name:path}}": [f"/admin/hub/{form}/{name}"] for form in _FORMS},
        **{
            f"/admin/hub/{form}/{{name:path}}": [f"/admin/hub/{form}/{known.client}"]
            for form in ("rotate-client", "disable-client")
        },
    }


def _rejections(known: Known) -> Paths:
    base = "/admin/rejected"
    return {
        base: [
            base,
            *_with(
                base,
                {"before": known.rejected_before},
                {"code": "invalid_body"},
                {"code": "none"},
                {"hub": known.hub},
                {"hub": "hub none"},
                {"event_type": "unknown.7"},
                {"event_type": "none"},
                {"kind": "annotation"},
                {"state": "replayed"},
                {"hub": known.hub, "code": "none"},
                {"hub": known.hub, "code": "none", "event_type": "unknown.7", "kind": "annotation"},
                {"code": "invalid_body", "kind": "annotation"},
                {"code": "invalid_body", "event_type": "unknown.7", "before": known.rejected_before},
            ),
        ],
        f"{base}/{{id}}": [f"{base}/{known.rejection}"],
        "/admin/replays/{id}": [f"/admin/replays/{known.replay}"],
    }


def _contracts() -> Paths:
    base, unknown = "/admin/contracts", "018f2b1a-0000-7000-8000-000000000001"
    return {
        base: [base],
        f"{base}/compare": [f"{base}/compare?old=1.0&new=1.1"],
        f"{base}/publish": [f"{base}/publish"],
        f"{base}/{{version}}": [f"{base}/1.1", f"{base}/1.0"],
        f"{base}/{{version}}/rehearsals/{{id}}": [f"{base}/1.1/rehearsals/{unknown}"],
        **{f"{base}/{{version}}/{step}": [f"{base}/1.1/{step}", f"{base}/2.0/{step}"] for step in _STEPS},
    }


def of_everyone(known: Known) -> Paths:
    """The pages for integrators."""
    types = "/event-types"
    return {
        "/": ["/"],
        types: [
            types,
            *_with(
                types,
                {"q": "9"},
                {"q": "nothing.like.it"},
                {"status": "deprecated"},
                {"cursor": name_cursor(known.later_type)},
            ),
        ],
        f"{types}/{{name:path}}": [f"{types}/{known.type}", f"{types}/type.none"],
        "/status": ["/status"],
        "/clients": ["/clients"],
        "/contracts": ["/contracts"],
        "/contracts/changelog.atom": ["/contracts/changelog.atom"],
        "/contracts/{old}/diff/{new}": ["/contracts/1.0/diff/1.1"],
        "/contracts/{version}": ["/contracts/1.1"],
        **{f"/contracts/{{version}}/{page}": [f"/contracts/1.1/{page}"] for page in _OF_CONTRACTS},
        "/problems": ["/problems", *_with("/problems", {"q": "event"})],
        "/problems/{code:path}": ["/problems/event_type_not_registered"],
    }


def of_hub(known: Known) -> Paths:
    """The pages for the hub `known.hub`, which is signed in."""
    return {
        "/hub": ["/hub", *_with("/hub", {"before": known.rejected_before})],
        "/hub/rejected/{id}": [f"/hub/rejected/{known.rejection}"],
    }


def _with(path: str, *queries: Mapping[str, object]) -> list[str]:
    return [f"{path}?{urlencode(query)}" for query in queries]
