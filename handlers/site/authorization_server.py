"""The endpoints of the authorization server: outside any version of the API, for clients of all versions."""

import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from functools import partial

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from db import tokens
from db.errors import Unavailable
from db.oauth_registry import Client
from handlers.security.authority import AuthorizationServer
from handlers.site.service_state import service_state
from openapi.contract import Contract
from openapi.oauth import access_tokens, dpop, jwk, server_metadata, token_requests
from openapi.oauth.access_tokens import Access, Grant
from openapi.oauth.bearer import B64TOKEN, BEARER, DPOP
from openapi.oauth.jwt import InvalidToken
from openapi.oauth.token_requests import OAuthError
from openapi.problems import RETRY, Problem
from openapi.requests.content import Content
from openapi.serving.request_state import request_state

SECONDS = 10.0
"""A request must arrive within this time."""
NOT_STORED = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
PUBLIC = {
    "cache-control": "public, max-age=60",
    "access-control-allow-origin": "*",
    "x-content-type-options": "nosniff",
}

Form = Mapping[str, str]
Answering = Callable[[Request, Client, Form], Awaitable[Response]]
"""From a request, its client and its form to the answer; OAuthError if it is refused."""


def routes() -> list[Route]:
    """The endpoints, the keys and the metadata."""
    posted = {server_metadata.TOKEN: _token, server_metadata.REVOKE: _revoke, server_metadata.INTROSPECT: _introspect}
    read = {
        server_metadata.JWKS: _jwks,
        server_metadata.AUTHORIZATION_SERVER: _metadata,
        server_metadata.PROTECTED_RESOURCE + "/{path:path}": _resource_metadata,
    }
    return [
        *(Route(path, _endpoint(answer), methods=["POST"]) for path, answer in posted.items()),
        *(Route(path, answer) for path, answer in read.items()),
    ]


def _endpoint(answer: Answering) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint that authenticates its client first."""

    async def endpoint(request: Request) -> Response:
        try:
            form = await _form(request)
            client = await _oauth(request).authentication.client(request.scope, form, partial(_admit, request))
            return await answer(request, client, form)
        except OAuthError as error:
            return _refusal(request, error)
        except Problem as problem:  # the hub exceeds its rate
            return _refusal(
                request, OAuthError("temporarily_unavailable", problem.error, problem.status, problem.headers)
            )
        except Unavailable:
            description = "the database is unavailable: try again after the seconds in the Retry-After header"
            return _refusal(request, OAuthError("temporarily_unavailable", description, 503, [RETRY]))

    return endpoint


def _admit(request: Request, client: Client) -> None:
    """Take a request of `client` from the bucket of its hub; Problem if the hub exceeds its rate."""
    caller = request_state(request.scope).caller = _oauth(request).registry.caller(client.hub_id)
    if caller:
        service_state(request).bucket_for(caller).take(1)


def _refusal(request: Request, error: OAuthError) -> Response:
    state = request_state(request.scope)
    state.problem, state.reason = error.code, error.reason
    headers = {name.decode(): value.decode() for name, value in error.headers}
    return JSONResponse(error.body(), error.status, {**NOT_STORED, **headers})


async def _form(request: Request) -> Form:
    """The form in a request; OAuthError if malformed, too large or too slow."""
    try:
        content = await Content(request.scope, request.receive, frozenset()).whole(token_requests.MAX_BYTES, SECONDS)
    except Problem as problem:
        raise OAuthError("invalid_request", problem.error, problem.status, problem.headers) from None
    return token_requests.parameters(request.scope, content)


async def _token(request: Request, client: Client, form: Form) -> Response:
    """An access token by client credentials (RFC 6749 section 4.4)."""
    oauth = _oauth(request)
    if "grant_type" not in form:
        raise OAuthError("invalid_request", "grant_type is missing")
    grant_types = token_requests.GRANT_TYPES.values()
    if form["grant_type"] not in grant_types:
        raise OAuthError("unsupported_grant_type", f"the grant_type is {' or '.join(grant_types)}")
    scopes = token_requests.scopes(form, client.scopes)
    audiences = _audiences(request, oauth, form)
    thumbprint = await _thumbprint(request, oauth, client)
    text = await oauth.tokens.issue(Grant(oauth.tokens.issuer, audiences, client.client_id, scopes, thumbprint))
    body = {
        "access_token": text,
        "token_type": DPOP if thumbprint else BEARER,
        "expires_in": oauth.tokens.seconds,
        "scope": " ".join(sorted(scopes)),
    }
    return JSONResponse(body, headers=NOT_STORED)


def _audiences(request: Request, oauth: AuthorizationServer, form: Form) -> list[str]:
    """The audiences of the token: the `resource` (RFC 8707), or every version of the API that accepts tokens."""
    served = [oauth.resource(contract.server_path) for contract in _protected(request)]
    if "resource" not in form and served:
        return served
    if form.get("resource") not in served:
        raise OAuthError("invalid_target", "the resource is not a version of the API that takes access tokens")
    return [form["resource"]]


async def _thumbprint(request: Request, oauth: AuthorizationServer, client: Client) -> str | None:
    """The thumbprint of the key that the token is bound to (RFC 9449 section 5); None for an unbound token."""
    if not dpop.is_sent(request.scope):
        if client.dpop_bound:
            description = "the client accepts only tokens that are bound to a key: send a proof"
            raise OAuthError("invalid_dpop_proof", description)
        return None
    try:
        return await oauth.proven(request.scope)
    except InvalidToken as error:
        raise OAuthError("invalid_dpop_proof", f"the proof is not accepted: {error}") from None


async def _revoke(request: Request, client: Client, form: Form) -> Response:
    """Revoke a token of the client's own (RFC 7009): within a second every worker refuses it."""
    oauth = _oauth(request)
    access = await _of_ours(oauth, form)
    if access and access.client_id != client.client_id:
        raise OAuthError("unauthorized_client", "the token was issued to another client")
    if access and access.jti:
        until = datetime.fromtimestamp(access.expires_at, UTC)
        await oauth.database.run(tokens.revoke, access.jti, until)
        await oauth.registry.refresh()
    return Response(headers=NOT_STORED)


