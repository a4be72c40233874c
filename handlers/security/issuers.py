"""Other authorization servers whose access tokens are accepted, and their public keys."""

import asyncio
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpx
from joserfc.jwk import Key

from handlers.security import issuer_answers
from handlers.security.issuer_answers import TIMEOUT_SECONDS
from openapi.oauth import public_key, server_metadata
from openapi.oauth.jwt import Token

logger = logging.getLogger(__name__)

FLOOR_SECONDS = 10.0
"""Least time between two requests for the keys of an issuer, however many tokens name unknown keys."""
FRESH_SECONDS = 300.0
"""A withdrawn key is accepted for this long at most, while its issuer can be reached."""
EARLY = 0.8
"""The part of FRESH_SECONDS after which its keys are requested again, so that no token need wait for them."""
WAIT_SECONDS = 0.25
"""Limit on the time that a token with a known, but older key waits for the answer to that request."""
STALE_SECONDS = 3600.0
"""Limit on the age of its keys while it cannot be reached."""
MAX_KEYS = 50
OPENID_CONFIGURATION = "/.well-known/openid-configuration"
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class IssuerUnavailable(Exception):
    """The keys of an issuer cannot be read. Trying again later may help."""


@dataclass(slots=True)
class _Issuer:
    """One issuer, its metadata and its known keys; times are in seconds of `time.monotonic`."""

    url: str
    keys: dict[str, Key] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    confirmed_at: float = float("-inf")
    asked_at: float = float("-inf")
    request: asyncio.Task[None] | None = None
    """The latest request for its keys, perhaps under way."""

    def key(self, token: Token) -> Key | None:
        """The known key that may verify `token`: that of its kid; without a kid the only one for its alg, if any."""
        if "kid" in token.header:
            return self.keys.get(token.key_id)
        fitting = [key for key in self.keys.values() if public_key.verifies(key, token.algorithm)]
        return fitting[0] if len(fitting) == 1 else None

    @property
    def age(self) -> float:
        """The seconds since its keys were confirmed."""
        return time.monotonic() - self.confirmed_at

    @property
    def waits(self) -> float:
        """The seconds that a token with a known key waits for the request that is under way; 0 if it does not."""
        is_due = self.age > FRESH_SECONDS and self.request is not None and not self.request.done()
        return max(0, self.asked_at + WAIT_SECONDS - time.monotonic()) if is_due else 0


