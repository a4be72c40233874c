"""Client assertions, `private_key_jwt` (RFC 7523 sections 2.2 and 3), and the keys of clients (RFC 7517)."""

from collections.abc import Collection
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from openapi.oauth import jwt
from openapi.oauth.jwt import InvalidToken, Token

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
"""The client_assertion_type of a form (section 2.2)."""
TYPE = "jwt"
LONGEST_SECONDS = 600
"""The most seconds until an assertion expires; its use is remembered for as long."""
MAX_CHARACTERS = 8192


def read(text: str) -> Token:
    """Parse an assertion without verifying it; raise InvalidToken if malformed.

    Its `typ` may be missing: most clients omit it.
    """
    if len(text) > MAX_CHARACTERS:
        raise InvalidToken("it is too long")
    return jwt.read(text, TYPE, or_none=True)


def verify(token: Token, jwks: dict[str, Any] | None, audiences: Collection[str], now: float) -> None:
    """Raise InvalidToken unless a key of `jwks` signed `token` for one of `audiences`, and it is valid at `now`.

    A second use of the same assertion is not detected here.
    """
    if jwks is None:
        raise InvalidToken("the client has no keys")
    subject = token.text_claim("sub")
    if token.text_claim("iss") != subject:
        raise InvalidToken("its iss is not its sub")
    if not set(token.audiences) & set(audiences):
        raise InvalidToken("it is for another audience")
    jwt.require_times(token, now)
    if token.time_claim("exp") > now + LONGEST_SECONDS:
        raise InvalidToken(f"it expires in more than {LONGEST_SECONDS} seconds")
    token.text_claim("jti", longest=255)
    _verify_signature(token, jwks)


def _verify_signature(token: Token, jwks: dict[str, Any]) -> None:
    """Verify the signature with the key that `kid` names, or without `kid` with any key of the client."""
    reasons = [InvalidToken("none of the client's keys has its kid")]
    for key in KeySet.import_key_set(jwks):  # type: ignore[arg-type] # checked when the client was created
        if token.key_id in ("", key.kid):
            try:
                jwt.verify(token, key, jwt.ALGORITHMS)
            except InvalidToken as error:
                reasons.append(error)
            else:
                return
    raise reasons[-1]


def public_keys(jwks: Any) -> dict[str, Any]:
    """Return `jwks` if it is a set of public keys to verify assertions (RFC 7517 section 5); else ValueError."""
    try:
        keys = KeySet.import_key_set(jwks)
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        raise ValueError("it is not a JWK Set") from None
    if not keys.keys or len(keys.keys) > 20:
        raise ValueError("it has no key, or more than 20")
    for key in keys:
        if key.is_private or key.key_type == "oct":
            raise ValueError("it has a private or a symmetric key: a client gives its public keys only")
        key.ensure_kid()
    return {"keys": [key.as_dict(private=False) for key in keys]}
