"""The page where a hub signs in, with its API key or its client, and the end of its session."""

from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from db import keys, page_sessions
from handlers.hub.sessions import SIGN_IN, SIGN_OUT, HubVisit, route
from handlers.pages.templates import PRIVATE, rendered
from handlers.paths import HUB
from handlers.security import failed_attempts
from handlers.sessions import cookies, forms, guesses, reading
from handlers.sessions.fields import Fields
from openapi.serving.request_state import request_state
from openapi.standards.media_types import HTML

_REFUSED = (
    "This key or secret is not known, or it is disabled. It may have been rotated. "
    "A hub that has moved to access tokens signs in with the secret of its client."
)


@dataclass(frozen=True, slots=True)
class HubSignIn:
    """The page; `token` is that of its form."""

    fields: Fields
    token: str
    keeps_cookies: bool
    title: str = "Your hub"
    tab: str = HUB
    labels: dict[str, str] = field(default_factory=lambda: {"secret": "API key, or secret of a client"})


def routes() -> list[Route]:
    """The form of the page, and the form that signs out."""
    return [Route(SIGN_IN, _sign_in, methods=["POST"]), route(SIGN_OUT, "POST", _sign_out)]


async def _sign_in(request: Request) -> Response:
    visitor = cookies.value(request, cookies.VISITOR)
    form = await forms.read(request, cookies.form_token(visitor or cookies.new()))
    fields, secret = Fields(form), form.text("secret")
    if not secret:
        fields.refuse("secret", "Enter the key of the hub, or the secret of its client.")
        return page(request, fields, 422)
    bucket = failed_attempts.of_address(request.scope)
    guesses.begin(request, bucket)
    cookie = cookies.new()
    name = await reading.run(request, page_sessions.begin_of_hub, cookies.digest(cookie), keys.digest(secret))
    if name is None:
        request_state(request.scope).reason = "no hub has the key or the secret"
        fields.refuse("secret", _REFUSED)
        return page(request, fields, 422)
    guesses.right(request, bucket)
    response = RedirectResponse(HUB, 303, PRIVATE)
    cookies.set_cookie(request, response, cookies.HUB, cookie)
    cookies.delete_cookie(request, response, cookies.VISITOR)
    return response


async def _sign_out(visit: HubVisit) -> Response:
    await visit.read(page_sessions.end, visit.session.digest)
    response = RedirectResponse(HUB, 303, PRIVATE)
    cookies.delete_cookie(visit.request, response, cookies.HUB)
    return response


def page(request: Request, fields: Fields, status: int = 200) -> Response:
    """The page where a hub signs in."""
    visitor = cookies.value(request, cookies.VISITOR) or cookies.new()
    shown = HubSignIn(fields, cookies.form_token(visitor), cookies.are_kept(request))
    response = Response(rendered("hub_sign_in.html", shown), status, PRIVATE, HTML)
    cookies.set_cookie(request, response, cookies.VISITOR, visitor)
    return response
