"""The hub that sends a request: by its API key, or by the access token of its client."""

from typing import Any, NoReturn

from starlette.types import Scope

from db.oauth_clients import OURS
from db.oauth_registry import Client
from db.registry import Caller, Registry
from handlers.resources import Resources
from handlers.security.authority import AuthorizationServer
from openapi.oauth import dpop
from openapi.oauth.access_tokens import Access
from openapi.oauth.bearer import BEARER, DPOP, Unauthenticated, access_token
from openapi.oauth.jwt import InvalidToken
from openapi.problems import Problem
from openapi.serving.endpoint import TokenRequirement
from openapi.serving.request_state import request_state
from openapi.standards.header_fields import field_values

DPOP_ALGORITHMS = " ".join(dpop.ALGORITHMS)


async def authenticate(key: str, resources: Resources) -> Caller | None:
    """The hub whose API key is `key`; None if absent or disabled."""
    return await resources.registry.hub(key)


async def authorize_nobody(_scope: Scope, _required: TokenRequirement, _resources: Any) -> NoReturn:
    """Problem `invalid_token`: where no tokens are issued, as when a contract is only looked at."""
    raise Problem("invalid_token", why="")


async def authorize(
    oauth: AuthorizationServer, scope: Scope, required: TokenRequirement, resources: Resources
) -> Caller:
    """The hub of the client that has the access token of a request (RFC 6750, RFC 9449).

    Problem `invalid_token` if there is no token that is valid for the version at the path that is required,
    `invalid_dpop_proof` if the key that it is bound to is not proven, `insufficient_scope` if it lacks a scope.
    """
    try:
        access, client, caller = await _authorized(oauth, scope, required, resources.registry)
    except Unauthenticated as refused:
        raise _unauthorized(refused, oauth.metadata_of(required.path)) from None
    if not (required.scopes <= access.scopes and required.scopes <= client.scopes):
        raise _insufficient(required, DPOP if access.thumbprint else BEARER, oauth.metadata_of(required.path))
    return caller


async def _authorized(
    oauth: AuthorizationServer, scope: Scope, required: TokenRequirement, registry: Registry
) -> tuple[Access, Client, Caller]:
    """The access that a request's token grants, its client and its hub; Unauthenticated unless it is valid here."""
    values = field_values(scope, b"authorization")
    access = oauth.tokens.known(values[0]) if len(values) == 1 and registry.is_fresh else None
    if access is None:
        access = await _verified_token(oauth, scope, registry)
    try:
        if oauth.resource(required.path) not in access.audiences:
            raise InvalidToken("it is for another audience")
        client, caller = await _client_and_hub(oauth, access, registry)
        if client.dpop_bound and access.thumbprint is None:
            raise InvalidToken("its client takes none but those bound to a key")
    except InvalidToken as error:
        raise Unauthenticated("invalid_token", str(error), DPOP if access.thumbprint else BEARER) from None
    if access.thumbprint and not request_state(scope).is_proven:  # the token is looked at again where the body is late
        await _require_proof(oauth, scope, access)
    return access, client, caller


async def _verified_token(oauth: AuthorizationServer, scope: Scope, registry: Registry) -> Access:
    """The access that a request's token grants, which is known from now on; Unauthenticated unless it is valid.

    The scheme is DPoP if the token is bound to a key, else Bearer (RFC 9449 section 7.1).
    """
    scheme, text = access_token(scope)
    await registry.ensure_fresh()
    try:
        access = await oauth.tokens.access(text)
        if scheme == DPOP and access.thumbprint is None:
            raise InvalidToken("it is not bound to a key")
        if scheme == BEARER and access.thumbprint:
            raise InvalidToken("it is bound to a key: send it with the scheme DPoP, and a proof")
    except InvalidToken as error:
        raise Unauthenticated("invalid_token", str(error), scheme) from None
    oauth.tokens.know(field_values(scope, b"authorization")[0], access)
    return access


async def _client_and_hub(oauth: AuthorizationServer, access: Access, registry: Registry) -> tuple[Client, Caller]:
    """The client that has the token, and its hub; InvalidToken if either is disabled, or the token was revoked."""
    issuer = oauth.issuer_of(access)
    client = registry.oauth.client(access.client_id, issuer)
    if client is None:
        await registry.refresh()
        client = registry.oauth.client(access.client_id, issuer)
    caller = registry.caller(client.hub_id) if client else None
    if client is None or caller is None:
        raise InvalidToken("its client is unknown, or it or its hub is disabled")
    if issuer == OURS and oauth.is_revoked(access):
        raise InvalidToken("it was revoked")
    return client, caller


async def _require_proof(oauth: AuthorizationServer, scope: Scope, access: Access) -> None:
    """Unauthenticated unless the sender of a token proves to have the key that it is bound to."""
    try:
        _, text = access_token(scope)
        if await oauth.proven(scope, text) != access.thumbprint:
            raise InvalidToken("the proof is of another key than the token's")
    except InvalidToken as error:
        raise Unauthenticated("invalid_dpop_proof", str(error), DPOP) from None
    request_state(scope).is_proven = True


def _unauthorized(refused: Unauthenticated, metadata: str) -> Problem:
    parameters = {"resource_metadata": metadata}
    if refused.scheme == DPOP:
        parameters["algs"] = DPOP_ALGORITHMS
    headers, why = refused.challenge(**parameters), refused.description
    if refused.error == "invalid_dpop_proof":
        return Problem(refused.error, headers, reason=why, detail=why)
    return Problem("invalid_token", headers, reason=why, why=f": {why}" if why else "")


def _insufficient(required: TokenRequirement, scheme: str, metadata: str) -> Problem:
    scopes = " ".join(sorted(required.scopes))
    refused = Unauthenticated("insufficient_scope", "the token lacks a scope", scheme)
    headers = refused.challenge(scope=scopes, resource_metadata=metadata)
    return Problem("insufficient_scope", headers, reason="the token lacks a scope", scope=scopes)
