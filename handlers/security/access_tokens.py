"""Access tokens: issues them, and verifies each once an hour, also those of other issuers."""

import hashlib
import time
from typing import NamedTuple

from joserfc.jwk import Key

from handlers.security.issuers import Issuers
from handlers.security.signing_keys import Keys
from openapi.oauth import access_tokens, jwt
from openapi.oauth.access_tokens import ALGORITHM, Access, Grant
from openapi.oauth.jwt import InvalidToken, WrongSignature

MOST = 20_000
"""Limit on the verified tokens in memory; a token takes about a kibibyte."""
LONGEST_SECONDS = 3600.0
"""How long a verified token is relied on before it is verified again."""

_NO_KEY = "its issuer has no key with its kid"
_NOT_ONE_KEY = "it has no kid, and its issuer has not exactly one key for its alg"


class _Verified(NamedTuple):
    """A verified token: what it grants, when it is relied on, and the key of another issuer, if any.

    Times are in seconds since the epoch. A clock that went back to before `since` may have been wrong until then.
    """

    access: Access
    since: float
    until: float
    foreign_key: Key | None


class AccessTokens:
    """Issues tokens of `issuer`, and caches verified tokens by their digest."""

    def __init__(self, issuer: str, seconds: int, keys: Keys, issuers: Issuers) -> None:
        """`seconds` is the lifetime of an issued token; tokens of `issuers` are accepted, too."""
        self.issuer = issuer
        self.seconds = seconds
        self.keys = keys
        self.issuers = issuers
        self._verified: dict[bytes, _Verified] = {}
        self._revision = keys.revision()

    async def issue(self, grant: Grant) -> str:
        """A new token for `grant`."""
        return access_tokens.signed(await self.keys.signing(), grant, self.seconds)

    def known(self, text: bytes) -> Access | None:
        """The access that the token `text` granted before, while it is valid; None if unknown, or to verify again.

        It parses nothing, because most requests have a known token.
        """
        if (revision := self.keys.revision()) != self._revision:
            self._verified.clear()  # a key may have been revoked
            self._revision = revision
        verified = self._verified.get(hashlib.sha256(text).digest())
        if verified is None or not verified.since <= time.time() < verified.until:
            return None
        access, _, _, key = verified
        return access if key is None or self.issuers.holds(access.issuer, key) else None

    async def access(self, text: str, at: float | None = None) -> Access:
        """The access that the token `text` grants; its audience and its revocation are not checked here.

        InvalidToken if it is not valid now, or at the time `at`, in seconds since the epoch; Unavailable or
        IssuerUnavailable if its key cannot be read.
        """
        if "." not in text:
            raise InvalidToken("it is not a JWT, and API keys are not accepted here")
        token = access_tokens.read(text)
        issuer = token.text_claim("iss")
        is_ours = issuer == self.issuer
        if not is_ours and issuer not in self.issuers:
            raise InvalidToken("its issuer is not accepted")
        algorithms = [ALGORITHM] if is_ours else jwt.ALGORITHMS
        if token.algorithm not in algorithms:  # before the look-up of the key, which may send a request to the issuer
            raise InvalidToken("its alg is not accepted")
        now = time.time() if at is None else at
        key = await (self.keys.verifying(token.key_id) if is_ours else self.issuers.key(issuer, token))
        if key is None:
            raise InvalidToken(_NO_KEY if is_ours or "kid" in token.header else _NOT_ONE_KEY)
        try:
            access = access_tokens.verified(token, key, algorithms, now)
        except WrongSignature:
            if is_ours or (key := await self.issuers.other_key(issuer, token, key)) is None:
                raise
            access = access_tokens.verified(token, key, algorithms, now)
        self._know(text.encode(), access, None if is_ours else key)
        return access

    def _know(self, text: bytes, access: Access, foreign_key: Key | None) -> None:
        """Cache a token; beyond MOST the oldest quarter is dropped, and verified again at its next use."""
        if len(self._verified) >= MOST:
            for oldest in list(self._verified)[: MOST // 4]:
                del self._verified[oldest]
        now = time.time()
        since = now - jwt.LEEWAY_SECONDS
        until = min(access.expires_at + jwt.LEEWAY_SECONDS, now + LONGEST_SECONDS)
        self._verified[hashlib.sha256(text).digest()] = _Verified(access, since, until, foreign_key)
