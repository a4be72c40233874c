"""JSON Web Tokens (RFC 7519), signed as compact JWS (RFC 7515): first read within limits, then verified by one key.

joserfc 1.8 verifies. This module checks first: three parts of base64url, headers and claims in unambiguous JSON, no
critical extension, the expected type, and one of the expected algorithms.
"""

import re
from base64 import urlsafe_b64decode
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NoReturn

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import Key

from openapi.standards import ijson

ALGORITHMS = ("ES256", "ES384", "ES512", "Ed25519", "PS256", "PS384", "PS512", "RS256")
"""The accepted algorithms, all asymmetric. `EdDSA` is deprecated in favour of `Ed25519` (RFC 9864)."""
LEEWAY_SECONDS = 5
"""The largest accepted clock difference, at either end of a period."""
LATEST = 253402300799
"""The last second of the year 9999."""

_COMPACT = re.compile(r"([A-Za-z0-9_-]{2,})\.([A-Za-z0-9_-]{2,})\.([A-Za-z0-9_-]*)")
_LONGEST_HEADER = 4096


class InvalidToken(ValueError):
    """A token cannot be trusted; the message says why, and repeats nothing of the token."""


class WrongSignature(InvalidToken):
    """A key does not verify the signature of a token: another key may."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token as it was sent: unverified until `verify`."""

    text: str
    header: dict[str, Any]
    claims: dict[str, Any]

    @property
    def algorithm(self) -> str:
        """`alg`; empty unless it is a string."""
        return _text_of(self.header.get("alg"))

    @property
    def key_id(self) -> str:
        """`kid`; empty unless it is a string."""
        return _text_of(self.header.get("kid"))

    def text_claim(self, name: str, longest: int = 1000) -> str:
        """The claim `name`; InvalidToken unless it is a string of 1 to `longest` characters."""
        value = self.claims.get(name)
        if not isinstance(value, str) or not 1 <= len(value) <= longest:
            _refuse(f"the claim {name} is missing or not a string of 1 to {longest} characters")
        return value

    def time_claim(self, name: str) -> float:
        """The claim `name`, in seconds since the epoch; InvalidToken unless it is a NumericDate (section 2)."""
        value = self.claims.get(name)
        if not isinstance(value, int | float | Decimal) or isinstance(value, bool) or not 0 <= value <= LATEST:
            _refuse(f"the claim {name} is missing or not a NumericDate")
        return float(value)

    @property
    def audiences(self) -> list[str]:
        """The strings of `aud` (section 4.1.3), which is a string or an array; empty if it is anything else."""
        audience = self.claims.get("aud")
        values = audience if isinstance(audience, list) else [audience]
        return [value for value in values if isinstance(value, str)]


def read(text: str, media_type: str, or_none: bool = False) -> Token:
    """The token in `text`; InvalidToken unless it is a JWS whose `typ` is `media_type` (RFC 8725 section 3.11).

    With `or_none`, `typ` may be absent.
    """
    match = _COMPACT.fullmatch(text)
    if match is None or len(match[1]) > _LONGEST_HEADER:
        _refuse("it is not a JWS in compact serialization")
    header, claims = _object(match[1]), _object(match[2])
    if (
        not (or_none and "typ" not in header)
        and _text_of(header.get("typ")).lower().removeprefix("application/") != media_type
    ):
        _refuse(f"its typ is not {media_type}")
    if "crit" in header or "b64" in header:
        _refuse("it has an extension (crit or b64) that is not supported")
    return Token(text, header, claims)


def verify(token: Token, key: Key, algorithms: Collection[str]) -> None:
    """Raise WrongSignature unless `key` verifies the signature; InvalidToken unless `algorithms` has its alg."""
    if token.algorithm not in algorithms:
        _refuse("its alg is not accepted")
    registry = jws.JWSRegistry(algorithms=algorithms, strict_check_header=False)
    registry.max_header_length = _LONGEST_HEADER
    try:
        jws.deserialize_compact(token.text, key, registry=registry)
    except (JoseError, ValueError, TypeError) as error:
        raise WrongSignature(f"its signature cannot be verified: {type(error).__name__}") from None


def require_times(token: Token, now: float, longest: int) -> None:
    """Raise InvalidToken unless `exp` is in the coming `longest` seconds, and `nbf` and `iat`, if present, are past.

    `iat` may not be after `exp` either.
    """
    expires_at = token.time_claim("exp")
    if expires_at <= now - LEEWAY_SECONDS:
        _refuse("it has expired")
    if expires_at > now + longest + LEEWAY_SECONDS:
        _refuse(f"it expires in more than {longest} seconds")
    for name in token.claims.keys() & {"nbf", "iat"}:
        if token.time_claim(name) > now + LEEWAY_SECONDS:
            _refuse("it is not valid yet")
    if "iat" in token.claims and token.time_claim("iat") > expires_at:
        _refuse("its iat is after its exp")


def _object(segment: str) -> dict[str, Any]:
    try:
        value = ijson.loads(urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    except ValueError:
        _refuse("a part of it is not base64url of JSON that reads in only one way")
    if not isinstance(value, dict):
        _refuse("a part of it is not a JSON object")
    return value


def _text_of(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _refuse(reason: str) -> NoReturn:
    raise InvalidToken(reason)
