"""The parts of Connexion that the service relies on, and the faults of Connexion that it works around.

After an upgrade each failure here names a module of the service: Connexion changed something that the module relies on,
or no longer has a fault that the module works around.
"""

import asyncio
import copy
import inspect
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx
import pytest
from connexion import AsyncApp
from connexion.exceptions import ProblemException
from connexion.middleware import ConnexionMiddleware
from connexion.middleware.abstract import RoutedAPI, RoutedMiddleware
from connexion.middleware.routing import RoutingMiddleware
from connexion.middleware.security import SecurityMiddleware
from connexion.resolver import Resolver
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from handlers.operations import OPERATIONS
from openapi.contract import Contract, published
from openapi.serving.access_log import AccessLog
from openapi.serving.app import EndpointAPI, Endpoints, build
from openapi.serving.dispatch import Verified
from openapi.serving.endpoint import Dependencies, Endpoint
from tests.scopes import new_request_state

RELIED_ON = (
    "openapi/serving/app.py or openapi/serving/dispatch.py relies on this: read the changes of Connexion and adapt it."
)
WORKED_AROUND = "Connexion no longer does this: see whether {} can be simpler."

DOCUMENT: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "Things", "version": "1"},
    "paths": {
        "/things": {
            "post": {
                "operationId": "things.create",
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {
                            "schema": {
                                "type": "object",
                                "required": ["id"],
                                "properties": {"id": {"type": "string", "format": "uuid"}},
                            }
                        }
                    },
                },
                "responses": {"201": {"description": "Made."}},
            }
        }
    },
}
VALID = b'{"id": "5b0e3c9a-6a57-4d0b-8f6f-2b7a1c0d9e11"}'
JSON = {"Content-Type": "application/json"}
KEY = {"Authorization": "Bearer sub="}
CODE = {"x-bearerInfoFunc": "urllib.parse.parse_qs"}
"""A function of the standard library that accepts any key."""


async def refuse(_key: str, _resources: Any) -> None:
    """Accept no key."""


def create(*_args: Any, **_kwargs: Any) -> tuple[str, int]:
    """A handler as Connexion's documentation describes it."""
    return "made", 201


def as_documented(document: dict[str, Any] | Path) -> ASGIApp:
    """An application, built as in Connexion's documentation; `create` is the handler of each operation."""
    app = AsyncApp(__name__)
    app.add_api(copy.deepcopy(document), resolver=Resolver(lambda _: create))
    return app  # type: ignore[no-any-return] # Connexion ships no types


def secured(**scheme: str) -> dict[str, Any]:
    """The document with an HTTP security scheme."""
    schemes = {"key": {"type": "http", "scheme": "bearer", **scheme}}
    return DOCUMENT | {"components": {"securitySchemes": schemes}, "security": [{"key": []}]}


def ask(app: ASGIApp, path: str = "/things", content: Any = VALID, headers: Any = None) -> httpx.Response:
    """The response of `app` to a POST of JSON; an exception that escapes it is a 500."""

    async def post() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return await client.post(path, content=content, headers=JSON | (headers or {}))

    return asyncio.run(post())


def test_the_version_is_the_one_that_we_examined() -> None:
    """The other tests describe this version."""
    assert version("connexion") == "3.3.0", (
        "Connexion was upgraded: run the tests of this module, read its changes to middleware/main.py, abstract.py, "
        "routing.py and security.py, then name the new version here and in pyproject.toml."
    )


@pytest.mark.parametrize(
    ("owner", "name", "parameters"),
    [
        (ConnexionMiddleware, "__init__", {"app", "import_name", "middlewares", "resolver", "security_map"}),
        (ConnexionMiddleware, "add_api", {"specification"}),
        (ConnexionMiddleware, "_build_middleware_stack", {"self"}),
        (RoutedMiddleware, "add_api", {"specification", "kwargs"}),
        (RoutedAPI, "add_paths", {"self"}),
        (RoutedAPI, "make_operation", {"operation"}),
        (Resolver, "__init__", {"function_resolver"}),
    ],
)
def test_the_methods_that_we_use_exist_with_their_parameters(owner: type, name: str, parameters: set[str]) -> None:
    """Each method that the service calls or overrides exists, and has the parameters that it passes."""
    method = getattr(owner, name, None)
    assert method, f"{owner.__name__}.{name} is gone. {RELIED_ON}"
    assert parameters <= inspect.signature(method).parameters.keys(), f"{owner.__name__}.{name} differs. {RELIED_ON}"


def test_the_stack_is_built_before_the_first_request() -> None:
    """`_build_middleware_stack` returns the outermost layer and all layers; a built stack is not built again."""
    app: Any = build(published()[0], Dependencies(OPERATIONS, refuse))
    before = app.app, app.middleware_stack
    kinds = [type(layer) for layer in app.middleware_stack[1:4]]
    assert kinds == [RoutingMiddleware, SecurityMiddleware, Endpoints], RELIED_ON
    assert app.app is app.middleware_stack[0], RELIED_ON
    ask(app, "/api/v1/interaction-events")
    assert (app.app, app.middleware_stack) == before, RELIED_ON


