"""The authorization server as the other modules see it: its identifiers, its tokens and its clients."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from starlette.types import Scope

from db import tokens
from db.engine import Database
from db.oauth_clients import OURS
from db.registry import Registry
from handlers.security import signing_keys
from handlers.security.access_tokens import AccessTokens
from handlers.security.client_authentication import ClientAuthentication
from handlers.security.failed_attempts import FailedAttempts
from handlers.security.issuers import Issuers
from handlers.security.signing_keys import KeySource
from openapi.oauth import dpop, server_metadata
from openapi.oauth.access_tokens import Access
from openapi.oauth.jwt import InvalidToken

TOKEN_SECONDS = 600


@dataclass(frozen=True, slots=True)
class OAuthOptions:
    """Options of the operator: the URL of the service for clients, the lifetime of tokens, the source of keys.

    `issuers` are the URLs of other authorization servers whose tokens are accepted. `dpop_leeway` is the largest
    accepted clock difference of the sender of a DPoP proof, in seconds.
    """

    public_url: str = "http://127.0.0.1:8080"
    token_seconds: int = TOKEN_SECONDS
    key_store: KeySource = field(default_factory=KeySource)
    issuers: Sequence[str] = ()
    dpop_leeway: int = dpop.LEEWAY_SECONDS


@dataclass(frozen=True, slots=True)
class AuthorizationServer:
    """The authorization server of this service, at its public URL, and the tokens that it accepts."""

    public_url: str
    database: Database
    registry: Registry
    tokens: AccessTokens
    authentication: ClientAuthentication
    dpop_leeway: int

    def resource(self, path: str) -> str:
        """The identifier of the resource at `path` (RFC 8707): a version of the API, or anything in it."""
        return self.public_url + path

    def metadata_of(self, path: str) -> str:
        """The URL of the metadata of the version of the API at `path` (RFC 9728 section 3.1)."""
        return self.public_url + server_metadata.PROTECTED_RESOURCE + path

    def issuer_of(self, access: Access) -> str:
        """The issuer of the client of a token, as `db.oauth_clients` names it."""
        return OURS if access.issuer == self.tokens.issuer else access.issuer

    async def proven(self, scope: Scope, access_token: str | None = None) -> str:
        """Use up the DPoP proof of a request, for `access_token` if any; returns the thumbprint of its key.

        InvalidToken without a valid proof, or if it was used before.
        """
        proof = dpop.proof(scope, self.public_url, access_token, self.dpop_leeway)
        until = datetime.fromtimestamp(proof.expires_at, UTC)
        if not await self.database.run(tokens.consume, proof.thumbprint, proof.jti, until):
            raise InvalidToken("the proof was used before")
        return proof.thumbprint

    def is_revoked(self, access: Access) -> bool:
        """True if a token of this service was revoked, according to the registry in memory."""
        return access.jti is not None and self.registry.oauth.is_revoked(access.jti)


def open_authorization_server(
    database: Database, registry: Registry, policy: OAuthOptions, failed_attempts: FailedAttempts
) -> AuthorizationServer:
    """The authorization server with the options in `policy`; OSError or UnreadableKey if its key file has no keys."""
    issuer = policy.public_url
    keys = signing_keys.open_keys(database, registry, policy.key_store)
    accepted = AccessTokens(issuer, policy.token_seconds, keys, Issuers(policy.issuers))
    audiences = frozenset({issuer, issuer + server_metadata.TOKEN})
    authentication = ClientAuthentication(database, registry, failed_attempts, audiences)
    return AuthorizationServer(issuer, database, registry, accepted, authentication, policy.dpop_leeway)
