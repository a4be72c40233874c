"""Credentials that are signed, with the package joserfc: assertions of a client, and proofs of possession."""

import base64
import hashlib
import time
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

try:
    from joserfc import jwk, jwt
except ImportError as error:  # pragma: no cover - an installation without it
    raise ImportError("private_key and dpop need the package joserfc: pip install joserfc") from error

_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_LIFE = 60
"""Seconds for which an assertion is valid."""
_ALGORITHMS = {"EC": {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}, "OKP": {"Ed25519": "EdDSA"}}


class Assertions:
    """`private_key_jwt` (RFC 7523)."""

    def __init__(self, client_id: str, key: "str | bytes | Mapping[str, Any]", audience: str) -> None:
        """`key` is a private key as PEM or JWK; `audience` is the URL of the token endpoint."""
        self._client_id = client_id
        self._audience = audience
        self._key, self._algorithm = _imported(key)

    def fields(self, endpoint: str) -> tuple[Mapping[str, str], Mapping[str, str]]:  # noqa: ARG002 - it is the audience
        """An assertion, used once."""
        now = int(time.time())
        header = {"alg": self._algorithm, "typ": "JWT", **({"kid": self._key.kid} if self._key.kid else {})}
        claims = {"iss": self._client_id, "sub": self._client_id, "aud": self._audience, "jti": str(uuid4())}
        signed = jwt.encode(header, {**claims, "iat": now, "exp": now + _LIFE}, self._key, algorithms=[self._algorithm])
        return {}, {"client_assertion_type": _ASSERTION, "client_assertion": signed}


class KeyProofs:
    """Proofs with a key of this process (DPoP, RFC 9449), which exists nowhere else."""

    def __init__(self) -> None:
        self._key = jwk.ECKey.generate_key("P-256")
        self._public = self._key.as_dict(private=False)

    def proof(self, method: str, url: str, token: str) -> str:
        """A proof for one request."""
        claims: dict[str, Any] = {"jti": str(uuid4()), "htm": method, "htu": url, "iat": int(time.time())}
        if token:
            digest = hashlib.sha256(token.encode()).digest()
            claims["ath"] = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": self._public}
        return jwt.encode(header, claims, self._key, algorithms=["ES256"])


def _imported(key: "str | bytes | Mapping[str, Any]") -> tuple[Any, str]:
    """A private key, and the algorithm to sign with; ValueError if it is none."""
    if isinstance(key, Mapping):
        imported: Any = jwk.import_key(dict(key))
    else:
        imported = _of_pem(key)
    if not imported.is_private:
        raise ValueError("private_key has only the public part of a key")
    curve = str(imported.as_dict().get("crv", ""))
    return imported, _ALGORITHMS.get(imported.key_type, {}).get(curve, "PS256" if imported.key_type == "RSA" else "")


def _of_pem(pem: str | bytes) -> Any:
    for kind in ("EC", "OKP", "RSA"):
        try:
            return jwk.import_key(pem, kind)
        except (ValueError, TypeError):
            continue
    raise ValueError("private_key is no private key in PEM: EC, Ed25519 or RSA")
