"""The routes of the pages outside the versions of the API."""

from starlette.routing import Route

from handlers.paths import HEALTH, METRICS, RECOVERY
from handlers.site import authorization_server, contract_pages, health, migration_pages, problem_pages, recovery
from scripts.service.metrics import metrics


def routes(public_url: str, document_url: str, operator_key: str) -> list[Route]:
    """The routes of a service that clients reach at `public_url`; without `operator_key` operators have no page.

    The URLs of served documents are below `document_url`, or relative if that is empty.
    """
    return [
        Route(f"{HEALTH}/live", health.live),
        Route(f"{HEALTH}/ready", health.ready),
        Route(METRICS, metrics),
        Route(RECOVERY, recovery.recovery),
        *contract_pages.routes(document_url),
        *problem_pages.routes(public_url),
        *authorization_server.routes(),
        *migration_pages.routes(operator_key),
    ]
