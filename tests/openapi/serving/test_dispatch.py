"""The layers around operations: finding the operation of a path and a method, and the responses to errors."""

import asyncio
import copy
from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from connexion.exceptions import ProblemException, Unauthorized
from connexion.middleware import ConnexionMiddleware
from connexion.middleware.routing import RoutingMiddleware
from connexion.resolver import Resolver
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from openapi.problems import Problem
from openapi.serving.access_log import AccessLog
from openapi.serving.dispatch import CompiledRouter, ErrorMiddleware, Verified
from openapi.serving.messages import Answer, respond
from openapi.serving.request_state import REQUEST, RequestState, request_state

FAILURES: dict[type[Exception], str] = {TimeoutError: "unavailable"}


def document(*paths: str, base: str = "/api") -> dict[str, Any]:
    """A document with an operation for each `METHOD path`."""
    items: dict[str, Any] = {}
    for operation_id in paths:
        method, path = operation_id.split()
        operation: dict[str, Any] = {"operationId": operation_id, "responses": {"200": {"description": "Done."}}}
        names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
        operation["parameters"] = [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names
        ]
        items.setdefault(path, {})[method.lower()] = operation
    return {"openapi": "3.0.3", "info": {"title": "Things", "version": "1"}, "servers": [{"url": base}], "paths": items}


async def nothing_here(_scope: Scope, _receive: Receive, _send: Send) -> None:
    """Raise the problem of a path that the router does not know."""
    raise Problem("not_found")


class Operation:
    """An operation that responds with its name and the parameters of its path."""

    verify: Any = None

    def __init__(self, name: str) -> None:
        self._name = name

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Respond to one request."""
        body = {"operation": self._name, "path": scope.get("path_params"), "noted": request_state(scope).operation}
        await respond(send, Answer(200, body))


def direct(*paths: str, base: str = "/api", verify: Callable[[Any], Any] | None = None) -> ASGIApp:
    """An application with operations at `paths`, compiled from Connexion's router."""
    written = document(*paths, base=base)
    connexion: Any = ConnexionMiddleware(
        nothing_here, middlewares=[RoutingMiddleware], resolver=Resolver(lambda _: nothing_here)
    )
    connexion.add_api(copy.deepcopy(written))
    _, (routing, _) = connexion._build_middleware_stack()

    async def accept(verified: Verified) -> None:
        if verify:
            verify(verified)

    def layer(of: Callable[[str], Any]) -> Any:
        return SimpleNamespace(apis={base: [SimpleNamespace(operations={name: of(name) for name in paths})]})

    app = CompiledRouter(nothing_here, FAILURES)
    app.compile("1.1", routing, layer(lambda _: SimpleNamespace(verification_fn=accept)), layer(Operation))
    return app


def ask(app: ASGIApp, method: str, path: str) -> httpx.Response:
    """The response of `app`."""

    async def request() -> httpx.Response:
        transport = httpx.ASGITransport(AccessLog(app))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return await client.request(method, path)

    return asyncio.run(request())


THINGS = (
    "GET /things/{id}",
    "PUT /things/{id}",
    "GET /things/all",
    "POST /things",
    "GET /things",
    "GET /things/{id}/parts/{part}",
    "DELETE /a.b/{id}",
)


