"""The way to the issuer that signs in admins, and back from it."""

import logging
import re

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from db.audit import Author
from handlers.admin import sign_in
from handlers.admin.issuer import attempts, owned_accounts
from handlers.admin.issuer.attempts import Begun
from handlers.admin.sign_in import LONGEST_RETURN, safe_return
from handlers.admin.visits import address
from handlers.pages import parameters
from handlers.pages.browsers import problem_page
from handlers.pages.page_problems import PageRefusal
from handlers.pages.templates import PRIVATE
from handlers.paths import AT_ISSUER, ISSUED, SIGN_IN
from handlers.security import failed_attempts
from handlers.security.issuers import IssuerUnavailable
from handlers.security.sign_in_issuer import CodeRefused, SignInIssuer
from handlers.sessions import guesses, reading
from handlers.site.service_state import service_state
from openapi.oauth.authorization_requests import Attempt
from openapi.oauth.id_tokens import Subject
from openapi.oauth.jwt import InvalidToken
from openapi.problems import Problem

logger = logging.getLogger(__name__)

_LONGEST = 4000
_ERROR = re.compile("[a-z_]{1,60}")
_LATER = ("server_error", "temporarily_unavailable")
_OF_CLIENT = ("invalid_client", "unauthorized_client")


def routes() -> list[Route]:
    """The way there and back."""
    return [Route(AT_ISSUER, _lead, methods=["GET"]), Route(ISSUED, _come_back, methods=["GET"])]


async def _lead(request: Request) -> Response:
    issuer = _issuer(request)
    cookie = attempts.new(safe_return(parameters.text(request, "return", LONGEST_RETURN)))
    try:
        location = await issuer.location(Attempt(cookie))
    except IssuerUnavailable as error:
        raise _unavailable(issuer, error) from None
    response = RedirectResponse(location, 303, PRIVATE)
    attempts.keep(request, response, cookie)
    return response


async def _come_back(request: Request) -> Response:
    """Sign someone in for what the issuer says; each attempt ends here, and cannot be repeated."""
    issuer, begun = _issuer(request), attempts.begun(request)
    if begun is None:
        raise _ended(request)
    if not begun.attempt.has_state(parameters.text(request, "state", _LONGEST)):
        raise _refused(400, "wrong_state", "This is the answer to another sign-in", "Begin again, in one window alone.")
    try:
        response = await _signed_in(request, issuer, begun)
    except Problem as problem:
        response = problem_page(problem, request)
        response.headers.update(PRIVATE)
    attempts.forget(request, response)
    return response


async def _signed_in(request: Request, issuer: SignInIssuer, begun: Begun) -> Response:
    subject = await _subject(request, issuer, begun.attempt)
    where = address(request)
    admin = await reading.run(request, owned_accounts.admitted, subject, issuer.options, where)
    author = Author(f"admin:{admin.name}", None, where)
    response = await sign_in.begin(request, admin.id, None, author, begun.leads_to)
    if response is None:
        raise _refused(403, "account_disabled", "This account is disabled", "An owner can enable it again.")
    return response


async def _subject(request: Request, issuer: SignInIssuer, attempt: Attempt) -> Subject:
    """Who the issuer has signed in; PageRefusal if nobody, or if its answer cannot be trusted."""
    iss, code = (parameters.text(request, name, _LONGEST) for name in ("iss", "code"))
    bucket = failed_attempts.of_address(request.scope)
    guesses.require_room(request, bucket)
    try:
        if not await issuer.has_sent(iss):
            raise _refused(400, "other_issuer", "Another issuer has answered", f"Sign in with {issuer.host} again.")
        if error := parameters.text(request, "error", _LONGEST):
            raise _not_signed_in(issuer, error)
        if not code:
            raise _refused(400, "no_code", "The answer is not complete", f"Sign in with {issuer.host} again.")
        return await issuer.subject(code, attempt)
    except IssuerUnavailable as error:
        raise _unavailable(issuer, error) from None
    except CodeRefused as error:
        guesses.count(request, "", bucket)
        raise _code_refused(issuer, str(error)) from None
    except InvalidToken as error:
        guesses.count(request, "", bucket)
        logger.warning("an ID token of %s cannot be trusted: %s", issuer.options.url, error)
        help_ = f"What {issuer.host} said of you is not valid here. Try again; the log of the service has the reason."
        raise _refused(403, "invalid_id_token", "The sign-in cannot be trusted", help_, f"{error}") from None


def _issuer(request: Request) -> SignInIssuer:
    issuer = service_state(request).sign_in_issuer
    if issuer is None:
        raise _refused(404, "no_issuer", "No issuer signs in here", "An operator can set IR_ADMIN_OIDC_ISSUER.")
    return issuer


def _not_signed_in(issuer: SignInIssuer, error: str) -> PageRefusal:
    """The page of an error of the issuer (RFC 6749 section 4.1.2.1, OpenID Connect Core section 3.1.2.6)."""
    if error == "access_denied":
        return _refused(403, error, "You were not signed in", f"{issuer.host} refused, or you did.")
    if error in _LATER:
        return _refused(503, error, f"{issuer.host} cannot sign you in now", "Try again in a minute.")
    code = error if _ERROR.fullmatch(error) else "another error"
    help_ = f"{issuer.host} did not sign you in: {code}. If it says so again, show it to an operator of the service."
    return _refused(400, "issuer_error", "You were not signed in", help_, code)


def _code_refused(issuer: SignInIssuer, error: str) -> PageRefusal:
    if error in _OF_CLIENT:
        logger.error("%s does not accept this service as its client: %s", issuer.options.url, error)
        help_ = f"{issuer.host} does not accept the service as its client. An operator has to correct its settings."
        return _refused(503, "client_refused", "Nobody can sign in this way now", help_, error)
    help_ = f"{issuer.host} says that this sign-in was used before, or that it took too long. Begin again."
    return _refused(400, "code_refused", "This sign-in has ended", help_, error)


def _ended(request: Request) -> PageRefusal:
    url = service_state(request).authorization_server.public_url
    help_ = (
        f"You began it more than {attempts.SECONDS // 60} minutes ago, in another browser, or at another address than "
        f"{url}; or it has ended already. Begin again."
    )
    return _refused(400, "sign_in_ended", "This sign-in has ended", help_)


def _unavailable(issuer: SignInIssuer, error: IssuerUnavailable) -> PageRefusal:
    help_ = "Try again in a minute. Who has a password here can sign in with it meanwhile."
    return _refused(503, "issuer_unavailable", f"{issuer.host} does not answer", help_, str(error))


def _refused(status: int, code: str, title: str, help_: str, reason: str | None = None) -> PageRefusal:
    """A page that leads to the sign-in; `reason` is for the log."""
    refusal = PageRefusal(status, code, title, help_, {SIGN_IN: "Sign in"})
    refusal.reason = reason
    return refusal
