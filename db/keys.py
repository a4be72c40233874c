"""API keys and client secrets: random, shown once, and stored only as a digest."""

import hashlib
import secrets

PREFIX = "irk_"
CLIENT_PREFIX = "irs_"
LONGEST_OVERLAP_HOURS = 24 * 90
"""For so long, at most, the former key or secret is accepted beside a new one."""


def new(prefix: str = PREFIX) -> str:
    """A new API key, or with CLIENT_PREFIX a client secret, of 256 random bits."""
    return prefix + secrets.token_urlsafe(32)


def digest(key: str) -> str:
    """SHA-256 of `key` in hexadecimal. A slow hash would add nothing: a key has 256 random bits."""
    return hashlib.sha256(key.encode()).hexdigest()