@pytest.mark.parametrize(
    ("request_line", "operation", "parameters"),
    [
        pytest.param("GET /api/things", "GET /things", None, id="a path without parameters"),
        pytest.param("POST /api/things", "POST /things", None, id="another method of it"),
        pytest.param("GET /api/things/1", "GET /things/{id}", {"id": "1"}, id="a path with one"),
        pytest.param("PUT /api/things/1", "PUT /things/{id}", {"id": "1"}, id="another method of that"),
        pytest.param("GET /api/things/all", "GET /things/all", None, id="the path without parameters comes first"),
        pytest.param("GET /api/things/ALL", "GET /things/{id}", {"id": "ALL"}, id="as it is written"),
        pytest.param(
            "GET /api/things/a%20b/parts/%C3%A9",
            "GET /things/{id}/parts/{part}",
            {"id": "a b", "part": "é"},
            id="decoded",
        ),
        pytest.param("GET /api/things/{id}", "GET /things/{id}", {"id": "{id}"}, id="braces"),
        pytest.param("DELETE /api/a.b/1", "DELETE /a.b/{id}", {"id": "1"}, id="a dot"),
        pytest.param("GET /api/things/api", "GET /things/{id}", {"id": "api"}, id="the base path again"),
    ],
)
def test_an_operation_is_found_by_path_and_method(
    request_line: str, operation: str, parameters: dict[str, str] | None
) -> None:
    """With the parameters of its path; one without them matches before any other (OpenAPI 3.0, paths object)."""
    response = ask(direct(*THINGS), *request_line.split())
    assert response.json() == {"operation": operation, "path": parameters, "noted": operation}


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/api/things/", id="an empty parameter"),
        pytest.param("/api/things/1/", id="a slash too many"),
        pytest.param("/api/things/1/2", id="a part too many"),
        pytest.param("/api/things/a%2Fb", id="a slash within a parameter"),
        pytest.param("/api/things/1/parts", id="a part too few"),
        pytest.param("/things/1", id="no base path"),
        pytest.param("/other/things/1", id="another base path"),
        pytest.param("/api/api/things/1", id="the base path twice"),
        pytest.param("/api/aXb/1", id="a dot is no pattern"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_no_other_path_has_an_operation(method: str, path: str) -> None:
    """404 for any method: no Allow for an unknown path."""
    assert ask(direct(*THINGS), method, path).status_code == 404


@pytest.mark.parametrize(
    ("request_line", "allow"),
    [
        pytest.param("DELETE /api/things", "GET, HEAD, POST", id="a path without parameters"),
        pytest.param("POST /api/things/1", "GET, HEAD, PUT", id="a path with parameters"),
        pytest.param("PUT /api/things/all", "GET, HEAD", id="not those of a path that matches as well"),
        pytest.param("get /api/things", "GET, HEAD, POST", id="a method in lower case"),
        pytest.param("GET /api/a.b/1", "DELETE", id="a single one"),
    ],
)
def test_another_method_is_not_allowed(request_line: str, allow: str) -> None:
    """405 with all methods of the path in Allow (RFC 9110 section 15.5.6)."""

    async def messages() -> list[Message]:
        method, path = request_line.split()
        sent = []

        async def send(message: Message) -> None:
            sent.append(message)

        scope = {"type": "http", "method": method, "path": path, "headers": [], "header_index": {}}
        scope["state"] = {REQUEST: RequestState()}
        await direct(*THINGS)(scope, unexpected, send)
        return sent

    start, _ = asyncio.run(messages())
    assert start["status"] == 405
    assert dict(start["headers"])[b"allow"] == allow.encode()


def test_a_path_without_parameters_may_be_meant() -> None:
    """405 and 404 name the one with the method of the request; another one has no hint."""
    app = direct(*THINGS, "POST /things/batch")
    unknown = "Check the path against"
    for line, hint in {
        "POST /api/things/batches": "Did you mean /api/things/batch? Use",
        "POST /api/things/bulk": "Use GET",
        "DELETE /api/things/batches": "Use GET",
        "DELETE /api/things": "Use GET",
        "GET /api/things/1/parts": unknown,
    }.items():
        assert ask(app, *line.split()).json()["help"].startswith(hint), line


def test_head_is_served_as_get() -> None:
    """RFC 9110 section 9.3.2; the server sends no body with it."""
    assert ask(direct(*THINGS), "HEAD", "/api/things/1").status_code == 200
    assert ask(direct("POST /things"), "HEAD", "/api/things").status_code == 405


def test_the_error_repeats_40_characters_of_the_method() -> None:
    """A client may send a long method that is not allowed."""
    response = ask(direct(*THINGS), "X" * 90, "/api/things")
    assert response.json()["error"] == f"the method {'X' * 40}\u2026 is not allowed here"


def test_an_operation_is_called_after_its_security_function() -> None:
    """A refused request reaches no operation, and both receive the same request."""
    requests: list[Verified] = []

    def refuse(verified: Verified) -> None:
        requests.append(verified)
        raise Problem("unauthorized")

    for method, path in (("GET", "/api/things"), ("GET", "/api/things/1"), ("HEAD", "/api/things")):
        assert ask(direct(*THINGS, verify=refuse), method, path).status_code == 401
    assert [verified.scope["path"] for verified in requests] == ["/api/things", "/api/things/1", "/api/things"]
    assert requests[0].scope["extensions"]["connexion_context"] is requests[0].context


async def unexpected(*_message: Message) -> Any:
    """Fail if anything is received or sent."""
    raise AssertionError("nothing is received or sent")


def run(app: ASGIApp, scope: Scope, send: Send) -> None:
    """Serve one request on a connection; fail if the application receives anything."""

    async def served() -> None:
        await app(scope, unexpected, send)

    asyncio.run(served())


def raising(error: Exception) -> ASGIApp:
    """The error layer around an application that raises `error`."""

    async def fail(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise error

    return ErrorMiddleware(fail, FAILURES)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        pytest.param(Problem("invalid_body", errors="a is required", remedies="Add a."), 422, id="a problem"),
        pytest.param(HTTPException(404), 404, id="of a router"),
        pytest.param(HTTPException(405), 404, id="of a router that knows the path only"),
        pytest.param(Unauthorized(), 401, id="of Connexion's security"),
        pytest.param(ProblemException(status=403), 404, id="another one of Connexion"),
        pytest.param(TimeoutError(), 503, id="a failure of another package"),
    ],
)
def test_an_error_becomes_a_response(error: Exception, status: int) -> None:
    """It has the status of the problem, in the shape of the contract."""
    response = ask(raising(error), "GET", "/")
    assert response.status_code == status
    assert response.headers["content-type"] == "application/json"
    assert response.json()["error"]
    assert ("www-authenticate" in response.headers) is (status == 401)


