"""Authorization requests of a client (RFC 6749 section 4.1, OpenID Connect Core section 3.1), with PKCE (RFC 7636)."""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

_SCOPES = ("openid", "email", "profile", "groups")
"""The scopes of which claims depend, as issuers name them; an issuer that does not know one may refuse it."""


class Attempt:
    """One attempt to sign in: its state, nonce and code verifier are derived from one secret of the browser."""

    def __init__(self, secret: str) -> None:
        """`secret` has at least 256 random bits; nobody but the browser and this service knows it."""
        self._secret = secret.encode()

    @property
    def state(self) -> str:
        """Binds the answer to the browser (RFC 6749 section 10.12)."""
        return self._derived("state")

    @property
    def nonce(self) -> str:
        """Binds the ID token to the browser (OpenID Connect Core section 3.1.2.1)."""
        return self._derived("nonce")

    @property
    def verifier(self) -> str:
        """The code verifier (RFC 7636 section 4.1), of 43 characters."""
        return self._derived("code_verifier")

    @property
    def challenge(self) -> str:
        """The code challenge of the method S256 (section 4.2)."""
        return _base64url(hashlib.sha256(self.verifier.encode()).digest())

    def has_state(self, state: str) -> bool:
        """True if `state` is that of this attempt."""
        return hmac.compare_digest(self.state.encode(), state.encode())

    def _derived(self, purpose: str) -> str:
        return _base64url(hmac.digest(self._secret, purpose.encode(), "sha256"))


@dataclass(frozen=True, slots=True)
class Client:
    """A client of an issuer: its id there, and where the issuer leads people back to."""

    id: str
    redirect_uri: str


def url(endpoint: str, client: Client, supported: object, attempt: Attempt) -> str:
    """Where the issuer with the authorization endpoint `endpoint` signs someone in.

    `supported` is its `scopes_supported`, which may be absent.
    """
    parts = urlsplit(endpoint)
    parameters = {
        "response_type": "code",
        "client_id": client.id,
        "redirect_uri": client.redirect_uri,
        "scope": _scope(supported),
        "state": attempt.state,
        "nonce": attempt.nonce,
        "code_challenge": attempt.challenge,
        "code_challenge_method": "S256",
    }
    others = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name not in parameters]
    query = urlencode([*others, *parameters.items()], quote_via=quote)
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))


def _scope(supported: object) -> str:
    if not isinstance(supported, list):
        return "openid email profile"
    return " ".join(scope for scope in _SCOPES if scope == "openid" or scope in supported)


def _base64url(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()