def test_requests_are_dispatched_by_operation_id() -> None:
    """`RoutedMiddleware` finds the operation by the router's entry in the scope, and calls it with the request."""
    app: Any = build(published()[0], Dependencies(OPERATIONS, refuse))
    endpoints = app.middleware_stack[3]
    (api,) = endpoints.apis["/api/v1"]
    assert isinstance(api, EndpointAPI), RELIED_ON
    assert {*api.operations} == {"reportInteractionEvent"}, RELIED_ON
    assert all(isinstance(operation, Endpoint) for operation in api.operations.values()), RELIED_ON
    called = []

    async def operation(*request: Any) -> None:
        called.append(request)

    api.operations["another"] = operation
    routed = {"connexion_routing": {"api_base_path": "/api/v1", "operation_id": "another"}}
    request = ({"type": "http", "extensions": routed}, "receive", "send")
    asyncio.run(endpoints(*request))
    assert called == [request], RELIED_ON


def test_the_layers_have_the_attributes_that_we_read() -> None:
    """The router knows the path, methods and operationId of each route; the security layer has a function for each."""
    app: Any = build(published()[0], Dependencies(OPERATIONS, refuse))
    _, routing, security, endpoints, _ = app.middleware_stack
    (mount,) = routing.router.routes
    (route,) = mount.app.routes
    assert (mount.path, route.path, route.methods) == ("/api/v1", "/interaction-events", {"POST"}), RELIED_ON
    assert route.param_convertors == {}, RELIED_ON
    assert route.endpoint.operation_id == "reportInteractionEvent", RELIED_ON
    for layer in (security, endpoints):
        (api,) = layer.apis[mount.path]
        assert {*api.operations} == {route.endpoint.operation_id}, RELIED_ON


def test_a_path_with_parameters_has_convertors() -> None:
    """They distinguish it from a path without parameters; the route's pattern yields the parameters."""
    document = copy.deepcopy(DOCUMENT)
    operation = document["paths"].pop("/things")
    document["paths"]["/things/{id}"] = operation
    parameter = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    operation["post"]["parameters"] = [parameter]
    app = ConnexionMiddleware(as_documented(document), middlewares=[RoutingMiddleware])
    app.add_api(document, resolver=Resolver(lambda _: create))
    _, (routing, _) = app._build_middleware_stack()
    (route,) = routing.router.routes[0].app.routes
    assert route.param_convertors, RELIED_ON
    assert route.path_regex.match("/things/a%2Fb").groupdict() == {"id": "a%2Fb"}, RELIED_ON
    assert route.path_regex.match("/things/a/b") is None, RELIED_ON


def test_security_needs_only_the_scope_of_a_request() -> None:
    """The function built from an operation's requirements takes a `Verified`, and stores the caller in its scope."""
    keys = []

    async def authenticate(key: str, _resources: Any) -> str:
        keys.append(key)
        return "caller"

    app: Any = build(published()[0], Dependencies(OPERATIONS, authenticate))
    (api,) = app.middleware_stack[2].apis["/api/v1"]
    scope: dict[str, Any] = {"type": "http", "headers": [(b"authorization", b"Bearer irk_key")]}
    new_request_state(scope)
    asyncio.run(api.operations["reportInteractionEvent"].verification_fn(Verified(scope)))
    assert keys == ["irk_key"], RELIED_ON
    assert scope["extensions"]["connexion_context"]["user"] == "caller", RELIED_ON


def test_routers_redirect_by_default() -> None:
    """The routers that `_without_redirects` sets up are there, one for each API, and redirect by themselves."""
    app = ConnexionMiddleware(as_documented(DOCUMENT), middlewares=[RoutingMiddleware])
    app.add_api(copy.deepcopy(DOCUMENT), resolver=Resolver(lambda _: create))
    _, (routing, _) = app._build_middleware_stack()
    assert routing.router.redirect_slashes, WORKED_AROUND.format("_without_redirects of openapi/serving/app.py")
    assert [mount.app.redirect_slashes for mount in routing.router.routes] == [True], RELIED_ON
    response = ask(as_documented(DOCUMENT), "/things/", headers={"Host": "elsewhere.example"})
    assert response.headers["location"] == "http://elsewhere.example/things", WORKED_AROUND.format(
        "_without_redirects of openapi/serving/app.py"
    )


def test_the_security_map_chooses_the_function_of_a_scheme() -> None:
    """`security_map` decides, whatever function the document names."""
    keys = []

    async def authenticate(key: str, _resources: Any) -> None:
        keys.append(key)

    contract = Contract(published()[0].text, published()[0].copy())
    contract.document["components"]["securitySchemes"]["hubApiKey"].update(CODE)
    ask(AccessLog(build(contract, Dependencies(OPERATIONS, authenticate))), "/api/v1/interaction-events", headers=KEY)
    assert keys == ["sub="], RELIED_ON


