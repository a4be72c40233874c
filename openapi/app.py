"""From a contract to the ASGI application that serves it: Connexion routes, authenticates and dispatches.

Everything that can be made before the first request is made here: schemas are compiled, handlers resolved, security
verified to be there. What cannot be served raises ContractError, so that nothing half-built ever serves.

Of Connexion 3.3.0 this relies on: `ConnexionMiddleware` with its own list of middlewares and `_build_middleware_stack`
(which makes the stack before the first request), `RoutedMiddleware` and `RoutedAPI`, `security_map`, and `Resolver`.
"""

import re
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
from openapi.body import COMPLETE, DEFAULT_LIMIT, MAX_LIMIT, Body
from openapi.contract import Contract, ContractError
from openapi.exchange import Field, Handler, Request, respond, told
from openapi.problems import Problem
from openapi.server_timing import lap
from openapi.validation import Schemas

_JSON = re.compile(r"application/(?:[a-z0-9.-]+\+)?json", re.IGNORECASE)


Authenticate = Callable[[str, Any], Awaitable[Any]]
"""From a bearer token and the resources to who sent it, or None if the token is not accepted."""
Verify = Callable[[Any], Awaitable[None]]
"""What Connexion makes of the security requirements of an operation; it is given a Verified."""


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
    try:
        return _built(contract, surroundings)
    except Exception as error:
        # The messages of Connexion's own validation go on for pages.
        reason = str(error) if isinstance(error, ContractError) else f"{type(error).__name__}: {error}"
        raise ContractError(f"contract {contract.version} cannot be served: {reason.splitlines()[0][:300]}") from None


def _built(contract: Contract, surroundings: Surroundings) -> ASGIApp:
    names = [operation.operation_id for operation in contract.operations]
    if not names:
        raise ContractError("it has no operations")
    if len(set(names)) < len(names):
        raise ContractError("it has one operationId for two operations")
    connexion: Any = ConnexionMiddleware(
        _nothing_here,
        import_name=__name__,
        middlewares=[
            partial(Direct, failures=surroundings.failures),
            RoutingMiddleware,
            SecurityMiddleware,
            partial(Endpoints, contract=contract, surroundings=surroundings),
        ],
        resolver=Resolver(operations.handler),
        security_map=_security_map(surroundings),
    )
    connexion.add_api(contract.without_patterns())
    connexion.app, connexion.middleware_stack = connexion._build_middleware_stack()
    direct, routing, security, endpoints, _ = connexion.middleware_stack
    _without_redirects(routing)
    direct.compile(routing, security, endpoints)
    return cast("ASGIApp", connexion)


