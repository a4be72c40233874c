"""The layers around the operations of an application: they turn errors into responses, and look operations up."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from connexion.exceptions import ProblemException
from connexion.middleware.routing import RoutingMiddleware
from connexion.middleware.security import SecurityMiddleware
from starlette.exceptions import HTTPException
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from openapi.cross_origin import headers
from openapi.oauth import bearer
from openapi.problems import Problem
from openapi.serving.error_styles import ERROR_OBJECTS, ErrorStyle
from openapi.serving.messages import BrokenOff, error_response, respond
from openapi.serving.request_state import REQUEST, request_state
from openapi.serving.similar_paths import SimilarPaths, sibling
from openapi.standards.server_timing import lap

Verify = Callable[[Any], Awaitable[None]]
"""Connexion's check of the security requirements of an operation; it takes a Verified."""
_METHOD = 40  # characters of the client's method that an error repeats
IsOrigin = Callable[[str], bool]
"""True if pages of this origin may read errors before authentication."""
Operations = dict[str, ASGIApp]
"""The operations of one path, by method."""


@dataclass(frozen=True, slots=True)
class Origins:
    """The origins of pages: `is_listed` tells which may read responses until their caller is known.

    What a page of the `own` origin of the service sends is served as if it came from no page.
    """

    is_listed: IsOrigin
    own: str | None


NO_ORIGINS = Origins(lambda _origin: False, None)


