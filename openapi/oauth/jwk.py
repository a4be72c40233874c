"""Keys that sign access tokens, as they are stored and published: JWK (RFC 7517), encrypted as JWE (RFC 7516)."""

import json
import re
from base64 import urlsafe_b64decode
from typing import Any

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, OctKey

from openapi.oauth.access_tokens import ALGORITHM

CURVE = "P-256"
_SEAL = {"alg": "dir", "enc": "A256GCM"}
_SECRET = re.compile(r"[A-Za-z0-9+/_-]{43}=?")


class UnreadableKey(ValueError):
    """A text holds no signing key; the message says why, and repeats nothing of the text."""


def new() -> ECKey:
    """A new private key; its `kid` is its thumbprint (RFC 7638), never one that a command reads as an option."""
    key = _signing(ECKey.generate_key(CURVE, auto_kid=True))
    return new() if str(key.kid).startswith("-") else key


def secret_of(text: str) -> OctKey:
    """The 256-bit key that encrypts keys, from Base64 or base64url; ValueError if malformed."""
    if not _SECRET.fullmatch(text):
        raise ValueError("it is not 32 bytes in Base64")
    return OctKey.import_key(urlsafe_b64decode(text.rstrip("=").translate(str.maketrans("+/", "-_")) + "="))


def serialize(key: ECKey, secret: OctKey | None) -> str:
    """The private `key` as text, encrypted with `secret` unless that is None."""
    text = json.dumps(key.as_dict(private=True))
    return jwe.encrypt_compact({**_SEAL, "kid": key.kid}, text, secret) if secret else text


def read(text: str, secret: OctKey | None) -> ECKey:
    """The private key in a text from `serialize`; UnreadableKey if another secret encrypted it."""
    if not text.startswith("{"):
        if secret is None:
            raise UnreadableKey("it is encrypted, and there is no secret to decrypt it")
        try:
            text = (jwe.decrypt_compact(text, secret, algorithms=list(_SEAL.values())).plaintext or b"").decode()
        except (JoseError, ValueError):
            raise UnreadableKey("it was encrypted with another secret") from None
    return _imported(text)


def read_set(text: str) -> list[ECKey]:
    """The private keys in a JWK Set (section 5), the signing key first; UnreadableKey if it holds none."""
    try:
        keys = KeySet.import_key_set(json.loads(text)).keys
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        raise UnreadableKey("it is not a JWK Set") from None
    signing_keys = [_signing(key) for key in keys]
    if not signing_keys:
        raise UnreadableKey("it holds no key")
    return signing_keys


def published(key: ECKey) -> dict[str, Any]:
    """The public part of `key`; resources verify tokens with it."""
    return {**key.as_dict(private=False), "use": "sig", "alg": ALGORITHM}


def _imported(text: str) -> ECKey:
    try:
        return _signing(ECKey.import_key(json.loads(text)))
    except (JoseError, ValueError, TypeError, KeyError):
        raise UnreadableKey("it is not a JSON Web Key") from None


def _signing(key: Any) -> ECKey:
    if not isinstance(key, ECKey) or not key.is_private or key.curve_name != CURVE:
        raise UnreadableKey(f"it is not a private key on the curve {CURVE}")
    key.ensure_kid()
    return key
