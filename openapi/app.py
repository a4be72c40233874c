"""From a contract to the ASGI application that serves it: Connexion routes, authenticates and dispatches.

Everything that can be made before the first request is made here: schemas are compiled, handlers resolved, security
verified to be there. What cannot be served raises ContractError, so that nothing half-built ever serves.

Of Connexion 3.3.0 this relies on: `ConnexionMiddleware` with its own list of middlewares and `_build_middleware_stack`
(which makes the stack before the first request), `RoutedMiddleware` and `RoutedAPI`, `security_map`, and `Resolver`.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

from connexion.exceptions import ProblemException
from connexion.middleware import ConnexionMiddleware
from connexion.middleware.abstract import RoutedAPI, RoutedMiddleware
from connexion.middleware.routing import RoutingMiddleware
from connexion.middleware.security import SecurityMiddleware
from connexion.resolver import Resolver
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from openapi import operations, rfc6750
from openapi.body import DEFAULT_LIMIT, Body
from openapi.contract import Contract, ContractError
from openapi.exchange import Handler, Request, respond, told
from openapi.problems import Problem
from openapi.validation import Schemas

logger = logging.getLogger(__name__)

Authenticate = Callable[[str, Any], Awaitable[Any]]
"""From a bearer token and the resources to who sent it, or None if the token is not accepted."""


@dataclass(frozen=True)
class Surroundings:
    """What an application is built with beside its contract.

    `resources` is handed to each handler as it is. `failures` says which exceptions of other rooms are which problem.
    `body_timeout` is in seconds.
    """

    authenticate: Authenticate
    resources: Any = None
    failures: Mapping[type[Exception], str] = field(default_factory=dict)
    body_timeout: float = 20


def build(contract: Contract, surroundings: Surroundings) -> ASGIApp:
    """The application that serves `contract`; ContractError if it cannot be served."""
    names = [operation.operation_id for operation in contract.operations]
    if len(set(names)) < len(names):
        raise ContractError(f"contract {contract.version} has one operationId for two operations")
    endpoints = partial(Endpoints, contract=contract, surroundings=surroundings)
    try:
        connexion: Any = ConnexionMiddleware(
            _nothing_here,
            import_name=__name__,
            middlewares=[
                partial(Problems, failures=surroundings.failures),
                RoutingMiddleware,
                SecurityMiddleware,
                endpoints,
            ],
            resolver=Resolver(operations.handler),
            security_map=_security_map(surroundings),
        )
        connexion.add_api(contract.copy())
        connexion.app, connexion.middleware_stack = connexion._build_middleware_stack()
    except ContractError:
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".splitlines()[0][:300]
        raise ContractError(f"contract {contract.version} cannot be served: {reason}") from error
    for layer in connexion.middleware_stack:
        if isinstance(layer, RoutingMiddleware):
            _without_redirects(layer)
    return cast("ASGIApp", connexion)


class Endpoint:
    """One operation, ready to be called: reads and validates the body, calls the handler, sends what it answers."""

    def __init__(self, handler: Handler, body: Body | None, contract: Contract, resources: Any) -> None:
        self._handler = handler
        self._body = body
        self._contract_version = contract.version
        self._resources = resources

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, routed and authenticated."""
        body = await self._body.read(scope, receive) if self._body else None
        caller = scope["extensions"]["connexion_context"]["user"]
        await respond(send, await self._handler(Request(body, caller, self._resources, self._contract_version)))


