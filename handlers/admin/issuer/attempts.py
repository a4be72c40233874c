"""Attempts to sign in at the issuer: a cookie keeps the secret of one, when it began, and where it leads."""

import re
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from handlers.admin.sign_in import safe_return
from handlers.paths import ADMIN
from handlers.sessions import cookies
from openapi.oauth.authorization_requests import Attempt

SECONDS = 600
"""Someone may take so long at the issuer."""
_VALUE = re.compile(r"[A-Za-z0-9_-]{43}\.([0-9]{1,12})\.([A-Za-z0-9_=-]{1,2800})", re.ASCII)
_LONGEST_RETURN = 2000
"""Bytes: a cookie has at most 4,096 (RFC 6265 section 6.1)."""


@dataclass(frozen=True, slots=True)
class Begun:
    """An attempt, and the page of the admin that it leads to."""

    attempt: Attempt
    leads_to: str


def new(leads_to: str) -> str:
    """The cookie of a new attempt, from all of which its secrets are derived: none of it can be changed alone."""
    path = safe_return(leads_to).encode()
    path = path if len(path) <= _LONGEST_RETURN else ADMIN.encode()
    return f"{cookies.new()}.{int(time.time())}.{urlsafe_b64encode(path).decode()}"


def begun(request: Request) -> Begun | None:
    """The attempt that the browser has begun; None if it has begun none in the last SECONDS."""
    value = cookies.text(request, cookies.AT_ISSUER)
    match = _VALUE.fullmatch(value)
    if match is None or not 0 <= time.time() - int(match[1]) <= SECONDS:
        return None
    try:
        path = urlsafe_b64decode(match[2]).decode()
    except ValueError:
        return None
    return Begun(Attempt(value), safe_return(path))


def keep(request: Request, response: Response, value: str) -> None:
    """Let the browser keep the cookie of an attempt."""
    cookies.set_cookie(request, response, cookies.AT_ISSUER, value, SECONDS)


def forget(request: Request, response: Response) -> None:
    """Let the browser forget it: an attempt ends once."""
    cookies.delete_cookie(request, response, cookies.AT_ISSUER)
