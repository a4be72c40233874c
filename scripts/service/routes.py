"""The routes of the pages outside the versions of the API."""

from starlette.routing import Route

from handlers.admin import accounts, audit_log, events, live, migration, overview, sign_in, visits
from handlers.admin.contracts import changing, comparing, listing, publishing, rehearsing, version_page
from handlers.admin.hubs import pages as hub_pages
from handlers.admin.issuer import sign_in as issuer_sign_in
from handlers.admin.registry import event_type_page, registry_page
from handlers.admin.rejections import rejection_list, rejection_page, replay_pages
from handlers.admin.roles import POST
from handlers.admin.visits import Handle
from handlers.admin.widgets import widget_list, widget_page
from handlers.contracts.publications import Publications
from handlers.hub import overview as hub_overview
from handlers.hub import rejected as hub_rejected
from handlers.hub import sign_in as hub_sign_in
from handlers.pages import assets
from handlers.paths import ADMIN, HEALTH, METRICS, RECOVERY
from handlers.portal import (
    client_overview,
    comparison_pages,
    event_type,
    event_types,
    home,
    status_page,
    try_page,
)
from handlers.portal import contract_pages as portal_contract_pages
from handlers.portal.problems import pages as problem_pages
from handlers.site import authorization_server, contract_pages, health, migration_pages, recovery
from handlers.tools import tool_pages
from scripts.service.metrics import metrics


def routes(publications: Publications, public_url: str, operator_key: str, tools: str) -> list[Route]:
    """The routes of a service that clients reach at `public_url`; without `operator_key` operators have no page.

    `tools` names the callers of the tools.
    """
    return [
        Route(f"{HEALTH}/live", health.live),
        Route(f"{HEALTH}/ready", health.ready),
        Route(METRICS, metrics),
        Route(RECOVERY, recovery.recovery),
        *assets.routes(),
        *contract_pages.routes(publications),
        *problem_pages.routes(publications, public_url),
        *authorization_server.routes(),
        *migration_pages.routes(operator_key),
        *tool_pages.routes(tools, operator_key),
        live.stream_route(),
    ]


def pages(publications: Publications, public_url: str) -> list[Route]:
    """The pages for people, at paths where programs find something else, or nothing."""
    return [
        *home.routes(publications),
        contract_pages.feed_route(publications),
        *comparison_pages.routes(publications),
        *portal_contract_pages.routes(publications),
        *try_page.routes(publications, public_url),
        *event_types.routes(),
        *event_type.routes(publications),
        *problem_pages.pages(publications, public_url),
        *client_overview.routes(publications),
        *status_page.routes(publications),
        *hub_overview.routes(),
        *hub_sign_in.routes(),
        *hub_rejected.routes(),
    ]


def admin() -> list[Route]:
    """The pages of operators: where they sign in, and those for admins who are signed in."""
    return [*sign_in.routes(), *issuer_sign_in.routes(), migration.redirect(), *visits.routes(admin_pages())]


def admin_pages() -> dict[tuple[str, str], Handle]:
    """The pages of the admin and their forms, by method and path."""
    return {
        (POST, f"{ADMIN}/sign-out"): sign_in.sign_out,
        **overview.pages(),
        **accounts.pages(),
        **live.pages(),
        **events.pages(),
        **migration.pages(),
        **audit_log.pages(),
        **registry_page.pages(),
        **event_type_page.pages(),
        **widget_list.pages(),
        **widget_page.pages(),
        **hub_pages.pages(),
        **rejection_list.pages(),
        **rejection_page.pages(),
        **replay_pages.pages(),
        **listing.pages(),
        **comparing.pages(),
        **publishing.pages(),
        **version_page.pages(),
        **rehearsing.pages(),
        **changing.pages(),
    }
