"""The page where admins sign in, and the end of their sessions."""

import re
from dataclasses import dataclass, field, replace
from uuid import UUID

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from db import admins, audit, page_sessions
from db.audit import Author
from handlers.admin.visits import Visit, address
from handlers.pages import parameters
from handlers.pages.templates import PRIVATE, rendered
from handlers.paths import ADMIN, SIGN_IN
from handlers.security import failed_attempts, passwords
from handlers.sessions import cookies, forms, guesses, reading
from handlers.sessions.fields import Fields
from handlers.site.service_state import service_state
from openapi.serving.request_state import request_state
from openapi.standards.media_types import HTML

_RETURN = re.compile(rf"{ADMIN}(?:[/?][^\\\x00-\x20\x7f]*)?")
LONGEST_RETURN = 4000


@dataclass(frozen=True, slots=True)
class SignIn:
    """The page. Without admins it says how to make one. `leads_to` is where it goes on, `token` that of its form.

    `issuer` is the host of the issuer that signs in admins, too; empty if none does.
    """

    fields: Fields
    leads_to: str
    token: str
    has_admins: bool
    keeps_cookies: bool
    issuer: str = ""
    title: str = "Sign in"
    tab: str = ""
    labels: dict[str, str] = field(default_factory=lambda: {"name": "Name", "password": "Password"})


def routes() -> list[Route]:
    """The page."""
    return [Route(SIGN_IN, _show, methods=["GET"]), Route(SIGN_IN, _sign_in, methods=["POST"])]


async def sign_out(visit: Visit) -> Response:
    """End the session, whose cookie is worth nothing from now on."""
    await visit.read(_end, visit.session.digest, replace(visit.author, reason=None))
    response = RedirectResponse(SIGN_IN, 303, PRIVATE)
    cookies.delete_cookie(visit.request, response, cookies.ADMIN)
    return response


def safe_return(path: str) -> str:
    """`path` if it is a page of the admin, else the first one: no link leads from here to another origin."""
    return path if _RETURN.fullmatch(path) and len(path) <= LONGEST_RETURN else ADMIN


async def begin(request: Request, admin_id: UUID, hashed: str | None, author: Author, leads_to: str) -> Response | None:
    """Begin a session of an admin who has proven who they are, under a new cookie (session fixation).

    A former session of the browser ends. None if the account is disabled meanwhile, or no longer has the password with
    the hash `hashed`; None as a hash stands for an issuer's word.
    """
    cookie, former = cookies.new(), cookies.digest(cookies.value(request, cookies.ADMIN))
    if not await reading.run(request, _begin, cookies.digest(cookie), former, (admin_id, hashed), author):
        return None
    response = RedirectResponse(leads_to, 303, PRIVATE)
    cookies.set_cookie(request, response, cookies.ADMIN, cookie)
    cookies.delete_cookie(request, response, cookies.VISITOR)
    return response


async def _show(request: Request) -> Response:
    leads_to = safe_return(parameters.text(request, "return", LONGEST_RETURN))
    cookie = cookies.value(request, cookies.ADMIN)
    session = await reading.run(request, page_sessions.of_admin, cookies.digest(cookie))
    if session is not None:
        return RedirectResponse(leads_to, 303, PRIVATE)
    return await _page(request, Fields(), leads_to)


async def _sign_in(request: Request) -> Response:
    visitor = cookies.value(request, cookies.VISITOR)
    form = await forms.read(request, cookies.form_token(visitor or cookies.new()))
    leads_to, fields = safe_return(form.text("return")), Fields(form)
    name = fields.name("name", "your name")
    if not form.secret("password"):
        fields.refuse("password", "Enter your password.")
    if fields.faults:
        return await _page(request, fields, leads_to, 422)
    proven = await _proven(request, name, form.secret("password"))
    author = Author(f"admin:{name}", None, address(request))
    response = await begin(request, *proven, author, leads_to) if proven else None
    if response is None:
        fields.refuse("name", "The name or the password is wrong, or the account is disabled.")
        return await _page(request, fields, leads_to, 422)
    return response


async def _proven(request: Request, name: str, password: str) -> tuple[UUID, str] | None:
    """The id of the admin of a name and a password, and its hash; None if they do not belong together.

    PageRefusal after too many guesses.
    """
    buckets = failed_attempts.of_admin(request.scope, name), failed_attempts.of_address(request.scope)
    guesses.begin(request, *buckets)
    hashed = await reading.run(request, admins.password, name)
    try:
        sender = failed_attempts.sender(request.scope)
        matches = await service_state(request).passwords.matches(password, hashed, sender)
    except passwords.Busy:
        guesses.right(request, *buckets)
        raise guesses.too_many(request, 1) from None
    if not matches or hashed is None:
        request_state(request.scope).reason = "the name or the password of an admin is wrong"
        return None
    guesses.right(request, *buckets)
    return (await reading.run(request, admins.get, name)).id, hashed


async def _page(request: Request, fields: Fields, leads_to: str, status: int = 200) -> Response:
    visitor = cookies.value(request, cookies.VISITOR) or cookies.new()
    has_admins = await reading.run(request, admins.exist)
    issuer = service_state(request).sign_in_issuer
    host = issuer.host if issuer else ""
    page = SignIn(fields, leads_to, cookies.form_token(visitor), has_admins, cookies.are_kept(request), host)
    response = Response(rendered("sign_in.html", page), status, PRIVATE, HTML)
    cookies.set_cookie(request, response, cookies.VISITOR, visitor)
    return response


def _begin(connection: Connection, digest: str, former: str, proven: tuple[UUID, str | None], author: Author) -> bool:
    if not admins.may_sign_in(connection, *proven):
        return False
    page_sessions.end(connection, former)
    page_sessions.begin_of_admin(connection, digest, proven[0])
    audit.note(connection, author, "sign in", "admin", _name(author))
    return True


def _end(connection: Connection, digest: str, author: Author) -> None:
    page_sessions.end(connection, digest)
    audit.note(connection, author, "sign out", "admin", _name(author))


def _name(author: Author) -> str:
    return author.name.partition(":")[2]
