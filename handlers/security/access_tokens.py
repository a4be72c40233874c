"""Access tokens: issued here, and verified once for as long as they are valid, whoever issued them."""

import hashlib
import time

from handlers.security.issuers import Issuers
from handlers.security.signing_keys import Keys
from openapi.oauth import access_tokens, jwt
from openapi.oauth.access_tokens import ALGORITHM, Access, Grant
from openapi.oauth.jwt import InvalidToken

MOST = 20_000
"""How many tokens are known at once; a token takes about a kibibyte."""


class AccessTokens:
    """Issues tokens of `issuer`, and knows those that were verified, by the digest of what carries them."""

    def __init__(self, issuer: str, seconds: int, keys: Keys, issuers: Issuers) -> None:
        """`seconds` is how long a token of ours is valid; `issuers` are those whose tokens are taken, too."""
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
        """What the token in `credentials` says, as `know` was told, while that is valid.

        Nothing is parsed for it: most requests come with credentials that are known.
        """
        if (revision := self.keys.revision()) != self._revision:
            self._known.clear()  # a key may have been revoked
            self._revision = revision
        access = self._known.get(hashlib.sha256(credentials).digest())
        return None if access is None or access.expires_at <= time.time() - jwt.LEEWAY_SECONDS else access

    def know(self, credentials: bytes, access: Access) -> None:
        """Keep `access`; where there are too many the oldest of them are verified again if they come again."""
        if len(self._known) >= MOST:
            for oldest in list(self._known)[: MOST // 4]:
                del self._known[oldest]
        self._known[hashlib.sha256(credentials).digest()] = access

    async def access(self, text: str) -> Access:
        """What the token `text` says, if it is valid now; whom it is for and whether it was revoked is not asked here.

        InvalidToken if it is not; Unavailable or IssuerUnavailable if that cannot be known.
        """
        if "." not in text:
            raise InvalidToken("it is not a JWT, and API keys are not taken here")
        token = access_tokens.read(text)
        issuer = token.text_claim("iss")
        is_ours = issuer == self.issuer
        if not is_ours and issuer not in self.issuers:
            raise InvalidToken("its issuer is not accepted")
        algorithms = [ALGORITHM] if is_ours else jwt.ALGORITHMS
        if token.algorithm not in algorithms:  # before the key is looked for, which may mean to ask the issuer
            raise InvalidToken("its alg is not accepted")
        key = await (self.keys.verifying(token.key_id) if is_ours else self.issuers.key(issuer, token.key_id))
        if key is None:
            raise InvalidToken("its issuer has no key of its kid")
        return access_tokens.verified(token, key, algorithms, time.time())
