"""From a contract to the ASGI application that serves it: Connexion routes, authenticates and dispatches.

Everything that can be prepared before the first request is prepared here: schemas are compiled, handlers resolved,
security required. A contract that cannot be served raises ContractError, so that nothing half-built ever serves.

This module relies on parts of Connexion 3.3.0: `ConnexionMiddleware` with a list of middlewares and
`_build_middleware_stack` (which makes the stack before the first request), `RoutedMiddleware` and `RoutedAPI`,
`security_map`, and `Resolver`.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, NoReturn, cast

from connexion.middleware import ConnexionMiddleware
from connexion.middleware.abstract import RoutedAPI, RoutedMiddleware
from connexion.middleware.routing import RoutingMiddleware
from connexion.middleware.security import SecurityMiddleware
from connexion.resolver import Resolver
from starlette.types import ASGIApp, Scope

from openapi.contract import Contract, ContractError
from openapi.cross_origin.origins import origin_of_url
from openapi.oauth import bearer
from openapi.schemas.validation import Schemas
from openapi.serving.dispatch import CompiledRouter, Origins, nothing_here
from openapi.serving.endpoint import CheckPage, Dependencies, Endpoint, TokenRequirement
from openapi.serving.error_styles import ErrorStyle, style_of
from openapi.serving.messages import Request
from openapi.serving.request_state import REQUEST, RequestState

Verifying = Callable[[Any], Awaitable[dict[str, Any]]]


def build(contract: Contract, dependencies: Dependencies) -> ASGIApp:
    """The application that serves `contract`; ContractError if it cannot be served."""
    try:
        return _built(contract, dependencies)
    except Exception as error:
        # The messages of Connexion's own validation go on for pages.
        reason = str(error) if isinstance(error, ContractError) else f"{type(error).__name__}: {error}"
        raise ContractError(f"contract {contract.version} cannot be served: {reason.splitlines()[0][:300]}") from None


def _built(contract: Contract, dependencies: Dependencies) -> ASGIApp:
    table = dependencies.operations
    names = [table.name(operation.operation_id) for operation in contract.operations]
    if not names:
        raise ContractError("it has no operations")
    if repeated := [name for name, count in Counter(names).items() if count > 1]:
        raise ContractError(f"two of its operations are {repeated[0]}")
    style = style_of(contract, dependencies.public_url)
    connexion: Any = ConnexionMiddleware(
        nothing_here,
        import_name=__name__,
        middlewares=[
            partial(
                CompiledRouter,
                failures=dependencies.failures,
                style=style,
                paths=contract.paths,
                origins=Origins(dependencies.is_origin, origin_of_url(dependencies.public_url)),
            ),
            RoutingMiddleware,
            SecurityMiddleware,
            partial(Endpoints, contract=contract, dependencies=dependencies, style=style),
        ],
        resolver=Resolver(table.handler),
        security_map=_security_map(contract, dependencies),
    )
    connexion.add_api(table.rename(contract.without_patterns()))
    connexion.app, connexion.middleware_stack = connexion._build_middleware_stack()
    router, routing, security, endpoints, _ = connexion.middleware_stack
    if [mount.path for mount in routing.router.routes] != [contract.server_path]:
        raise ContractError("the path of its operations is not that of its first server")
    _without_redirects(routing)
    router.compile(contract.version, routing, security, endpoints)
    return cast("ASGIApp", connexion)


class EndpointAPI(RoutedAPI[Endpoint]):  # type: ignore[misc] # Connexion ships no types
    """The endpoints of one contract, by operationId."""

    def __init__(
        self, *args: Any, contract: Contract, dependencies: Dependencies, style: ErrorStyle, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._contract = contract
        self._style = style
        self._dependencies = dependencies
        self._schemas = Schemas(contract)
        self.add_paths()

    def make_operation(self, operation: Any) -> Endpoint:
        """The endpoint of Connexion's `operation`."""
        return Endpoint(operation, self._contract, self._schemas, self._dependencies, self._new_request)

    def _new_request(self, caller: Any) -> Request:
        """The Request of `caller`, before any of it is read."""
        return Request(
            None, caller, self._dependencies.resources, self._contract.version, self._validate, style=self._style
        )

    def _validate(self, operation_id: str, content: bytes) -> Any:
        return self.operations[operation_id].validated(content)


