"""ID tokens: who an issuer has signed in (OpenID Connect Core 1.0 sections 2 and 3.1.3.7)."""

import hmac
from dataclasses import dataclass
from typing import Any

from joserfc.jwk import Key

from openapi.oauth import jwt
from openapi.oauth.jwt import InvalidToken, Token

TYPE = "jwt"
"""Its `typ` may be absent: most issuers omit it."""
ALGORITHMS = ("ES256", "PS256", "RS256")
LONGEST_SECONDS = 86_400
"""Limit on the time until an ID token expires."""
OLDEST_SECONDS = 600
"""Limit on its age: it is issued for a sign-in that has just ended."""
MAX_CHARACTERS = 64 * 1024
"""Groups make it long."""
MOST_GROUPS = 1000
LONGEST_SUBJECT = 255


@dataclass(frozen=True, slots=True)
class Expected:
    """What an ID token must say: its issuer, the client that it is for, and the nonce of the attempt."""

    issuer: str
    client_id: str
    nonce: str


@dataclass(frozen=True, slots=True)
class Subject:
    """Who was signed in: `id` by the issuer's own name, `email` if the issuer has verified it, and their groups."""

    id: str
    email: str | None
    groups: frozenset[str]


def read(text: str) -> Token:
    """Parse an ID token without verifying it; InvalidToken if malformed, or if its alg is not accepted, as `none`."""
    if len(text) > MAX_CHARACTERS:
        raise InvalidToken("it is too long")
    token = jwt.read(text, TYPE, or_none=True)
    if token.algorithm not in ALGORITHMS:
        raise InvalidToken("its alg is not accepted")
    return token


def verified(token: Token, key: Key, expected: Expected, now: float) -> Subject:
    """The subject of `token`, verified by its issuer's `key`; InvalidToken if it is not as `expected` at `now`."""
    jwt.verify(token, key, ALGORITHMS)
    if token.text_claim("iss") != expected.issuer:
        raise InvalidToken("it is of another issuer")
    _require_audience(token, expected.client_id)
    jwt.require_times(token, now, LONGEST_SECONDS)
    if token.time_claim("iat") < now - OLDEST_SECONDS:
        raise InvalidToken("it was issued too long ago")
    if not hmac.compare_digest(token.text_claim("nonce").encode("utf-8", "replace"), expected.nonce.encode()):
        raise InvalidToken("its nonce is another one")
    return Subject(token.text_claim("sub", LONGEST_SUBJECT), _email(token.claims), _groups(token.claims))


def _require_audience(token: Token, client_id: str) -> None:
    """InvalidToken unless it is for the client, and was issued to it, which `azp` must say if it is also for others."""
    if client_id not in token.audiences:
        raise InvalidToken("it is for another audience")
    is_for_others = token.claims["aud"] not in (client_id, [client_id])
    if (is_for_others or "azp" in token.claims) and token.claims.get("azp") != client_id:
        raise InvalidToken("it was issued to another client (azp)")


def _email(claims: dict[str, Any]) -> str | None:
    email = claims.get("email")
    return email if isinstance(email, str) and email and claims.get("email_verified") is True else None


def _groups(claims: dict[str, Any]) -> frozenset[str]:
    """The values of the claim `groups`, or of `roles` without it: an array of strings, or one string."""
    value = claims.get("groups", claims.get("roles"))
    values = value if isinstance(value, list) else [value]
    if len(values) > MOST_GROUPS:
        raise InvalidToken(f"it has more than {MOST_GROUPS} groups")
    return frozenset(each for each in values if isinstance(each, str))
