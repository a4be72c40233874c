"""Authentication of clients at the authorization server, with a limit on failed attempts."""

import ipaddress
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid5

from starlette.types import Scope

from db import keys, tokens
from db.engine import Database
from db.oauth_registry import Client
from db.registry import Registry
from openapi.oauth import client_assertions, token_requests
from openapi.oauth.jwt import InvalidToken, Token
from openapi.oauth.token_requests import Credentials, OAuthError
from openapi.serving.rate_limits import RateLimits, RatePolicy

ATTEMPT = 10
"""Tokens of a rate limit that one failed attempt takes."""
OF_CLIENT = RatePolicy(rate=1, burst=10 * ATTEMPT)
"""Ten failed attempts for one client from one address, and one more every ten seconds."""
OF_ADDRESS = RatePolicy(rate=10, burst=60 * ATTEMPT)
"""Sixty failed attempts from one address, and one more every second."""
_NAMESPACE = UUID("6f2c1b5e-0d1a-5c57-9d2e-0b9a5b7f3a11")


@dataclass(frozen=True, slots=True)
class ClientAuthentication:
    """Authenticates clients. `limits` counts failed attempts across all workers of one service."""

    database: Database
    registry: Registry
    limits: RateLimits
    audiences: frozenset[str]
    """The accepted audiences of an assertion: the issuer, or its token endpoint (RFC 7523 section 3)."""

    async def client(self, scope: Scope, form: Mapping[str, str]) -> Client:
        """Authenticate the client; raises OAuthError if that fails, or after too many failures."""
        credentials = token_requests.credentials(scope, form)
        assertion = _assertion(credentials)
        client_id = assertion.text_claim("sub") if assertion else credentials.client_id
        attempts = _attempts(scope, client_id)
        self._require_patience(attempts)
        try:
            return await self._authenticated(credentials, client_id, assertion)
        except OAuthError:
            for identifier, policy in attempts:
                self.limits.take(identifier, ATTEMPT, policy)
            raise

    def _require_patience(self, attempts: list[tuple[UUID, RatePolicy]]) -> None:
        for identifier, policy in attempts:
            remaining = self.limits.take(identifier, 0, policy).remaining
            if remaining < ATTEMPT:
                wait = b"%d" % -(-(ATTEMPT - remaining) // policy.rate)
                description = "too many attempts failed: wait for the seconds in the Retry-After header"
                raise OAuthError("temporarily_unavailable", description, 429, [(b"retry-after", wait)])

    async def _authenticated(self, credentials: Credentials, client_id: str, assertion: Token | None) -> Client:
        await self.registry.ensure_fresh()
        try:
            client = self._known(credentials, client_id, assertion)
        except OAuthError:
            await self.registry.refresh()  # the client, its secret or its key may be new
            client = self._known(credentials, client_id, assertion)
        if assertion:
            until = datetime.fromtimestamp(assertion.time_claim("exp"), UTC)
            if not await self.database.run(tokens.consume, client_id, assertion.text_claim("jti"), until):
                raise _not_accepted(InvalidToken("it was used before"))
        return client

    def _known(self, credentials: Credentials, client_id: str, assertion: Token | None) -> Client:
        """The client in memory that `credentials` authenticate; `invalid_client` if they do not."""
        client = self.registry.oauth.client(client_id)
        is_enabled = client is not None and self.registry.caller(client.hub_id) is not None
        if client is None or not is_enabled or (not assertion and not _is_secret_of(credentials.secret or "", client)):
            raise token_requests.unauthenticated(
                "the client is unknown, it or its hub is disabled, or its secret is wrong"
            )
        if assertion:
            try:
                client_assertions.verify(assertion, client.jwks, self.audiences, time.time())
            except InvalidToken as error:
                raise _not_accepted(error) from None
        return client


def _assertion(credentials: Credentials) -> Token | None:
    """The unverified assertion in `credentials`, if any; `invalid_client` if malformed, or of another client."""
    if credentials.assertion is None:
        return None
    try:
        assertion = client_assertions.read(credentials.assertion)
        if credentials.client_id not in ("", assertion.text_claim("sub")):
            raise InvalidToken("its sub is not the client_id")
    except InvalidToken as error:
        raise _not_accepted(error) from None
    return assertion


def _not_accepted(error: InvalidToken) -> OAuthError:
    return token_requests.unauthenticated(f"the assertion is not accepted: {error}", is_basic=False)


def _is_secret_of(secret: str, client: Client) -> bool:
    digest = keys.digest(secret)
    is_previous = client.previous_secret_until is not None and client.previous_secret_until > datetime.now(UTC)
    known = [client.secret, client.previous_secret if is_previous else None]
    return any(secrets.compare_digest(digest, secret_digest) for secret_digest in known if secret_digest)


def _attempts(scope: Scope, client_id: str) -> list[tuple[UUID, RatePolicy]]:
    """The buckets that a failed attempt drains: the client together with the address, and the address alone."""
    address = _address(scope)
    return [
        (uuid5(_NAMESPACE, f"{address} {client_id}"), OF_CLIENT),
        (uuid5(_NAMESPACE, address), OF_ADDRESS),
    ]


def _address(scope: Scope) -> str:
    """The address of the sender: all of IPv4, the /64 of IPv6, because one host may have a whole /64."""
    host = (scope.get("client") or ["unknown"])[0]
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return str(host)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
