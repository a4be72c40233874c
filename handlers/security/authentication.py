"""Identifies the hub that sends a request: by its API key, or by the access token of its client."""

from collections.abc import Iterable
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
_BEARER, _DPOP = BEARER.lower().encode(), DPOP.lower().encode()


async def authenticate(key: str, resources: Resources) -> Caller | None:
    """The hub whose API key is `key`; None if absent or disabled."""
    return await resources.registry.hub(key)


async def refuse_tokens(_scope: Scope, _required: TokenRequirement, _resources: Any) -> NoReturn:
    """Problem `invalid_token`: for an application that only tests a contract, and accepts no tokens."""
    raise Problem("invalid_token", why="")


async def authorize(
    oauth: AuthorizationServer, scope: Scope, required: TokenRequirement, resources: Resources
) -> Caller:
    """The hub of the client that has the access token of a request (RFC 6750, RFC 9449).

    Problem `invalid_token` unless the token is valid for the version at the required path, `invalid_dpop_proof` if the
    token is bound to a key and the request lacks its proof, `insufficient_scope` if the token lacks a scope.
    """
    try:
        access, client, caller = await _authorized(oauth, scope, required, resources.registry)
    except Unauthenticated as refused:
        raise _unauthorized(refused, oauth.metadata_of(required.path)) from None
    if not (required.scopes <= access.scopes and required.scopes <= client.scopes):
        lacking = required.scopes - (access.scopes & client.scopes)
        raise _insufficient(required, lacking, DPOP if access.thumbprint else BEARER, oauth.metadata_of(required.path))
    return caller


async def _authorized(
    oauth: AuthorizationServer, scope: Scope, required: TokenRequirement, registry: Registry
) -> tuple[Access, Client, Caller]:
    """The access that a request's token grants, its client and its hub; Unauthenticated unless it is valid here."""
    access = _known_token(oauth, scope) if registry.is_fresh else None
    if access is None:
        access = await _verified_token(oauth, scope, registry)
    if oauth.resource(required.path) not in access.audiences:
        raise _invalid_token("it is for another audience", access)
    client, caller = await _client_and_hub(oauth, access, registry)
    if client.dpop_bound and access.thumbprint is None:
        raise _invalid_token("its client accepts only tokens that are bound to a key", access)
    if access.thumbprint and not request_state(scope).is_proven:  # a late body causes a second check of the token
        await _require_proof(oauth, scope, access)
    return access, client, caller


def _known_token(oauth: AuthorizationServer, scope: Scope) -> Access | None:
    """The access of a request's token, if that is known and its scheme is right; it parses as little as possible."""
    values = field_values(scope, b"authorization")
    if len(values) != 1:
        return None
    scheme, _, text = values[0].partition(b" ")
    access = oauth.tokens.known(text)
    return access if access and scheme.lower() == (_DPOP if access.thumbprint else _BEARER) else None


async def _verified_token(oauth: AuthorizationServer, scope: Scope, registry: Registry) -> Access:
    """The access that a request's token grants; Unauthenticated unless it is valid.

    The scheme must be DPoP if the token is bound to a key, else Bearer (RFC 9449 section 7.1).
    """
    scheme, text = access_token(scope)
    await registry.ensure_fresh()
    try:
        access = await oauth.tokens.access(text, request_state(scope).judged_at)
    except InvalidToken as error:
        raise Unauthenticated("invalid_token", str(error), scheme) from None
    if scheme == DPOP and access.thumbprint is None:
        raise Unauthenticated("invalid_token", "it is not bound to a key", scheme)
    if scheme == BEARER and access.thumbprint:
        why = "it is bound to a key: send it with the scheme DPoP, and a proof"
        raise Unauthenticated("invalid_token", why, scheme)
    return access


async def _client_and_hub(oauth: AuthorizationServer, access: Access, registry: Registry) -> tuple[Client, Caller]:
    """The client of the token, and its hub; Unauthenticated if either is disabled, or the token was revoked."""
    issuer = oauth.issuer_of(access)
    client = registry.oauth.client(access.client_id, issuer)
    if client is None:
        await registry.refresh()
        client = registry.oauth.client(access.client_id, issuer)
    caller = registry.caller(client.hub_id) if client else None
    if client is None or caller is None:
        raise _invalid_token("its client is unknown, or it or its hub is disabled", access)
    # `oauth.is_revoked`, inlined: this is on the path of every event.
    if issuer == OURS and access.jti is not None and registry.oauth.is_revoked(access.jti):
        raise _invalid_token("it was revoked", access)
    return client, caller


async def _require_proof(oauth: AuthorizationServer, scope: Scope, access: Access) -> None:
    """Unauthenticated unless the sender of a token proves possession of its bound key."""
    try:
        _, text = access_token(scope)
        if await oauth.proven(scope, text) != access.thumbprint:
            raise InvalidToken("the proof was signed with another key than the token's")
    except InvalidToken as error:
        raise Unauthenticated("invalid_dpop_proof", str(error), DPOP) from None
    request_state(scope).is_proven = True


def _invalid_token(why: str, access: Access) -> Unauthenticated:
    return Unauthenticated("invalid_token", why, DPOP if access.thumbprint else BEARER)


def _unauthorized(refused: Unauthenticated, metadata: str) -> Problem:
    parameters = {"resource_metadata": metadata}
    if refused.scheme == DPOP:
        parameters["algs"] = DPOP_ALGORITHMS
    headers, why = refused.challenge(**parameters), refused.description
    if refused.error == "invalid_dpop_proof":
        return Problem(refused.error, headers, reason=why, detail=why)
    return Problem("invalid_token", headers, reason=why, why=f": {why}" if why else "")


def _insufficient(required: TokenRequirement, lacking: Iterable[str], scheme: str, metadata: str) -> Problem:
    """The challenge names all scopes that are required (RFC 6750 section 3), the text those that lack."""
    refused = Unauthenticated("insufficient_scope", "the token lacks a scope", scheme)
    headers = refused.challenge(scope=" ".join(sorted(required.scopes)), resource_metadata=metadata)
    return Problem("insufficient_scope", headers, reason="the token lacks a scope", scope=" ".join(sorted(lacking)))
