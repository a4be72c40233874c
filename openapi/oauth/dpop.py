"""Proofs of possession (DPoP, RFC 9449): proof that the sender of a token holds its key."""

import hashlib
import time
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from joserfc import jwk
from joserfc.errors import JoseError
from joserfc.jwk import Key
from starlette.types import Scope

from openapi.oauth import jwt, public_key
from openapi.oauth.jwt import InvalidToken, Token
from openapi.standards.header_fields import field_values

TYPE = "dpop+jwt"
ALGORITHMS = ("ES256", "Ed25519", "PS256", "RS256")
SECONDS = 60
"""The maximum age of a proof; its use is remembered for as long."""
LEEWAY_SECONDS = 10
"""The largest accepted clock difference, unless the operator sets another (FAPI 2.0 security profile, 5.3.2.1)."""
MAX_CHARACTERS = 4096
_PUBLIC_MEMBERS = {"EC": ("crv", "x", "y"), "OKP": ("crv", "x"), "RSA": ("n", "e")}
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Proof:
    """A valid proof: the thumbprint of its key (RFC 7638), and its `jti`.

    `expires_at` (seconds since the epoch) ends its validity; until then its use must be remembered, so that a replay is
    refused.
    """

    thumbprint: str
    jti: str
    expires_at: float


def is_sent(scope: Scope) -> bool:
    """True if a request has a proof, valid or not."""
    return bool(field_values(scope, b"dpop"))


def proof(scope: Scope, origin: str, access_token: str | None = None, leeway: int = LEEWAY_SECONDS) -> Proof:
    """Return the proof of a request to `origin`, for its `access_token` if any (section 4.3); InvalidToken if invalid.

    `leeway` is the largest accepted clock difference, in seconds.
    A second use of the same proof is not detected here.
    """
    values = field_values(scope, b"dpop")
    if len(values) != 1 or len(values[0]) > MAX_CHARACTERS:
        raise InvalidToken("there is no proof, or more than one, or it is too long")
    token = jwt.read(values[0].decode("latin-1").strip(), TYPE)
    key = _key(token)
    jwt.verify(token, key, ALGORITHMS)
    if token.claims.get("htm") != scope["method"]:
        raise InvalidToken("the proof is for another method")
    if _normalized(token.text_claim("htu", longest=2000)) != _normalized(origin + scope["raw_path"].decode("ascii")):
        raise InvalidToken("the proof is for another URL")
    if access_token is not None and token.claims.get("ath") != _digest(access_token):
        raise InvalidToken("the proof is for another token")
    expires_at = _expires_at(token, time.time(), leeway)
    return Proof(key.thumbprint(), token.text_claim("jti", longest=255), expires_at)


def _key(token: Token) -> Key:
    """The public key in the header of a proof, built from its public members alone."""
    declared: Any = token.header.get("jwk")
    members = _PUBLIC_MEMBERS.get(str(declared.get("kty"))) if isinstance(declared, dict) else None
    if members is None or "d" in declared:
        raise InvalidToken("the proof holds no public key")
    if "n" in members and (fault := public_key.rsa_fault(declared)):
        raise InvalidToken(f"the key of the proof is not accepted: {fault}")
    try:
        return jwk.import_key({"kty": declared["kty"], **{name: declared[name] for name in members}})
    except (JoseError, ValueError, TypeError, KeyError):
        raise InvalidToken("the proof holds no public key") from None


def _expires_at(token: Token, now: float, leeway: int) -> float:
    """Return the expiry time of a proof; raise InvalidToken if that is past, or if the proof is from the future."""
    issued_at = token.time_claim("iat")
    expires_at = issued_at + SECONDS + leeway
    if expires_at < now:
        raise InvalidToken(f"the proof was not made within the last {SECONDS + leeway} seconds")
    if issued_at > now + leeway:
        raise InvalidToken(f"the proof is from the future: its iat is more than {leeway} seconds ahead of the Date")
    return expires_at


def _normalized(url: str) -> tuple[str, str, int, str]:
    """The parts of a URL to compare, normalized (RFC 3986 section 6.2), without query and fragment."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        raise InvalidToken("the htu of the proof is not a URL") from None
    return parts.scheme, parts.hostname or "", port, unquote(parts.path) or "/"


def _digest(access_token: str) -> str:
    """The claim `ath` (section 4.2)."""
    return urlsafe_b64encode(hashlib.sha256(access_token.encode("ascii")).digest()).rstrip(b"=").decode("ascii")