@pytest.mark.parametrize(
    ("content", "headers"),
    [
        pytest.param(b"{}", {"Content-Type": "Application/JSON"}, id="a media type with a capital"),
        pytest.param(b'{"id": "x"}', {}, id="a malformed UUID"),
        pytest.param(b'{"id": "5b0e3c9a-6a57-4d0b-8f6f-2b7a1c0d9e11", "n": NaN}', {}, id="NaN"),
        pytest.param(b'{"id": "x", "id": "5b0e3c9a-6a57-4d0b-8f6f-2b7a1c0d9e11"}', {}, id="a name twice"),
    ],
)
def test_connexion_accepts_bodies_that_break_the_contract(content: bytes, headers: dict[str, str]) -> None:
    """The reason why openapi/requests/body.py reads and validates bodies."""
    response = ask(as_documented(DOCUMENT), content=content, headers=headers)
    assert response.status_code == 201, WORKED_AROUND.format("openapi/requests/body.py")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b'{"id": "\xff"}', id="no UTF-8"),
        pytest.param(b"[" * 100_000, id="100,000 lists"),
        pytest.param(b"9" * 5000, id="an integer of 5,000 digits"),
    ],
)
def test_connexion_fails_on_hostile_bodies(content: bytes) -> None:
    """The reason why openapi/standards/ijson.py parses bodies."""
    response = ask(as_documented(DOCUMENT), content=content)
    assert response.status_code == 500, WORKED_AROUND.format("openapi/standards/ijson.py")


def test_connexion_refuses_a_body_without_a_length() -> None:
    """The reason why Content-Length does not decide where a body ends."""

    async def parts() -> Any:
        yield VALID

    response = ask(as_documented(DOCUMENT), content=parts())
    assert response.status_code == 400, WORKED_AROUND.format("openapi/requests/body.py")


def test_connexion_names_only_the_first_fault() -> None:
    """The reason why openapi/schemas/validation.py writes the errors of a body."""
    document = copy.deepcopy(DOCUMENT)
    content = document["paths"]["/things"]["post"]["requestBody"]["content"]
    content["application/json"]["schema"] = {"type": "object", "required": ["first", "second"]}
    text = ask(as_documented(document), content=b"{}").text
    assert ("first" in text) is not ("second" in text), WORKED_AROUND.format("openapi/schemas/validation.py")


def test_connexion_imports_whatever_an_operation_id_names() -> None:
    """The reason why openapi/serving/operations.py resolves operationIds."""
    function = Resolver().resolve_function_from_operation_id("os.path.basename")
    assert function.__name__ == "basename", WORKED_AROUND.format("openapi/serving/operations.py")


def test_connexion_reports_an_unknown_operation_id_at_the_first_request() -> None:
    """The reason why `build` builds the stack."""
    app = AsyncApp(__name__)
    app.add_api(copy.deepcopy(DOCUMENT))
    assert ask(app).status_code == 500, WORKED_AROUND.format("openapi/serving/app.py")


def test_connexion_takes_code_from_the_document() -> None:
    """The reason why `bearer` is in our `security_map`, and openapi/lint/rules.py refuses such extensions."""
    response = ask(as_documented(secured(**CODE)), headers=KEY)
    assert response.status_code == 201, WORKED_AROUND.format("the security map of openapi/serving/app.py")


def test_connexion_takes_code_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason why `bearer` is in our `security_map`: the environment can name another function."""
    monkeypatch.setenv("BEARERINFO_FUNC", CODE["x-bearerInfoFunc"])
    response = ask(as_documented(secured()), headers=KEY)
    assert response.status_code == 201, WORKED_AROUND.format("the security map of openapi/serving/app.py")


def test_connexion_renders_files_as_templates(tmp_path: Path) -> None:
    """The reason why openapi/contract.py reads the YAML, and Connexion gets a dict."""
    (tmp_path / "document.yaml").write_text(
        "openapi: 3.0.3\ninfo: {title: Things, version: '{{ 6 * 7 }}'}\npaths: {}\n"
    )
    app = AsyncApp(__name__)
    app.add_api(tmp_path / "document.yaml")
    assert app.middleware.apis[0].specification["info"]["version"] == "42", WORKED_AROUND.format("openapi/contract.py")


def test_connexion_sends_no_challenge() -> None:
    """The reason why openapi/oauth/bearer.py writes the 401."""
    response = ask(as_documented(secured(**CODE)))
    assert response.status_code == 401
    assert "www-authenticate" not in response.headers, WORKED_AROUND.format("openapi/oauth/bearer.py")


def test_connexion_inspects_signatures_at_every_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason why functions of security and endpoints are inspected once: it costs 40 of 100 microseconds."""
    inspected = []
    inspect_signature = inspect.signature

    def counting(*args: Any, **kwargs: Any) -> inspect.Signature:
        inspected.append(args)
        return inspect_signature(*args, **kwargs)

    app = as_documented(secured(**CODE))
    ask(app, headers=KEY)
    monkeypatch.setattr(inspect, "signature", counting)
    assert ask(app, headers=KEY).status_code == 201
    assert inspected, WORKED_AROUND.format("the security map of openapi/serving/app.py")


def test_a_problem_of_connexion_is_an_http_exception() -> None:
    """So `ErrorMiddleware` of openapi/serving/dispatch.py must look for ProblemException first."""
    assert issubclass(ProblemException, HTTPException), RELIED_ON
