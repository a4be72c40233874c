"""The token endpoint of OAuth 2.0 (RFC 6749): its requests, and its error responses."""

import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote_plus

from starlette.types import Scope
from werkzeug.http import parse_options_header

from openapi.oauth.bearer import REALM
from openapi.oauth.client_assertions import ASSERTION_TYPE
from openapi.problems import Headers
from openapi.standards.basic_authentication import challenge, encoded_credentials
from openapi.standards.header_fields import field_values
from openapi.standards.media_types import FORM

GRANT_TYPES = {"clientCredentials": "client_credentials"}
"""The supported grant types, by the flow that an OpenAPI security scheme declares for each."""
MAX_BYTES = 16 * 1024
MAX_PARAMETERS = 50

_SCOPE_TOKEN = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")


class OAuthError(Exception):
    """An error response (section 5.2); `description` repeats nothing of the request, `reason` is for the log."""

    def __init__(self, code: str, description: str, status: int = 400, headers: Headers = ()) -> None:
        super().__init__(code)
        self.code = code
        self.description = self.reason = description
        self.status = status
        self.headers = headers

    def body(self) -> dict[str, str]:
        """The body of the response."""
        return {"error": self.code, "error_description": self.description}


@dataclass(frozen=True, slots=True)
class Credentials:
    """The credentials of a client: a `secret` (section 2.3.1), or an `assertion` (RFC 7523)."""

    client_id: str
    secret: str | None = None
    assertion: str | None = None
    is_basic: bool = False


def parameters(scope: Scope, content: bytes) -> dict[str, str]:
    """The parameters of a form (appendix B); those without a value are ignored (section 3.1).

    Raises OAuthError `invalid_request` if the form is malformed, or repeats a parameter (section 3.2).
    """
    declared = field_values(scope, b"content-type")
    media_type, options = parse_options_header(declared[0].decode("latin-1")) if len(declared) == 1 else ("", {})
    if media_type.lower() != FORM or options.get("charset", "utf-8").lower() != "utf-8":
        raise OAuthError("invalid_request", f"the request is not sent as {FORM}")
    try:
        pairs = parse_qsl(
            content.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS
        )
    except ValueError:
        raise OAuthError("invalid_request", f"the body is not a form of at most {MAX_PARAMETERS} parameters") from None
    parameters = dict(pairs)
    if len(parameters) < len(pairs):
        raise OAuthError("invalid_request", "a parameter occurs more than once")
    return {name: value for name, value in parameters.items() if value}


def credentials(scope: Scope, form: Mapping[str, str]) -> Credentials:
    """The credentials of the client, which must use exactly one authentication method (section 2.3).

    Raises OAuthError `invalid_client` if it uses none, `invalid_request` if it uses several.
    """
    methods = [
        scope if field_values(scope, b"authorization") else None,
        form.get("client_secret"),
        form.get("client_assertion") or form.get("client_assertion_type"),
    ]
    if sum(method is not None for method in methods) > 1:
        raise OAuthError("invalid_request", "the client authenticates in more than one way")
    if methods[0]:
        return _basic(scope, form)
    if methods[2]:
        return _assertion(form)
    if "client_secret" not in form or "client_id" not in form:
        raise unauthenticated("the client does not authenticate")
    return Credentials(form["client_id"], secret=form["client_secret"])


def scopes(form: Mapping[str, str], allowed: frozenset[str]) -> frozenset[str]:
    """The scopes of the parameter `scope` (section 3.3); all of `allowed` if absent.

    Raises OAuthError `invalid_scope` if it asks for more.
    """
    if "scope" not in form:
        return allowed
    requested = form["scope"].split(" ")
    if not all(_SCOPE_TOKEN.fullmatch(scope) for scope in requested):
        raise OAuthError("invalid_scope", "scope is not a list of scopes with one space between them")
    if not allowed.issuperset(requested):
        raise OAuthError("invalid_scope", "scope asks for more than the client may have")
    return frozenset(requested)


def unauthenticated(description: str, is_basic: bool = True) -> OAuthError:
    """The error `invalid_client` (section 5.2)."""
    return OAuthError("invalid_client", description, 401, challenge(REALM) if is_basic else ())


def _basic(scope: Scope, form: Mapping[str, str]) -> Credentials:
    """`client_secret_basic`: both parts are form-encoded before they are joined."""
    encoded = encoded_credentials(scope)
    if encoded is None:
        raise unauthenticated("the Authorization header does not use the scheme Basic")
    try:
        client_id, colon, secret = b64decode(encoded, validate=True).decode("utf-8").partition(":")
        client_id, secret = unquote_plus(client_id, errors="strict"), unquote_plus(secret, errors="strict")
    except ValueError:
        raise unauthenticated("the credentials are not Base64 of UTF-8") from None
    if not colon or form.get("client_id", client_id) != client_id:
        raise unauthenticated("the credentials have no colon, or their client id is not the client_id")
    return Credentials(client_id, secret=secret, is_basic=True)


def _assertion(form: Mapping[str, str]) -> Credentials:
    """`private_key_jwt`: the assertion names the client; a `client_id` in the form must name the same client."""
    if form.get("client_assertion_type") != ASSERTION_TYPE or "client_assertion" not in form:
        description = f"client_assertion_type is not {ASSERTION_TYPE}, or client_assertion is missing"
        raise OAuthError("invalid_request", description)
    return Credentials(form.get("client_id", ""), assertion=form["client_assertion"])
