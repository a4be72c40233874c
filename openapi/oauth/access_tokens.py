"""Access tokens as JSON Web Tokens (RFC 9068), ours and those of other issuers."""

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import uuid_utils
from joserfc.jwk import Key
from joserfc.jwt import encode

from openapi.oauth import jwt
from openapi.oauth.jwt import InvalidToken, Token

TYPE = "at+jwt"
ALGORITHM = "ES256"
"""The algorithm of our own tokens."""
LONGEST_SECONDS = 86_400
"""Limit on the time until a token expires: the longest lifetime that issuers of access tokens usually offer."""


@dataclass(frozen=True, slots=True)
class Grant:
    """The claims of a new token; `thumbprint` identifies the key that it is bound to, None if unbound (RFC 9449)."""

    issuer: str
    audiences: Sequence[str]
    client_id: str
    scopes: Collection[str]
    thumbprint: str | None = None


@dataclass(frozen=True, slots=True)
class Access:
    """The claims of a valid access token (section 2.2). `expires_at` is in seconds since the epoch.

    `thumbprint` (RFC 7638) identifies the key that its sender must prove possession of (RFC 9449 section 6.1), or None.
    `jti` is None if it is not a UUID: other issuers may use other formats.
    """

    issuer: str
    client_id: str
    audiences: frozenset[str]
    scopes: frozenset[str]
    expires_at: float
    jti: UUID | None
    thumbprint: str | None


def signed(key: Key, grant: Grant, seconds: int) -> str:
    """A new token for `grant`, valid for `seconds`."""
    now = int(time.time())
    claims: dict[str, Any] = {
        "iss": grant.issuer,
        "aud": grant.audiences[0] if len(grant.audiences) == 1 else list(grant.audiences),
        "sub": grant.client_id,
        "client_id": grant.client_id,
        "iat": now,
        "exp": now + seconds,
        "jti": str(uuid_utils.uuid4()),
        "scope": " ".join(sorted(grant.scopes)),
    }
    if grant.thumbprint:
        claims["cnf"] = {"jkt": grant.thumbprint}
    return encode({"alg": ALGORITHM, "typ": TYPE, "kid": key.kid}, claims, key, algorithms=[ALGORITHM])


def read(text: str) -> Token:
    """Parse an access token without verifying it; raise InvalidToken if malformed."""
    return jwt.read(text, TYPE)


def verified(token: Token, key: Key, algorithms: Collection[str], now: float) -> Access:
    """Return the claims of `token`, verified by its issuer's `key` (section 4); raise InvalidToken if invalid at `now`.

    The audience is not checked here. The claims that section 2.2 requires must be there.
    """
    jwt.verify(token, key, algorithms)
    jwt.require_times(token, now, LONGEST_SECONDS)
    token.time_claim("iat")
    for name in ("sub", "jti"):
        token.text_claim(name)
    scope = token.claims.get("scope", "")
    return Access(
        issuer=token.text_claim("iss"),
        client_id=token.text_claim("client_id" if "client_id" in token.claims else "azp"),
        audiences=frozenset(token.audiences),
        scopes=frozenset(scope.split() if isinstance(scope, str) else ()),
        expires_at=token.time_claim("exp"),
        jti=_uuid(token.claims.get("jti")),
        thumbprint=_thumbprint(token.claims.get("cnf")),
    )


def _uuid(value: Any) -> UUID | None:
    try:
        return UUID(value)
    except (ValueError, AttributeError, TypeError):
        return None


def _thumbprint(confirmation: Any) -> str | None:
    """Return `jkt` of `cnf`; raise InvalidToken for an unsupported confirmation method (RFC 7800 section 3.1)."""
    if confirmation is None:
        return None
    thumbprint = confirmation.get("jkt") if isinstance(confirmation, dict) else None
    if not isinstance(thumbprint, str):
        raise InvalidToken("it is bound to a key by an unsupported confirmation method")
    return thumbprint