class EndpointAPI(RoutedAPI[Endpoint]):  # type: ignore[misc] # Connexion ships no types
    """The endpoints of one contract, by operationId."""

    def __init__(self, *args: Any, contract: Contract, surroundings: Surroundings, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._contract = contract
        self._surroundings = surroundings
        self._schemas = Schemas(contract)
        self.add_paths()

    def make_operation(self, operation: Any) -> Endpoint:
        """The endpoint of Connexion's `operation`."""
        if not operation.security or not all(operation.security):
            raise ContractError(f"{operation.operation_id} can be called without authentication")
        if operation.parameters:
            raise ContractError(f"{operation.operation_id} declares parameters, which this release does not serve")
        body = self._body(operation) if operation.request_body else None
        return Endpoint(operation.function, body, self._contract, self._surroundings.resources)

    def _body(self, operation: Any) -> Body:
        pointer = ("paths", operation.path, operation.method, "requestBody")
        if not operation.request_body.get("required"):
            raise ContractError(
                f"{operation.operation_id}: the request body is optional, which this release does not serve"
            )
        schemas = {
            media_type.lower(): self._schemas.compile(*pointer, "content", media_type, "schema")
            for media_type in operation.request_body["content"]
        }
        limit = operation.request_body.get("x-body-limit-bytes", DEFAULT_LIMIT)
        return Body(schemas, limit, self._surroundings.body_timeout)


class Endpoints(RoutedMiddleware[EndpointAPI]):  # type: ignore[misc] # Connexion ships no types
    """The innermost layer: from the operationId that was routed to its endpoint."""

    api_cls = EndpointAPI

    def __init__(self, app: ASGIApp, contract: Contract, surroundings: Surroundings) -> None:
        super().__init__(app)
        self._made_with = {"contract": contract, "surroundings": surroundings}

    def add_api(self, specification: Any, **kwargs: Any) -> EndpointAPI:
        """Make the endpoints of `specification`."""
        return cast("EndpointAPI", super().add_api(specification, **kwargs, **self._made_with))


class Problems:
    """The outermost layer: whatever is raised becomes an answer that the contract describes."""

    def __init__(self, app: ASGIApp, failures: Mapping[type[Exception], str]) -> None:
        self._app = app
        self._failures = failures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        try:
            await self._app(scope, receive, send)
        except Problem as problem:
            await respond(send, told(problem))
        except HTTPException as error:
            await respond(send, told(_of_routing(error, scope)))
        except ProblemException as error:
            if error.status != 401:
                raise
            await respond(send, told(rfc6750.unauthorized()))
        except tuple(self._failures) as error:
            logger.warning("%s: %s", type(error).__name__, error)
            code = next(code for kind, code in self._failures.items() if isinstance(error, kind))
            await respond(send, told(Problem(code)))


def _of_routing(error: HTTPException, scope: Scope) -> Problem:
    """What Starlette's router raises, as a Problem."""
    if error.status_code == 405:
        allow = (error.headers or {}).get("Allow", "")
        return Problem("method_not_allowed", [(b"allow", allow.encode("ascii"))], method=scope["method"][:40])
    return Problem("not_found")


def _security_map(surroundings: Surroundings) -> dict[str, type]:
    """Connexion's security handlers: ours for bearer tokens, a refusal for every scheme that is not served."""

    class Bearer:
        """An `http` scheme `bearer` (RFC 6750)."""

        def get_fn(self, _scheme: Mapping[str, Any], _scopes: list[str]) -> Callable[[Any], Awaitable[dict[str, Any]]]:
            """The function that Connexion calls with each request."""
            return self.verify

        async def verify(self, request: Any) -> dict[str, Any]:
            """Who sent `request`, as Connexion passes it on; Problem `unauthorized` if that is not known."""
            caller = await surroundings.authenticate(rfc6750.token(request.scope), surroundings.resources)
            if caller is None:
                raise rfc6750.unauthorized("invalid_token", "the key is unknown, was replaced, or its hub is disabled")
            request.scope["state"]["caller"] = caller
            return {"sub": caller}

    class Unserved:
        """A scheme that this release does not serve."""

        def get_fn(self, scheme: Mapping[str, Any], _scopes: list[str]) -> None:
            """Raise ContractError."""
            raise ContractError(f"the security scheme {dict(scheme)} is not served")

    return {"bearer": Bearer, **dict.fromkeys(("basic", "apiKey", "oauth2", "openIdConnect"), Unserved)}


def _without_redirects(layer: RoutingMiddleware) -> None:
    """A path with a slash too many is not found, instead of redirected to where the Host header says."""
    layer.router.redirect_slashes = False
    for mount in layer.router.routes:
        mount.app.redirect_slashes = False


async def _nothing_here(scope: Scope, _receive: Receive, _send: Send) -> None:
    """What is routed nowhere."""
    if scope["type"] == "http":
        raise Problem("not_found")
