"""The live tail for admins: the page, and the stream that its script reads."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from db import page_sessions
from handlers.admin.roles import GET
from handlers.admin.visits import Handle, Visit
from handlers.live import page
from handlers.live.stream import Viewer
from handlers.sessions import cookies, reading
from handlers.site.service_state import service_state
from openapi.problems import Problem


def pages() -> dict[tuple[str, str], Handle]:
    """The page."""
    return {(GET, page.LIVE): _show}


def stream_route() -> Route:
    """The stream: no page, so that a browser asks for it as programs ask."""
    return page.stream_route(_admit)


async def _show(visit: Visit) -> Response:
    return visit.page("live.html", await page.show(visit.request))


async def _admit(request: Request) -> Viewer:
    """The admin who is signed in, for as long as they are; nothing is there for others."""
    digest = cookies.digest(cookies.value(request, cookies.ADMIN))
    session = await reading.run(request, page_sessions.of_admin, digest)
    if session is None:
        raise Problem("not_found")
    sessions = service_state(request).living_sessions
    return Viewer(str(session.admin_id), lambda: sessions.has(digest))
