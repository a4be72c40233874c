"""Client assertions, `private_key_jwt` (RFC 7523 sections 2.2 and 3), and the keys of clients (RFC 7517)."""

from collections.abc import Collection
from typing import Any

from joserfc.jwk import KeySet

from openapi.oauth import jwt, public_key
from openapi.oauth.jwt import InvalidToken, Token

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
"""The client_assertion_type of a form (section 2.2)."""
TYPE = "jwt"
LONGEST_SECONDS = 600
"""The most seconds until an assertion expires; its use is remembered for as long."""
MAX_CHARACTERS = 8192
MOST_KEYS = 20
MAX_KID_CHARACTERS = 255


def read(text: str) -> Token:
    """Parse an assertion without verifying it; raise InvalidToken if malformed.

    Its `typ` may be missing: most clients omit it.
    """
    if len(text) > MAX_CHARACTERS:
        raise InvalidToken("it is too long")
    return jwt.read(text, TYPE, or_none=True)


def verify_signature(token: Token, jwks: dict[str, Any] | None) -> None:
    """Raise InvalidToken unless a key of `jwks` signed `token`: the one that `kid` names, or without `kid` any."""
    if jwks is None:
        raise InvalidToken("the client has no keys")
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


def require_claims(token: Token, audiences: Collection[str], now: float) -> None:
    """Raise InvalidToken unless `token` is for one of `audiences`, and valid at `now`.

    A second use of the same assertion is not detected here.
    """
    if token.text_claim("iss") != token.text_claim("sub"):
        raise InvalidToken("its iss is not its sub")
    if not set(token.audiences) & set(audiences):
        raise InvalidToken("it is for another audience")
    jwt.require_times(token, now, LONGEST_SECONDS)
    token.text_claim("jti", longest=255)


def public_keys(jwks: Any) -> dict[str, Any]:
    """Return `jwks` if each of its keys can verify assertions (RFC 7517 section 5); else ValueError."""
    declared = jwks.get("keys") if isinstance(jwks, dict) else None
    if not isinstance(declared, list):
        raise ValueError("it is not a JWK Set")  # noqa: TRY004 (it is a value that was sent)
    if not declared:
        raise ValueError("it has no key")
    if len(declared) > MOST_KEYS:
        raise ValueError(f"it has {len(declared)} keys, but may have at most {MOST_KEYS}")
    return {"keys": [_public_key(number, members) for number, members in enumerate(declared, start=1)]}


def _public_key(number: int, members: Any) -> dict[str, Any]:
    try:
        key = public_key.read(members)
    except ValueError as error:
        raise ValueError(f"its key {number} cannot verify assertions: {error}") from None
    if len(str(key.kid)) > MAX_KID_CHARACTERS:
        raise ValueError(f"the kid of its key {number} has more than {MAX_KID_CHARACTERS} characters")
    return dict(key.as_dict(private=False))
