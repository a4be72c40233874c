"""Who is signed in as a hub, and what every page for it begins with."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from db import page_sessions
from db.page_sessions import HubSession
from handlers.hub import permissions
from handlers.pages.browsers import problem_page
from handlers.pages.templates import PRIVATE, TABS, Page, rendered
from handlers.paths import HUB
from handlers.sessions import cookies, forms, reading
from handlers.sessions.forms import Form
from handlers.site.service_state import service_state
from openapi.problems import Problem
from openapi.serving.request_state import request_state
from openapi.standards.media_types import HTML

SIGN_IN, SIGN_OUT = f"{HUB}/sign-in", f"{HUB}/sign-out"

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class HubFrame:
    """What is around the pages of a hub that is signed in: those of the portal, and the hub's name."""

    who: str
    token: str
    note: Mapping[str, Any] | None
    tabs: Mapping[str, str]
    template: str = "portal.html"
    sign_out: str = SIGN_OUT


@dataclass(frozen=True, slots=True)
class HubVisit:
    """One request of a hub that is signed in, with the form that was sent, which is empty with GET."""

    request: Request
    session: HubSession
    form: Form
    frame: HubFrame

    async def read(self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """As `reading.run`."""
        return await reading.run(self.request, function, *args, **kwargs)

    def page(self, template: str, page: Page, status: int = 200) -> Response:
        """A page of the hub."""
        return Response(rendered(template, page, self.frame), status, PRIVATE, HTML)

    def lack(self, operation_id: str) -> str:
        """As `permissions.lack`."""
        return permissions.lack(self.request, self.session, operation_id)

    async def go_on(self, path: str, text: str, kind: str = "done") -> Response:
        """Lead to `path`, whose page says `text` on top."""
        await self.read(page_sessions.say, self.session.digest, {"text": text, "kind": kind})
        return RedirectResponse(path, 303, PRIVATE)


Handle = Callable[[HubVisit], Awaitable[Response]]


def _to_sign_in(_request: Request) -> Response:
    return RedirectResponse(HUB, 303, PRIVATE)


def route(
    path: str,
    method: str,
    handle: Handle,
    otherwise: Callable[[Request], Response] = _to_sign_in,
    operation_id: str | None = None,
) -> Route:
    """A page or a form for a hub that is signed in; `otherwise` answers others.

    It is refused to a client that may not call the operation.
    """

    async def endpoint(request: Request) -> Response:
        request_state(request.scope).headers = [(name.encode(), value.encode()) for name, value in PRIVATE.items()]
        cookie = cookies.value(request, cookies.HUB)
        session = await session_of(request)
        if session is None:
            return otherwise(request)
        frame = HubFrame(session.hub_name, cookies.form_token(cookie), session.note, TABS)
        try:
            form = await forms.read(request, frame.token) if request.method == "POST" else Form()
            if operation_id:
                permissions.require(request, session, operation_id)
            async with service_state(request).page_turns:
                response = await handle(HubVisit(request, session, form, frame))
        except Problem as problem:
            response = problem_page(problem, request, frame)
        if session.note and response.status_code == 200:
            with suppress(Problem):  # then it is said twice
                await reading.run(request, page_sessions.say, session.digest, None)
        return response

    return Route(path, endpoint, methods=[method])


async def session_of(request: Request) -> HubSession | None:
    """The session of the cookie in a request; None if there is none, or it has ended."""
    cookie = cookies.value(request, cookies.HUB)
    return await reading.run(request, page_sessions.of_hub, cookies.digest(cookie)) if cookie else None
