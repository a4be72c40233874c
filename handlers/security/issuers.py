"""Other authorization servers whose access tokens are accepted, and their public keys."""

import asyncio
import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpx
from joserfc import jwk
from joserfc.errors import JoseError
from joserfc.jwk import Key

from openapi.oauth import jwt, server_metadata
from openapi.standards import ijson
from openapi.standards.media_types import JSON

logger = logging.getLogger(__name__)

FLOOR_SECONDS = 10.0
"""Least time between two requests for the keys of an issuer, however many tokens name unknown keys."""
FRESH_SECONDS = 300.0
"""Age of its keys when they are requested again: a withdrawn key is accepted for this long at most."""
STALE_SECONDS = 3600.0
"""Limit on the age of its keys while it cannot be reached."""
TIMEOUT_SECONDS = 5.0
MAX_BYTES = 256 * 1024
MAX_KEYS = 50
OPENID_CONFIGURATION = "/.well-known/openid-configuration"
_HEADERS = {"accept": JSON, "accept-encoding": "identity"}
_KINDS = {"EC", "RSA", "OKP"}
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class IssuerUnavailable(Exception):
    """The keys of an issuer cannot be read. Trying again later may help."""


@dataclass(slots=True)
class _Issuer:
    """One issuer and its known keys; times are in seconds of `time.monotonic`."""

    url: str
    keys: dict[str, Key] = field(default_factory=dict)
    confirmed_at: float = float("-inf")
    asked_at: float = float("-inf")
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)


class Issuers:
    """The issuers at some URLs, and an HTTP client for their keys, which is open within the async context."""

    def __init__(self, urls: Sequence[str]) -> None:
        self._issuers = {url: _Issuer(url) for url in urls}
        self._client: httpx.AsyncClient | None = None

    def __contains__(self, url: str) -> bool:
        return url in self._issuers

    def __iter__(self) -> Iterator[str]:
        return iter(self._issuers)

    async def __aenter__(self) -> Self:
        if self._issuers:
            self._client = httpx.AsyncClient(timeout=TIMEOUT_SECONDS, trust_env=False, follow_redirects=False)
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        if self._client:
            await self._client.aclose()

    async def key(self, url: str, kid: str) -> Key | None:
        """The public key `kid` of the issuer at `url`; None if the issuer has no such key.

        IssuerUnavailable if it cannot be reached, and its known keys are older than STALE_SECONDS.
        """
        issuer = self._issuers[url]
        if kid not in issuer.keys or time.monotonic() > issuer.confirmed_at + FRESH_SECONDS:
            await self._refresh(issuer)
        if time.monotonic() > issuer.confirmed_at + STALE_SECONDS:
            raise IssuerUnavailable(f"the keys of {url} cannot be read")
        return issuer.keys.get(kid)

    async def _refresh(self, issuer: _Issuer) -> None:
        """Request the keys of an issuer, at most once in FLOOR_SECONDS; concurrent calls wait for one answer."""
        async with issuer.asking:
            if time.monotonic() < issuer.asked_at + FLOOR_SECONDS:
                return
            issuer.asked_at = time.monotonic()
            try:
                async with asyncio.timeout(TIMEOUT_SECONDS):
                    issuer.keys = await self._keys(issuer.url)
                issuer.confirmed_at = time.monotonic()
            except (httpx.HTTPError, httpx.InvalidURL, ValueError, TimeoutError) as error:
                logger.warning(
                    "the keys of the issuer %s cannot be read: %s: %s", issuer.url, type(error).__name__, error
                )

    async def _keys(self, url: str) -> dict[str, Key]:
        metadata = await self._metadata(url)
        if metadata.get("issuer") != url:
            raise ValueError("its metadata is that of another issuer")
        location = metadata.get("jwks_uri")
        if not isinstance(location, str) or not is_secure(location):
            raise ValueError("its metadata has no jwks_uri with https")
        keys = (await self._json(location)).get("keys")
        return dict(_public_keys(keys[:MAX_KEYS] if isinstance(keys, list) else []))

    async def _metadata(self, url: str) -> dict[str, Any]:
        """The metadata of an issuer, by RFC 8414 section 3, else by OpenID Connect Discovery."""
        parts = urlsplit(url)
        path = parts.path.rstrip("/")
        origin = f"{parts.scheme}://{parts.netloc}"
        try:
            return await self._json(origin + server_metadata.AUTHORIZATION_SERVER + path)
        except httpx.HTTPStatusError:
            return await self._json(origin + path + OPENID_CONFIGURATION)

    async def _json(self, url: str) -> dict[str, Any]:
        """The JSON object at `url`."""
        if self._client is None:
            raise RuntimeError("issuers are asked while they are open")
        content = bytearray()
        async with self._client.stream("GET", url, headers=_HEADERS) as response:
            if response.status_code != 200:
                raise httpx.HTTPStatusError(
                    f"status {response.status_code}", request=response.request, response=response
                )
            async for piece in response.aiter_raw():
                content += piece
                if len(content) > MAX_BYTES:
                    raise ValueError(f"an answer has more than {MAX_BYTES} bytes")
        value = ijson.loads(bytes(content))
        if not isinstance(value, dict):
            raise ValueError("an answer is not a JSON object")  # noqa: TRY004 (it is a value that was sent)
        return value


def is_secure(url: str) -> bool:
    """True if an answer from `url` cannot be changed in transit: it has https, or is on this machine."""
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and (
            parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
        )
    except ValueError:
        return False


def _public_keys(declared: list[Any]) -> Iterator[tuple[str, Key]]:
    """The public keys that may verify signatures, by `kid`."""
    for members in declared:
        if not isinstance(members, dict) or str(members.get("kty")) not in _KINDS or "d" in members:
            continue
        if members.get("use", "sig") != "sig" or not isinstance(members.get("kid"), str):
            continue
        if members["kty"] == "RSA" and len(str(members.get("n"))) not in jwt.RSA_CHARACTERS:
            continue
        with suppress(JoseError, ValueError, TypeError, KeyError):
            yield members["kid"], jwk.import_key(members)
