"""Access tokens: issues them, and verifies each only once while it is valid, also those of other issuers."""

import hashlib
import time

from handlers.security.issuers import Issuers
from handlers.security.signing_keys import Keys
from openapi.oauth import access_tokens, jwt
from openapi.oauth.access_tokens import ALGORITHM, Access, Grant
from openapi.oauth.jwt import InvalidToken

MOST = 20_000
"""Limit on the verified tokens in memory; a token takes about a kibibyte."""


class AccessTokens:
    """Issues tokens of `issuer`, and caches verified tokens by the digest of their Authorization header."""

    def __init__(self, issuer: str, seconds: int, keys: Keys, issuers: Issuers) -> None:
        """`seconds` is the lifetime of an issued token; tokens of `issuers` are accepted, too."""
        self.issuer = issuer
        self.seconds = seconds
        self.keys = keys
        self.issuers = issuers
        self._known: dict[bytes, Access] = {}
        self._revision = 0

    async def issue(self, grant: Grant) -> str:
        """A new token for `grant`."""
        return access_tokens.signed(await self.keys.signing(), grant, self.seconds)

    def known(self, credentials: bytes) -> Access | None:
        """The access that `know` received for `credentials`, while it is valid; None if unknown or expired.

        It parses nothing, because most requests have known credentials.
        """
        if (revision := self.keys.revision()) != self._revision:
            self._known.clear()  # a key may have been revoked
            self._revision = revision
        access = self._known.get(hashlib.sha256(credentials).digest())
        return None if access is None or access.expires_at <= time.time() - jwt.LEEWAY_SECONDS else access

    def know(self, credentials: bytes, access: Access) -> None:
        """Cache `access`; beyond MOST the oldest quarter is dropped, and verified again at its next use."""
        if len(self._known) >= MOST:
            for oldest in list(self._known)[: MOST // 4]:
                del self._known[oldest]
        self._known[hashlib.sha256(credentials).digest()] = access

    async def access(self, text: str) -> Access:
        """The access that the token `text` grants; its audience and its revocation are not checked here.

        InvalidToken if it is not valid now; Unavailable or IssuerUnavailable if its key cannot be read.
        """
        if "." not in text:
            raise InvalidToken("it is not a JWT, and API keys are not taken here")
        token = access_tokens.read(text)
        issuer = token.text_claim("iss")
        is_ours = issuer == self.issuer
        if not is_ours and issuer not in self.issuers:
            raise InvalidToken("its issuer is not accepted")
        algorithms = [ALGORITHM] if is_ours else jwt.ALGORITHMS
        if token.algorithm not in algorithms:  # before the look-up of the key, which may send a request to the issuer
            raise InvalidToken("its alg is not accepted")
        key = await (self.keys.verifying(token.key_id) if is_ours else self.issuers.key(issuer, token.key_id))
        if key is None:
            raise InvalidToken("its issuer has no key of its kid")
        return access_tokens.verified(token, key, algorithms, time.time())
