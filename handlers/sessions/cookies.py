"""The cookies of pages: random names of sessions, which only their browser and this service know."""

import hashlib
import secrets
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from handlers.site.service_state import service_state

ADMIN, HUB, VISITOR, AT_ISSUER = "ir_admin", "ir_hub", "ir_visitor", "ir_at_issuer"
"""The cookies of an admin and of a hub that are signed in, of someone who is about to sign in, here or at an issuer."""
_BYTES = 32


def new() -> str:
    """The value of a new cookie: 256 random bits."""
    return secrets.token_urlsafe(_BYTES)


def digest(value: str) -> str:
    """SHA-256 of the value of a cookie, in hexadecimal: what the database keeps of it."""
    return hashlib.sha256(value.encode()).hexdigest()


def form_token(value: str) -> str:
    """The token in the forms of the session of a cookie: a page of another origin cannot know it."""
    return hashlib.sha256(b"form " + value.encode()).hexdigest()


def value(request: Request, name: str) -> str:
    """The value of the cookie `name` in a request; empty if absent, or not one of ours."""
    given = text(request, name)
    return given if len(given) == len(new()) and given.isascii() else ""


def text(request: Request, name: str) -> str:
    """The cookie `name` in a request, whatever it has; empty if absent."""
    return request.cookies.get(_name(request, name), "")


def set_cookie(request: Request, response: Response, name: str, value: str, seconds: int | None = None) -> None:
    """Let the browser keep a cookie for so many `seconds`, or until it is closed."""
    is_local = _is_local(request)
    response.set_cookie(
        _name(request, name), value, seconds, path="/", secure=not is_local, httponly=True, samesite="lax"
    )


def delete_cookie(request: Request, response: Response, name: str) -> None:
    """Let the browser forget a cookie."""
    is_local = _is_local(request)
    response.delete_cookie(_name(request, name), path="/", secure=not is_local, httponly=True, samesite="lax")


def are_kept(request: Request) -> bool:
    """True if the browser keeps the cookies of the page: it came by HTTPS, perhaps to a proxy, or from this machine."""
    forwarded = request.headers.get("x-forwarded-proto", "").lower()
    return _is_local(request) or request.url.scheme == "https" or forwarded == "https"


def _name(request: Request, name: str) -> str:
    """The prefix binds the cookie to HTTPS and to this host (RFC 6265bis section 4.1.3.2)."""
    return name if _is_local(request) else f"__Host-{name}"


def _is_local(request: Request) -> bool:
    """True if the page is of this machine, without TLS: some browsers then keep no Secure cookie."""
    if "https" in (request.url.scheme, urlsplit(service_state(request).authorization_server.public_url).scheme):
        return False
    host = request.url.hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
