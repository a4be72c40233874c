"""Authentication of clients at the authorization server, with a limit on failed attempts."""

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from starlette.types import Scope

from db import keys, tokens
from db.engine import Database
from db.oauth_registry import Client
from db.registry import Registry
from handlers.security import failed_attempts
from handlers.security.failed_attempts import FailedAttempts
from openapi.oauth import client_assertions, token_requests
from openapi.oauth.jwt import InvalidToken, Token
from openapi.oauth.token_requests import Credentials, OAuthError


@dataclass(frozen=True, slots=True)
class ClientAuthentication:
    """Authenticates clients, whatever other senders at their address have tried.

    A secret has 256 random bits, so that a guess never succeeds: limits only tell senders to slow down, and only
    attempts that do not prove the secret or the key of the client count.
    """

    database: Database
    registry: Registry
    failed_attempts: FailedAttempts
    audiences: frozenset[str]
    """The accepted audiences of an assertion: the issuer, or its token endpoint (RFC 7523 section 3)."""

    async def client(self, scope: Scope, form: Mapping[str, str], admit: Callable[[Client], None]) -> Client:
        """Authenticate the client; raises OAuthError if that fails, with status 429 after too many failures.

        `admit` may refuse the client before its assertion is used up, so that it can send the same one later. A
        refused assertion does not reach `admit`, because a copy of a used one must not consume the rate of the hub.
        """
        credentials = token_requests.credentials(scope, form)
        assertion = _assertion(credentials)
        client_id = assertion.text_claim("sub") if assertion else credentials.client_id
        await self.registry.ensure_fresh()
        try:
            client = await self._proven(credentials, client_id, assertion)
        except OAuthError as error:
            refusal = self._counted(scope, client_id) or error
            if self.registry.oauth.client(client_id):  # its operator looks for the sender of a former secret
                refusal.reason = f"client {client_id}: {refusal.description}"
            raise refusal from None
        if assertion:
            await self._check(assertion)
        admit(client)
        if assertion:
            await self._use_up(assertion)
        return client

    def _counted(self, scope: Scope, client_id: str) -> OAuthError | None:
        """Count a failed attempt; the error instead if there were too many."""
        buckets = failed_attempts.of_client(scope, client_id), failed_attempts.of_address(scope)
        if wait := self.failed_attempts.seconds_to_wait(*buckets):
            description = "too many attempts failed: wait for the seconds in the Retry-After header"
            return OAuthError("temporarily_unavailable", description, 429, [(b"retry-after", b"%d" % wait)])
        self.failed_attempts.count(*buckets)
        return None

    async def _proven(self, credentials: Credentials, client_id: str, assertion: Token | None) -> Client:
        """The client with the secret or the key that `credentials` prove; `invalid_client` if they do not."""
        try:
            return self._known(credentials, client_id, assertion)
        except OAuthError:
            await self.registry.refresh()  # the client, its secret or its key may be new
            return self._known(credentials, client_id, assertion)

    def _known(self, credentials: Credentials, client_id: str, assertion: Token | None) -> Client:
        """The client in memory that `credentials` prove; `invalid_client` if they do not."""
        client = self.registry.oauth.client(client_id)
        is_enabled = client is not None and self.registry.caller(client.hub_id) is not None
        if client is None or not is_enabled or (not assertion and not _is_secret_of(credentials.secret or "", client)):
            raise token_requests.unauthenticated(
                "the client is unknown, it or its hub is disabled, or its secret is wrong"
            )
        if assertion:
            try:
                client_assertions.verify_signature(assertion, client.jwks)
            except InvalidToken as error:
                raise _not_accepted(error) from None
        return client

    async def _check(self, assertion: Token) -> None:
        """Check what a proven assertion says, and that it was not used before; `invalid_client` if refused."""
        try:
            client_assertions.require_claims(assertion, self.audiences, time.time())
        except InvalidToken as error:
            raise _not_accepted(error) from None
        if await self.database.run(tokens.is_used, assertion.text_claim("sub"), assertion.text_claim("jti")):
            raise _used()

    async def _use_up(self, assertion: Token) -> None:
        """Use up a checked assertion; `invalid_client` if another request was faster."""
        until = datetime.fromtimestamp(assertion.time_claim("exp"), UTC)
        if not await self.database.run(tokens.consume, assertion.text_claim("sub"), assertion.text_claim("jti"), until):
            raise _used()


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


def _used() -> OAuthError:
    return _not_accepted(InvalidToken("it was used before"))


def _is_secret_of(secret: str, client: Client) -> bool:
    digest = keys.digest(secret)
    is_previous = client.previous_secret_until is not None and client.previous_secret_until > time.monotonic()
    known = [client.secret, client.previous_secret if is_previous else None]
    return any(secrets.compare_digest(digest, secret_digest) for secret_digest in known if secret_digest)
