"""Who is calling."""

from typing import Any, NoReturn

from starlette.types import Scope

from db.oauth_registry import Client
from db.registry import Caller, Registry
from handlers.oauth import OAuth
from handlers.resources import Resources
from openapi import rfc9449
from openapi.endpoint import Required
from openapi.problems import Problem
from openapi.rfc6750 import BEARER, DPOP, Unauthenticated, access_token
from openapi.rfc7519 import InvalidToken
from openapi.rfc9068 import Access

DPOP_ALGORITHMS = " ".join(rfc9449.ALGORITHMS)

PROVEN = "proven"
"""Where the state of a request has that its proof was valid, which is good for one use."""


async def authenticate(key: str, resources: Resources) -> Caller | None:
    """The hub whose API key is `key`; None if there is none, or it is disabled."""
    return await resources.registry.hub(key)


async def authorize_nobody(_scope: Scope, _required: Required, _resources: Any) -> NoReturn:
    """Problem `invalid_token`: where no tokens are issued, as when a contract is only looked at."""
    raise Problem("invalid_token")


async def authorize(oauth: OAuth, scope: Scope, required: Required, resources: Resources) -> Caller:
    """The hub of the client that has the access token of a request (RFC 6750, RFC 9449).

    Problem `invalid_token` if there is no token that is valid for the version at the path that is required,
    `insufficient_scope` if it has not all of the scopes.
    """
    try:
        scheme, text = access_token(scope)
        try:
            access = await oauth.tokens.access(text)
            if oauth.resource(required.path) not in access.audiences:
                raise InvalidToken("it is for another audience")
            client, caller = await _client(access, oauth.issuer_of(access), resources.registry)
            _require_scheme(scheme, access, client)
        except InvalidToken as error:
            raise Unauthenticated("invalid_token", str(error), scheme) from None
        if access.thumbprint and PROVEN not in scope["state"]:  # the token is looked at again where the body is late
            await _require_proof(oauth, scope, text, access)
    except Unauthenticated as refused:
        told = {"resource_metadata": oauth.metadata_of(required.path)}
        if refused.scheme == DPOP:
            told["algs"] = DPOP_ALGORITHMS
        raise Problem("invalid_token", refused.challenge(**told), reason=refused.description) from None
    if not required.scopes <= access.scopes & client.scopes:
        raise _insufficient(required, scheme, oauth.metadata_of(required.path))
    return caller


async def _client(access: Access, issuer: str, registry: Registry) -> tuple[Client, Caller]:
    """The client that has the token, and its hub; InvalidToken if either is disabled, or the token was revoked."""
    await registry.confirm()
    client = registry.oauth.client(access.client_id, issuer)
    if client is None:
        await registry.confirm(anew=True)
        client = registry.oauth.client(access.client_id, issuer)
    caller = registry.caller(client.hub_id) if client else None
    if client is None or caller is None:
        raise InvalidToken("its client is unknown, or it or its hub is disabled")
    if not issuer and access.jti and registry.oauth.is_revoked(access.jti):
        raise InvalidToken("it was revoked")
    return client, caller


def _require_scheme(scheme: str, access: Access, client: Client) -> None:
    """InvalidToken unless a token that is bound comes as such, and no other does (RFC 9449 section 7.1)."""
    if scheme == DPOP and access.thumbprint is None:
        raise InvalidToken("it is not bound to a key")
    if scheme == BEARER and access.thumbprint:
        raise InvalidToken("it is bound to a key: send it with the scheme DPoP, and a proof")
    if client.dpop_bound and access.thumbprint is None:
        raise InvalidToken("its client takes none but those bound to a key")


async def _require_proof(oauth: OAuth, scope: Scope, text: str, access: Access) -> None:
    """Unauthenticated unless the sender of the token `text` proves to have the key that it is bound to."""
    try:
        if await oauth.proven(scope, text) != access.thumbprint:
            raise InvalidToken("the proof is of another key than the token's")
    except InvalidToken as error:
        raise Unauthenticated("invalid_dpop_proof", str(error), DPOP) from None
    scope["state"][PROVEN] = True


def _insufficient(required: Required, scheme: str, metadata: str) -> Problem:
    scopes = " ".join(sorted(required.scopes))
    refused = Unauthenticated("insufficient_scope", "the token lacks a scope", scheme)
    headers = refused.challenge(scope=scopes, resource_metadata=metadata)
    return Problem("insufficient_scope", headers, reason="the token lacks a scope", scope=scopes)