async def _introspect(request: Request, client: Client, form: Form) -> Response:
    """The claims of a token of the client's own, if it is valid (RFC 7662)."""
    oauth = _oauth(request)
    access = await _of_ours(oauth, form)
    if access is None or access.client_id != client.client_id or oauth.is_revoked(access):
        return JSONResponse({"active": False}, headers=NOT_STORED)
    confirmation = {"cnf": {"jkt": access.thumbprint}} if access.thumbprint else {}
    body = {
        "active": True,
        "scope": " ".join(sorted(access.scopes & client.scopes)),
        "client_id": access.client_id,
        "sub": access.client_id,
        "token_type": DPOP if access.thumbprint else BEARER,
        "exp": int(access.expires_at),
        "aud": sorted(access.audiences),
        "iss": access.issuer,
        "jti": str(access.jti),
        **confirmation,
    }
    return JSONResponse(body, headers=NOT_STORED)


async def _of_ours(oauth: AuthorizationServer, form: Form) -> Access | None:
    """The access of the token in the form; None unless it is valid and was issued here.

    White space around the token is ignored; OAuthError if what remains cannot be a token.
    """
    if "token" not in form:
        raise OAuthError("invalid_request", "token is missing")
    text = form["token"].strip()  # a token from a file often has a line feed
    if not re.fullmatch(B64TOKEN, text):
        raise OAuthError("invalid_request", "token is not of the form of a token: send it alone, without a scheme")
    try:
        if access_tokens.read(text).text_claim("iss") == oauth.tokens.issuer:
            return await oauth.tokens.access(text)
    except InvalidToken:
        pass
    return None


async def _jwks(request: Request) -> Response:
    """The public keys that verify tokens (RFC 7517 section 5)."""
    try:
        keys = await _oauth(request).tokens.keys.list_all()
    except Unavailable:
        raise Problem("keys_unavailable") from None
    return JSONResponse({"keys": [jwk.published(key) for key in keys]}, headers=PUBLIC)


async def _metadata(request: Request) -> Response:
    """The metadata of the authorization server (RFC 8414)."""
    oauth = _oauth(request)
    scopes = {scope for contract in _protected(request) for scope in contract.scopes}
    return JSONResponse(server_metadata.authorization_server(oauth.tokens.issuer, scopes), headers=PUBLIC)


async def _resource_metadata(request: Request) -> Response:
    """The metadata of the version of the API at the path that follows (RFC 9728)."""
    oauth = _oauth(request)
    path = "/" + request.path_params["path"]
    for contract in _protected(request):
        if contract.server_path == path:
            issuers = [oauth.tokens.issuer, *oauth.tokens.issuers]
            body = server_metadata.protected_resource(oauth.resource(path), issuers, contract.scopes)
            return JSONResponse(body, headers=PUBLIC)
    raise Problem("not_found")


def _protected(request: Request) -> list[Contract]:
    """The served contracts that accept access tokens."""
    return [contract for contract in service_state(request).serving.contracts if contract.scopes]


def _oauth(request: Request) -> AuthorizationServer:
    return service_state(request).authorization_server
