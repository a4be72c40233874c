"""Public keys that verify signatures, as JSON Web Keys (RFC 7517, RFC 7518 section 6, RFC 8037)."""

from collections.abc import Mapping
from typing import Any

from openapi.oauth.jwt import RSA_CHARACTERS

_ALGORITHMS = {
    ("EC", "P-256"): {"ES256"},
    ("EC", "P-384"): {"ES384"},
    ("EC", "P-521"): {"ES512"},
    ("OKP", "Ed25519"): {"Ed25519"},
    ("RSA",): {"PS256", "PS384", "PS512", "RS256"},
}
"""The algorithms of `openapi.oauth.jwt` that each type of key verifies."""


def fault(members: Mapping[str, Any]) -> str | None:
    """The reason why the key with `members` verifies no signature that this service accepts; None if it does."""
    kind = tuple(str(members[name]) for name in ("kty", "crv") if name in members)
    if kind not in _ALGORITHMS:
        return "it is neither RSA, nor EC on P-256, P-384 or P-521, nor Ed25519"
    if kind[0] == "RSA" and len(str(members.get("n"))) not in RSA_CHARACTERS:
        return "an RSA key has 2,048 to 4,096 bits"
    operations = members.get("key_ops", ["verify"])
    if members.get("use", "sig") != "sig" or not isinstance(operations, list) or "verify" not in operations:
        return "it is not for signatures"
    algorithm = str(members.get("alg", ""))
    if kind == ("OKP", "Ed25519") and algorithm == "EdDSA":
        return "its alg EdDSA is not accepted: leave alg out or write Ed25519 (RFC 9864)"
    if "alg" in members and algorithm not in _ALGORITHMS[kind]:
        return "its alg is not accepted"
    return None
