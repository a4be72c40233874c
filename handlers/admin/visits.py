"""A request of an admin who is signed in: what every page of the admin begins with, and what its forms do."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Concatenate, ParamSpec, TypeVar
from urllib.parse import quote, urlsplit

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from db import audit, page_sessions
from db.admins import Role
from db.advisory_locks import AdvisoryLock, lock
from db.audit import Author
from db.errors import Refused
from db.page_sessions import AdminSession
from handlers.admin import roles
from handlers.admin.frame import Frame
from handlers.pages.browsers import problem_page
from handlers.pages.page_problems import PageRefusal
from handlers.pages.templates import PRIVATE, Page, rendered
from handlers.paths import ADMIN, SIGN_IN
from handlers.sessions import cookies, forms, reading
from handlers.sessions.fields import LONGEST_TEXT
from handlers.sessions.forms import Form
from handlers.site.service_state import service_state
from openapi.problems import Problem
from openapi.serving.request_state import request_state
from openapi.standards.media_types import HTML

P = ParamSpec("P")
T = TypeVar("T")

Handle = Callable[["Visit"], Awaitable[Response]]
"""Answers a request of an admin; raises Problem."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of an admin, with the form that was sent, which is empty with GET."""

    request: Request
    session: AdminSession
    form: Form
    frame: Frame
    role: Role
    """The least role that the request needs."""

    async def read(self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """As `reading.run`."""
        return await reading.run(self.request, function, *args, **kwargs)

    async def change(
        self,
        action: str,
        function: Callable[Concatenate[Connection, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """What `function` returns, which changes rows: the log says that this admin did `action`, and why.

        One change of an admin waits for the other, so that none is lost. Refused passes on: it is a fault of a field.
        """
        author = self.author

        def call(connection: Connection) -> T:
            lock(connection, AdvisoryLock.ADMIN_CHANGES)
            session = page_sessions.of_admin(connection, self.session.digest)
            if session is None or not roles.may(session.role, self.role):
                raise forbidden(self.role)
            audit.attribute(connection, action, author)
            return function(connection, *args, **kwargs)

        return await self.read(call)

    @property
    def author(self) -> Author:
        """The admin, as the log names them."""
        why = self.form.text("why").replace("\0", "")[:LONGEST_TEXT]
        return Author(f"admin:{self.session.name}", why or None, address(self.request))

    def page(self, template: str, page: Page, status: int = 200) -> Response:
        """A page of the admin."""
        return Response(rendered(template, page, frame=self.frame), status, PRIVATE, HTML)

    async def go_on(self, path: str, text: str, kind: str = "done") -> Response:
        """Lead to `path`, whose page says `text` on top."""
        await self.read(page_sessions.say, self.session.digest, {"text": text, "kind": kind})
        return RedirectResponse(path, 303, PRIVATE)


def routes(pages: dict[tuple[str, str], Handle]) -> list[Route]:
    """The routes of `pages`, by method and path; KeyError if the table of roles has no row for one."""
    return [
        Route(
            path,
            _endpoint(handle, roles.TABLE[method, path], roles.FORM_BYTES.get((method, path), forms.MOST_BYTES)),
            methods=[method],
        )
        for (method, path), handle in pages.items()
    ]


def forbidden(least: Role) -> PageRefusal:
    """The refusal of an admin who lacks the role `least`."""
    return PageRefusal(
        403,
        "role_required",
        f"This needs the role {least}",
        f"Nothing was changed. An owner can give you the role: interaction-reporting admin set-role NAME {least}",
    )


def address(request: Request) -> str | None:
    """The address that a request came from."""
    return request.client.host if request.client else None


def _endpoint(handle: Handle, least: Role, form_bytes: int) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        """Answer an admin who has the role; lead others to the page where they sign in, and back."""
        request_state(request.scope).headers = [(name.encode(), value.encode()) for name, value in PRIVATE.items()]
        cookie = cookies.value(request, cookies.ADMIN)
        session = await reading.run(request, page_sessions.of_admin, cookies.digest(cookie)) if cookie else None
        if session is None:
            return RedirectResponse(_sign_in(request), 303, PRIVATE)
        frame = Frame(session.name, session.role, cookies.form_token(cookie), session.note)
        try:
            form = await forms.read(request, frame.token, form_bytes) if request.method == "POST" else Form()
            if not roles.may(session.role, least):
                raise forbidden(least)
            async with service_state(request).page_turns:
                response = await handle(Visit(request, session, form, frame, least))
        except (Problem, Refused) as error:
            response = problem_page(_problem(error), request, frame)
        if session.note and response.status_code == 200:
            await _forget_note(request, session)
        return response

    return endpoint


async def _forget_note(request: Request, session: AdminSession) -> None:
    with suppress(Problem):  # then it is said twice
        await reading.run(request, page_sessions.say, session.digest, None)


def _sign_in(request: Request) -> str:
    """The page where an admin signs in, and which leads back to where they were."""
    try:
        url = urlsplit(str(request.url) if request.method == "GET" else request.headers.get("referer", ""))
    except ValueError:
        return SIGN_IN
    path = f"{url.path}?{url.query}" if url.query else url.path
    return f"{SIGN_IN}?return={quote(path, safe='')}" if path not in ("", ADMIN) else SIGN_IN


def _problem(error: Problem | Refused) -> Problem:
    """What a change could not do, because things are no longer as they were when the form was made."""
    if isinstance(error, Problem):
        return error
    return PageRefusal(409, "changed_meanwhile", reading.sentence(error), "Nothing was changed by this form.")
