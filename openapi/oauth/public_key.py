"""Public keys that verify signatures, as JSON Web Keys (RFC 7517, RFC 7518 section 6, RFC 8037)."""

from base64 import urlsafe_b64decode
from collections.abc import Collection, Mapping
from typing import Any

from joserfc import jwk
from joserfc.errors import JoseError
from joserfc.jwk import Key

RSA_BITS = range(2048, 4097)
"""The bits of an RSA modulus, so that it is safe, and quick to use."""
MOST_EXPONENT_BITS = 64
"""Verification takes 100 times as long with an exponent as long as the modulus; 65,537 is usual."""

_ALGORITHMS = {
    ("EC", "P-256"): {"ES256"},
    ("EC", "P-384"): {"ES384"},
    ("EC", "P-521"): {"ES512"},
    ("OKP", "Ed25519"): {"Ed25519"},
    ("RSA",): {"PS256", "PS384", "PS512", "RS256"},
}
"""The algorithms of `openapi.oauth.jwt` that each type of key verifies."""
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


def read(members: Any) -> Key:
    """The public key with `members`; ValueError says why it verifies no signature that this service accepts.

    Members that are null count as absent. A key without a `kid` gets its thumbprint as its `kid`.
    """
    if not isinstance(members, Mapping):
        raise ValueError("it is not a JSON object")  # noqa: TRY004 (it is a value that was sent)
    present = {name: value for name, value in members.items() if value is not None}
    if reason := fault(present):
        raise ValueError(reason)
    try:
        key = jwk.import_key(present)
    except (JoseError, ValueError, TypeError, KeyError):
        raise ValueError("its members do not make a key") from None
    key.ensure_kid()
    return key


def verifies(key: Key, algorithm: str) -> bool:
    """True if `key`, a result of `read`, verifies signatures by `algorithm`."""
    members = key.as_dict()
    return algorithm in _ALGORITHMS.get(_kind(members), ()) and members.get("alg", algorithm) == algorithm


def fault(members: Mapping[str, Any]) -> str | None:
    """The reason why the key with `members` verifies no signature that this service accepts; None if there is none."""
    if members.keys() & _PRIVATE:
        return "it is private or symmetric, but must be public"
    if not isinstance(members.get("kid", ""), str):
        return "its kid is not a string"
    kind = _kind(members)
    if kind not in _ALGORITHMS:
        return "it is neither RSA, nor EC on P-256, P-384 or P-521, nor Ed25519"
    if kind[0] == "RSA" and (reason := rsa_fault(members)):
        return reason
    return _fault_of_purpose(members, _ALGORITHMS[kind])


def _kind(members: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(members[name]) for name in ("kty", "crv") if name in members)


def _fault_of_purpose(members: Mapping[str, Any], algorithms: Collection[str]) -> str | None:
    """The reason why a key that could verify signatures by `algorithms` may not be used for them; None if it may."""
    operations = members.get("key_ops", ["verify"])
    if members.get("use", "sig") != "sig" or not isinstance(operations, list) or "verify" not in operations:
        return "it is not for signatures"
    algorithm = str(members.get("alg", ""))
    if algorithm == "EdDSA" and "Ed25519" in algorithms:
        return "its alg EdDSA is not accepted: leave alg out or write Ed25519 (RFC 9864)"
    if "alg" in members and algorithm not in algorithms:
        return "its alg is not accepted"
    return None


def rsa_fault(members: Mapping[str, Any]) -> str | None:
    """The reason why the RSA key with `members` is unsafe or slow to use; None if it is neither."""
    modulus, exponent = (_integer(members.get(name)) for name in ("n", "e"))
    if modulus.bit_length() not in RSA_BITS:
        return "an RSA key has 2,048 to 4,096 bits"
    if exponent.bit_length() > MOST_EXPONENT_BITS:
        return f"the exponent of an RSA key has at most {MOST_EXPONENT_BITS} bits"
    if modulus % 2 == 0 or exponent % 2 == 0 or exponent < 3:
        return "the modulus and the exponent of an RSA key are odd, and the exponent is at least 3"
    return None


def _integer(value: Any) -> int:
    """The Base64urlUInt `value` (RFC 7518 section 2); 0 if it is none."""
    try:
        return int.from_bytes(urlsafe_b64decode(value + "=" * (-len(value) % 4)))
    except (TypeError, ValueError):
        return 0