class ErrorMiddleware:
    """The outermost layer: turns exceptions into responses that the contract describes.

    A response to a request for an unknown path names the most similar one of `paths`, which may be templates.
    """

    def __init__(
        self,
        app: ASGIApp,
        failures: Mapping[type[Exception], str],
        style: ErrorStyle = ERROR_OBJECTS,
        paths: Iterable[str] = (),
    ) -> None:
        self._app = app
        self._failures = failures
        self._style = style
        self._similar = SimilarPaths(paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        scope.setdefault("app", self)  # otherwise Starlette's routers respond themselves instead of raising
        try:
            await self._app(scope, receive, send)
        except BrokenOff as broken:
            if isinstance(broken.__cause__, Exception) and (problem := self._problem(broken.__cause__, scope)):
                request_state(scope).problem, request_state(scope).reason = problem.code, problem.reason
            raise
        except Exception as error:
            if scope["type"] != "http":
                raise
            problem, state = self._problem(error, scope), request_state(scope)
            if problem is None:
                state.style = self._style
                raise
            if problem.code == "not_found" and (hint := self._hint(scope)):
                problem = Problem("not_found", hint=hint)
            # Not the error itself, which keeps all its frames alive.
            state.problem, state.reason = problem.code, problem.reason
            await respond(send, error_response(problem, self._style), state.headers)

    def _hint(self, scope: Scope) -> str:
        """A question that names the path that the client probably meant; empty if unknown, or a template matches."""
        return "" if scope.get("path_params") else self._similar.hint(scope["path"])

    def _problem(self, error: Exception, scope: Scope) -> Problem | None:
        """The Problem that the client receives for `error`; None for an internal error."""
        if isinstance(error, Problem):
            return error
        if isinstance(error, ProblemException) and error.status == 401:
            return bearer.unauthorized()
        if isinstance(error, HTTPException):
            return _of_routing(error, scope)
        for kind, code in self._failures.items():
            if isinstance(error, kind):
                return Problem(code, reason=str(error))
        return None


class CompiledRouter(ErrorMiddleware):
    """The outermost layer of a contract: looks up what Connexion's layers would find out for each request.

    Paths without parameters match before any other, as OpenAPI says. A request that matches no path passes through the
    layers, which report that it is not found.
    """

    def __init__(
        self,
        app: ASGIApp,
        failures: Mapping[type[Exception], str],
        style: ErrorStyle = ERROR_OBJECTS,
        paths: Iterable[str] = (),
        origins: Origins = NO_ORIGINS,
    ) -> None:
        """What pages of `origins` may do."""
        super().__init__(app, failures, style, paths)
        self._origins = origins
        self._through_layers = app
        self._paths: dict[str, Operations] = {}
        self._templates: dict[tuple[str, str], tuple[Route, Operations]] = {}
        self._app = self._serve

    def compile(self, version: str, routing: RoutingMiddleware, security: SecurityMiddleware, endpoints: Any) -> None:
        """Look up each operation in the layers that Connexion has built for the contract `version`."""
        for mount in routing.router.routes:
            (secured,), (served,) = security.apis[mount.path], endpoints.apis[mount.path]
            for route in mount.app.routes:
                operation_id = route.endpoint.operation_id
                verify, endpoint = secured.operations[operation_id].verification_fn, served.operations[operation_id]
                endpoint.verify = verify
                if route.param_convertors:
                    _, operations = self._templates.setdefault((mount.path, route.path), (route, {}))
                else:
                    operations = self._paths.setdefault(mount.path + route.path, {})
                operations |= dict.fromkeys(route.methods, _operation(operation_id, version, verify, endpoint))

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_http = scope["type"] == "http"
        if is_http and headers.ORIGIN in scope["header_index"]:  # inline; the access log has made it
            self._note_page(scope)
        operations = (self._paths.get(scope["path"]) or self._of_template(scope)) if is_http else {}
        if not operations:
            await self._through_layers(scope, receive, send)
        elif operation := operations.get(scope["method"]):
            await operation(scope, receive, send)
        elif headers.is_preflight(scope) and self._origins.is_listed(request_state(scope).origin or ""):
            await send({"type": "http.response.start", "status": 204, "headers": [*headers.preflight(operations)]})
            await send({"type": "http.response.body", "body": b""})
        else:
            raise _not_allowed(operations, scope["method"], self._sibling(scope) if scope.get("path_params") else "")

    def _note_page(self, scope: Scope) -> None:
        """Note the origin of the page that sends a request, and let it read the response if that is known."""
        if (origin := headers.origin_of(scope)) == self._origins.own:
            return
        state = request_state(scope)
        state.origin = origin
        if self._origins.is_listed(origin):
            state.announced = [*state.announced, *headers.readable_by(state.origin)]

    def _hint(self, scope: Scope) -> str:
        return self._sibling(scope) if scope.get("path_params") else super()._hint(scope)

    def _sibling(self, scope: Scope) -> str:
        """A question that names the path without parameters, with the same method, that the client probably meant."""
        folder, method = scope["path"].rpartition("/")[0], scope["method"]
        siblings = [path for path in self._paths if path.rpartition("/")[0] == folder and method in self._paths[path]]
        return sibling(scope["path"], siblings)

    def _of_template(self, scope: Scope) -> Operations:
        """Return the operations of the path template that `scope` matches, and store the parameters in `scope`."""
        for (prefix, _), (route, operations) in self._templates.items():
            match = route.path_regex.match(scope["path"].removeprefix(prefix))
            if match and scope["path"].startswith(prefix):
                scope["path_params"] = match.groupdict()
                return operations
        return {}


class Verified:
    """The request as Connexion's security functions read it, in place of a ConnexionRequest."""

    __slots__ = ("context", "scope")

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.context: dict[str, Any] = scope.setdefault("extensions", {}).setdefault("connexion_context", {})


def _operation(operation_id: str, version: str, verify: Verify, endpoint: ASGIApp) -> ASGIApp:
    """One operation: `verify` authenticates the request, then `endpoint` serves it."""

    async def operation(scope: Scope, receive: Receive, send: Send) -> None:
        state = scope["state"][REQUEST]  # inline: a function would cost a call
        state.operation, state.version = operation_id, version
        await verify(Verified(scope))
        lap("authenticate")
        await endpoint(scope, receive, send)

    return operation


def _of_routing(error: HTTPException, scope: Scope) -> Problem:
    """The Problem for an error of Starlette's router."""
    allowed = (error.headers or {}).get("Allow")
    return Problem("not_found") if allowed is None else _not_allowed(allowed.split(", "), scope["method"])


def _not_allowed(methods: Iterable[str], method: str, hint: str = "") -> Problem:
    names = sorted(methods)
    allow = ", ".join(names).encode("ascii")
    shown = method if len(method) <= _METHOD else method[:_METHOD] + "\u2026"
    return Problem("method_not_allowed", [(b"allow", allow)], hint=hint, method=shown, allowed=" or ".join(names))


async def nothing_here(scope: Scope, _receive: Receive, _send: Send) -> None:
    """Raise Problem `not_found`: no operation has this path."""
    if scope["type"] == "http":
        raise Problem("not_found")