def test_an_unexpected_error_is_raised_again() -> None:
    """The access log logs it and writes the response."""
    with pytest.raises(LookupError, match="a fault"):
        run(raising(LookupError("a fault")), {"type": "http", "state": {REQUEST: RequestState()}}, unexpected)


def test_a_service_that_does_not_start_raises_its_own_error() -> None:
    """The lifespan has no request state that could hold the error."""
    with pytest.raises(TimeoutError, match="away"):
        run(raising(TimeoutError("away")), {"type": "lifespan", "state": {}}, unexpected)


def test_a_problem_is_recorded_and_has_the_headers_of_every_response() -> None:
    """Recorded for the log; the response has the rate limit headers known at that time."""
    state = RequestState()
    state.headers = [(b"ratelimit", b"1")]
    sent = []

    async def send(message: Message) -> None:
        sent.append(message)

    run(raising(TimeoutError("away")), {"type": "http", "state": {REQUEST: state}}, send)
    assert (state.problem, state.reason) == ("unavailable", "away")
    assert (b"ratelimit", b"1") in sent[0]["headers"]
    assert (b"retry-after", b"1") in sent[0]["headers"]


def test_a_response_that_breaks_off_gets_no_second_one() -> None:
    """A failure after the start of a streamed response is a fault, because no other response can follow."""

    async def pieces() -> AsyncIterator[bytes]:
        yield b"1\n"
        raise TimeoutError("away")

    async def stream(_scope: Scope, _receive: Receive, send: Send) -> None:
        await respond(send, Answer(200, pieces(), media_type="application/x-ndjson"))

    sent = []

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Scope = {"type": "http", "state": {REQUEST: RequestState()}}
    with pytest.raises(Exception, match="broke off") as caught:
        run(ErrorMiddleware(stream, FAILURES), scope, send)
    assert isinstance(caught.value.__cause__, TimeoutError)
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert sent[1]["more_body"]


@pytest.mark.parametrize("kind", ["websocket", "lifespan"])
def test_other_protocols_than_http_go_through_the_layers(kind: str) -> None:
    """Their paths are not looked up."""
    passed = []

    async def through_layers(scope: Scope, _receive: Receive, _send: Send) -> None:
        passed.append(scope["type"])

    app = CompiledRouter(through_layers, FAILURES)
    app._paths["/api/things"] = {"GET": through_layers}
    run(app, {"type": kind, "path": "/api/things"}, unexpected)
    assert passed == [kind]