class Endpoints(RoutedMiddleware[EndpointAPI]):  # type: ignore[misc] # Connexion ships no types
    """The innermost layer: maps the routed operationId to its endpoint."""

    api_cls = EndpointAPI

    def __init__(self, app: ASGIApp, **options: Any) -> None:
        super().__init__(app)
        self._options = options

    def add_api(self, specification: Any, **kwargs: Any) -> EndpointAPI:
        """Make the endpoints of `specification`."""
        return cast("EndpointAPI", super().add_api(specification, **kwargs, **self._options))


def _security_map(contract: Contract, dependencies: Dependencies) -> dict[str, type]:
    """Connexion's security handlers: ours for the served schemes, a refusal for every other scheme."""
    token_info = _recording(contract, dependencies)

    class Bearer:
        """An `http` scheme `bearer` (RFC 6750), with API keys as tokens."""

        def get_fn(self, _scheme: Mapping[str, Any], _scopes: list[str]) -> Verifying:
            """The function that Connexion calls with each request."""
            return self.verify

        async def verify(self, request: Any) -> dict[str, Any]:
            """Return the token info of the caller of `request`; raise Problem if unknown, or not permitted."""
            caller = await dependencies.authenticate(bearer.token(request.scope), dependencies.resources)
            if caller is None:
                raise bearer.unauthorized("invalid_token", "the key is unknown or was replaced, or its hub is disabled")
            information = token_info(request.scope, caller, _refuse_page)
            dependencies.check_key(caller)
            return information

    class OAuth2:
        """An `oauth2` scheme: its tokens have scopes."""

        def get_fn(self, scheme: Mapping[str, Any], scopes: list[str]) -> Verifying:
            """The function that Connexion calls with each request; ContractError if tokens are not served."""
            authorize = dependencies.authorize
            if authorize is None:
                Unserved().get_fn(scheme, scopes)
            required = TokenRequirement(contract.server_path, frozenset(scopes))

            async def verify(request: Any) -> dict[str, Any]:
                caller = await authorize(request.scope, required, dependencies.resources)
                return token_info(request.scope, caller, dependencies.check_page)

            return verify

    class Unserved:
        """A scheme that this release does not serve."""

        def get_fn(self, scheme: Mapping[str, Any], _scopes: list[str]) -> NoReturn:
            """Raise ContractError."""
            raise ContractError(f"a security scheme of type {scheme.get('type')!r} is not served")

    return {"bearer": Bearer, "oauth2": OAuth2, **dict.fromkeys(("basic", "apiKey", "openIdConnect"), Unserved)}


def _recording(contract: Contract, dependencies: Dependencies) -> Callable[[Scope, Any, CheckPage], dict[str, Any]]:
    """The function that records the verified sender of a request, and returns the token info that Connexion passes on.

    If a page in a browser sends the request the function that it receives may refuse that.
    """

    def token_info(scope: Scope, caller: Any, check_page: CheckPage) -> dict[str, Any]:
        state: RequestState = scope["state"][REQUEST]  # inline: a function would cost a call
        if state.caller is None:  # a caller with a late body is verified again
            dependencies.on_request(caller, contract.version)
        state.caller = caller
        if state.origin is not None:
            check_page(scope, contract.server_path)
        return {"sub": caller}

    return token_info


def _refuse_page(_scope: Scope, _path: str) -> NoReturn:
    """Problem `unauthorized`: an API key in a page would be every visitor's key."""
    raise bearer.unauthorized(
        "invalid_token", "an API key is not accepted with an Origin header: pages in browsers use access tokens"
    )


def _without_redirects(layer: RoutingMiddleware) -> None:
    """Answer 404 to a path with an extra slash, instead of a redirect to the host that the Host header names."""
    layer.router.redirect_slashes = False
    for mount in layer.router.routes:
        mount.app.redirect_slashes = False
