"""API keys and client secrets: random, shown once, and kept as a digest only."""

import hashlib
import secrets

PREFIX = "irk_"
CLIENT_PREFIX = "irs_"


def new(prefix: str = PREFIX) -> str:
    """A key, or with its prefix a client secret, of 256 random bits."""
    return prefix + secrets.token_urlsafe(32)


def digest(key: str) -> str:
    """SHA-256 of `key` in hexadecimal. A key has too much entropy for a slow hash to add anything."""
    return hashlib.sha256(key.encode()).hexdigest()