class Endpoint:
    """One operation, ready to be called: reads and validates the body, calls the handler, sends what it answers."""

    def __init__(self, handler: Handler, body: Body | None, contract: Contract, resources: Any) -> None:
        self._handler = handler
        self._body = body
        self._contract_version = contract.version
        self._resources = resources
        self.verify: Verify | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, routed and authenticated; once more, if its body was still to come: that may take long."""
        body = await self._body.read(scope, receive) if self._body else None
        if self.verify and body is not None and COMPLETE not in scope.get("extensions", {}):
            await self.verify(Verified(scope))
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
        self._check_body(operation)
        body = self._body(operation) if operation.request_body else None
        return Endpoint(operation.function, body, self._contract, self._surroundings.resources)

    def _body(self, operation: Any) -> Body:
        schemas = {
            media_type.lower(): self._schemas.compile(*_pointer(operation, media_type))
            for media_type in operation.request_body["content"]
        }
        limit = operation.request_body.get("x-body-limit-bytes", DEFAULT_LIMIT)
        return Body(schemas, limit, self._surroundings.body_timeout)

    def _check_body(self, operation: Any) -> None:
        """ContractError where the body cannot be read, or does not promise what the handler relies on."""
        body = operation.request_body
        if body and not body.get("required"):
            raise ContractError(f"{operation.operation_id}: an optional body is not served by this release")
        if body and not (body["content"] and all(_JSON.fullmatch(media_type) for media_type in body["content"])):
            raise ContractError(f"{operation.operation_id}: a body is served as application/json, or a type in +json")
        limit = body.get("x-body-limit-bytes", DEFAULT_LIMIT)
        if type(limit) is not int or not 1 <= limit <= MAX_LIMIT:
            raise ContractError(f"{operation.operation_id}: x-body-limit-bytes is not an integer from 1 to {MAX_LIMIT}")
        for media_type in body.get("content", {None: None}):
            for name, taken in getattr(operation.function, "takes", {}).items():
                if not _promises(self._contract, _pointer(operation, media_type), name, taken):
                    wanted = f"{'required' if taken.required else 'optional'} {taken.type} {taken.format or ''}".strip()
                    raise ContractError(f"{operation.operation_id} takes {name} as {wanted}, not as promised here")


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
        scope.setdefault("app", self)  # or Starlette's routers answer as they like, instead of raising
        try:
            await self._app(scope, receive, send)
        except Exception as error:
            problem = self._problem(error, scope)
            if problem is None:
                raise
            scope["state"]["problem"] = problem
            await respond(send, told(problem))

    def _problem(self, error: Exception, scope: Scope) -> Problem | None:
        """What the client is told of `error`; None if it is a fault of ours."""
        if isinstance(error, Problem):
            return error
        if isinstance(error, HTTPException):
            return _of_routing(error, scope)
        if isinstance(error, ProblemException) and error.status == 401:
            return rfc6750.unauthorized()
        for kind, code in self._failures.items():
            if isinstance(error, kind):
                return Problem(code, reason=str(error))
        return None


class Direct(Problems):
    """The outermost layer of a contract: what Connexion's layers would find out with each request is looked up.

    That is so for operations without parameters in their path; OpenAPI lets these match before any other. Everything
    else takes the way through the layers, which also say what is not found and not allowed.
    """

    def __init__(self, app: ASGIApp, failures: Mapping[type[Exception], str]) -> None:
        super().__init__(app, failures)
        self._through_layers = app
        self._operations: dict[tuple[str, str], ASGIApp] = {}
        self._app = self._serve

    def compile(self, routing: RoutingMiddleware, security: SecurityMiddleware, endpoints: Endpoints) -> None:
        """Look up each operation in the layers that Connexion has built."""
        for mount in routing.router.routes:
            (secured,), (served,) = security.apis[mount.path], endpoints.apis[mount.path]
            for route in mount.app.routes:
                operation_id = route.endpoint.operation_id
                verify, endpoint = secured.operations[operation_id].verification_fn, served.operations[operation_id]
                endpoint.verify = verify
                if not route.param_convertors:
                    operation = _operation(verify, endpoint)
                    self._operations |= {(method, mount.path + route.path): operation for method in route.methods}

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        operation = self._operations.get((scope.get("method", ""), scope["path"]))
        await (operation or self._through_layers)(scope, receive, send)


class Verified:
    """What Connexion's security functions are given of a request in place of a ConnexionRequest."""

    __slots__ = ("context", "scope")

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.context: dict[str, Any] = scope.setdefault("extensions", {}).setdefault("connexion_context", {})


def _operation(verify: Verify, endpoint: Endpoint) -> ASGIApp:
    """One operation: authenticated by what Connexion made of its security requirements, then served."""

    async def operation(scope: Scope, receive: Receive, send: Send) -> None:
        await verify(Verified(scope))
        lap("authenticate")
        await endpoint(scope, receive, send)

    return operation


def _pointer(operation: Any, media_type: str | None) -> tuple[str, ...]:
    """Where the schema of a body stands."""
    return "paths", operation.path, operation.method, "requestBody", "content", str(media_type), "schema"


def _promises(contract: Contract, pointer: tuple[str, ...], name: str, field: Field) -> bool:
    """Whether the object at `pointer` has the property `name` as `field` says; an optional one may be absent."""
    try:
        schema = contract.at(pointer)
    except (KeyError, TypeError):
        return False
    if name not in schema.get("properties", {}):
        return not field.required
    found = contract.resolve(schema["properties"][name])
    same = (found.get("type"), found.get("format")) == (field.type, field.format) and not found.get("nullable")
    return same and (name in schema.get("required", ()) or not field.required)


def _of_routing(error: HTTPException, scope: Scope) -> Problem:
    """What Starlette's router raises, as a Problem."""
    if error.status_code == 405:
        allow = ", ".join(sorted((error.headers or {}).get("Allow", "").split(", ")))
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
            raise ContractError(f"a security scheme of type {scheme.get('type')!r} is not served")

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