class Issuers:
    """The issuers at some URLs, and an HTTP client for their keys, which is open within the async context."""

    def __init__(self, urls: Sequence[str], is_openid: bool = False) -> None:
        """With `is_openid` their metadata is that of OpenID Connect Discovery alone, which names more endpoints."""
        self._is_openid = is_openid
        self._issuers = {url: _Issuer(url) for url in urls}
        self._client: httpx.AsyncClient | None = None

    def __contains__(self, url: str) -> bool:
        return url in self._issuers

    def __iter__(self) -> Iterator[str]:
        return iter(self._issuers)

    async def __aenter__(self) -> Self:
        if self._issuers:
            self._client = issuer_answers.client()
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        requests = [issuer.request for issuer in self._issuers.values() if issuer.request]
        for request in requests:
            request.cancel()
        await asyncio.gather(*requests, return_exceptions=True)
        if self._client:
            await self._client.aclose()

    async def metadata(self, url: str) -> Mapping[str, Any]:
        """The metadata of the issuer at `url`, requested again when it is old.

        IssuerUnavailable if that fails, and it is unknown or older than STALE_SECONDS.
        """
        issuer = self._issuers[url]
        if issuer.age > FRESH_SECONDS:
            await self._renew(issuer)
        if issuer.age > STALE_SECONDS:
            raise IssuerUnavailable(f"the metadata of {url} cannot be read")
        return issuer.metadata

    async def key(self, url: str, token: Token) -> Key | None:
        """The public key of the issuer at `url` that may verify `token`; None if the issuer has no such key.

        The keys are requested again when they are old. A known key is used meanwhile, an unknown one waits for the
        answer. IssuerUnavailable if that fails, and the key is unknown or older than STALE_SECONDS.
        """
        issuer = self._issuers[url]
        known = issuer.key(token)
        if known is None:
            await self._renew(issuer)
        elif not self.holds(url, known) and issuer.request:
            await asyncio.wait({issuer.request}, timeout=issuer.waits)
        key = issuer.key(token)
        is_unknown = key is None and issuer.confirmed_at < issuer.asked_at
        if is_unknown or issuer.age > STALE_SECONDS:
            raise IssuerUnavailable(f"the keys of {url} cannot be read")
        return key

    async def other_key(self, url: str, token: Token, key: Key) -> Key | None:
        """The key that the issuer now has for `token` in place of `key`, which does not verify it; None if the same.

        IssuerUnavailable if the issuer cannot be asked.
        """
        issuer = self._issuers[url]
        await self._renew(issuer)
        other = issuer.key(token)
        if other is key and issuer.confirmed_at < issuer.asked_at:
            raise IssuerUnavailable(f"the keys of {url} cannot be read")
        return None if other is key else other

    def holds(self, url: str, key: Key) -> bool:
        """True if `key`, an earlier result of `key`, may be used at once; requests the keys again if they are old."""
        issuer = self._issuers[url]
        if issuer.age > EARLY * FRESH_SECONDS:
            self._request(issuer)
        return issuer.keys.get(str(key.kid)) is key and issuer.age <= STALE_SECONDS and not issuer.waits

    async def _renew(self, issuer: _Issuer) -> None:
        """Request the keys of an issuer, and wait for the answer."""
        self._request(issuer)
        if issuer.request:
            await asyncio.shield(issuer.request)

    def _request(self, issuer: _Issuer) -> None:
        """Request the keys of an issuer, unless that was done in the last FLOOR_SECONDS or is under way."""
        is_under_way = issuer.request is not None and not issuer.request.done()
        if not is_under_way and time.monotonic() > issuer.asked_at + FLOOR_SECONDS:
            issuer.asked_at = time.monotonic()
            issuer.request = asyncio.create_task(self._refresh(issuer))

    async def _refresh(self, issuer: _Issuer) -> None:
        """Replace the known keys by those that the issuer has now; if it cannot be reached, they stay."""
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                metadata = await self._metadata(issuer.url)
                keys = await self._keys(issuer.url, metadata)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, TimeoutError) as error:
            logger.warning("the keys of the issuer %s cannot be read: %s: %s", issuer.url, type(error).__name__, error)
            return
        issuer.keys = {kid: _same(key, issuer.keys.get(kid)) for kid, key in keys.items()}
        issuer.metadata, issuer.confirmed_at = metadata, time.monotonic()

    async def _keys(self, url: str, metadata: Mapping[str, Any]) -> dict[str, Key]:
        if metadata.get("issuer") != url:
            raise ValueError("its metadata is that of another issuer")
        location = metadata.get("jwks_uri")
        if not isinstance(location, str) or not is_secure(location):
            raise ValueError("its metadata has no jwks_uri with https")
        declared = (await self._json(location)).get("keys")
        declared = declared if isinstance(declared, list) else []
        if len(declared) > MAX_KEYS:
            logger.warning("the issuer %s has %d keys: only its first %d are used", url, len(declared), MAX_KEYS)
        return _public_keys(declared[:MAX_KEYS])

    async def _metadata(self, url: str) -> dict[str, Any]:
        """The metadata of an issuer, by RFC 8414 section 3, else by OpenID Connect Discovery."""
        parts = urlsplit(url)
        path = parts.path.rstrip("/")
        origin = f"{parts.scheme}://{parts.netloc}"
        if self._is_openid:
            return await self._json(origin + path + OPENID_CONFIGURATION)
        with suppress(httpx.HTTPStatusError, ValueError):  # some servers answer any path with a page
            metadata = await self._json(origin + server_metadata.AUTHORIZATION_SERVER + path)
            if "issuer" in metadata:
                return metadata
        return await self._json(origin + path + OPENID_CONFIGURATION)

    async def _json(self, url: str) -> dict[str, Any]:
        """The JSON object at `url`."""
        if self._client is None:
            raise RuntimeError("the HTTP client for issuers is not open")
        return await issuer_answers.got(self._client, url)


def is_secure(url: str) -> bool:
    """True if an answer from `url` cannot be changed in transit: it has https, or is on this machine.

    False for a URL whose port is out of range.
    """
    try:
        parts = urlsplit(url)
        is_trusted = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
        return bool(parts.hostname) and is_trusted and parts.port != 0
    except ValueError:
        return False


def _public_keys(declared: list[Any]) -> dict[str, Key]:
    """The public keys that may verify signatures, by `kid`; ValueError if there is none."""
    keys: dict[str, Key] = {}
    faults = []
    for number, members in enumerate(declared, start=1):
        try:
            key = public_key.read(members)
            keys[str(key.kid)] = key
        except ValueError as error:
            faults.append(f": key {number}: {error}")
    if not keys:
        raise ValueError("its JWK Set has no key that verifies signatures" + "".join(faults[:1]))
    return keys


def _same(key: Key, known: Key | None) -> Key:
    """`known` if it has the members of `key`, so that tokens that it verified need no other verification."""
    return known if known and known.as_dict() == key.as_dict() else key
