"""The application built from a contract: the contracts that it refuses, and its responses to errors."""

import asyncio
import inspect
import json
import math
import re
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import httpx
import jsonschema_rs
import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from db import submissions
from db.engine import Database
from db.errors import Unavailable
from db.registry import Caller, Registry
from db.rejected_submissions import Bounds
from db.submission_usage import SubmissionUsage
from handlers import interaction_events
from handlers.operations import OPERATIONS
from handlers.resources import Resources, ServiceOptions
from handlers.security import authentication
from handlers.submissions.rejections import Rejections
from openapi.contract import Contract, ContractError, published
from openapi.problems import Problem
from openapi.serving.access_log import AccessLog
from openapi.serving.app import build
from openapi.serving.endpoint import Dependencies
from tests import promises
from tests.contract_client import ContractClient
from tests.examples import EVENT, PATH

pytest_plugins = ["tests.service"]

REMOVED = object()
CONTRACT = published()[0]
OPERATION = ("paths", "/interaction-events", "post")
PROPERTIES = ("components", "schemas", "InteractionEvent", "properties")
EVENT_SCHEMA = PROPERTIES[:-1]
BODY = (*OPERATION, "requestBody")
SCHEMA = {"schema": {"type": "object"}}
SCHEME = ("components", "securitySchemes", "hubApiKey")
KEY = {"Authorization": "Bearer irk_key"}
HUB = Caller(UUID(int=1), "hub")


async def accept(_key: str, _resources: Any) -> Caller:
    """Accept every key as that of one hub."""
    return HUB


async def refuse(_key: str, _resources: Any) -> None:
    """Accept no key."""


def changed(parts: tuple[str, ...], value: Any) -> Contract:
    """A copy of CONTRACT with `value` at `parts`, or without that member if `value` is REMOVED."""
    document = CONTRACT.copy()
    node = document
    for part in parts[:-1]:
        node = node[part]
    if value is REMOVED:
        del node[parts[-1]]
    else:
        node[parts[-1]] = value
    return Contract.read(json.dumps(document))


def ask(app: ASGIApp, method: str = "POST", path: str = PATH, **options: Any) -> httpx.Response:
    """The response of `app` within the access log, as in the service; checked against the contract."""

    async def request() -> httpx.Response:
        transport = httpx.ASGITransport(AccessLog(app))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return await client.request(method, path, **options)

    response = asyncio.run(request())
    promises.check(response, CONTRACT)
    return response


@pytest.fixture
def away() -> Iterator[Database]:
    """An unreachable database: nothing listens on port 1."""
    database = Database("postgresql://user@127.0.0.1:1/nothing")
    yield database
    database.close()


@pytest.fixture
def away_resources(away: Database) -> Resources:
    """The resources of handlers, which know that the database is unavailable."""
    bounds = Bounds(count=100, days=1, bytes=10**6)
    kind = interaction_events.KIND.table
    resources = Resources(
        away,
        Registry(away),
        {kind.kind: submissions.writer(away, kind)},
        Rejections(away, bounds),
        SubmissionUsage(away, lambda _kind, _outcome, _reason, _count: None),
        ServiceOptions(bounds),
        asyncio.Semaphore(1),
        asyncio.Lock(),
    )
    for writer in (*resources.writers.values(), resources.rejections.writer):
        writer._away_since = 0
    return resources


@pytest.mark.parametrize(
    ("parts", "value", "message"),
    [
        pytest.param(("openapi",), "3.1.0", "3.1.0", id="OpenAPI 3.1"),
        pytest.param(("paths",), REMOVED, "it has no operations", id="no OpenAPI document"),
        pytest.param((*OPERATION, "operationId"), "reportNothing", "names no operation", id="no handler"),
        pytest.param((*OPERATION, "operationId"), "os.path.basename", "'os.path.basename' names no", id="other code"),
        pytest.param((*OPERATION, "operationId"), REMOVED, "contract 1.0 cannot be served", id="no operationId"),
        pytest.param(
            (*OPERATION, "x-openapi-router-controller"),
            "os.path",
            "'os.path.reportInteractionEvent'",
            id="other code by an extension",
        ),
        pytest.param(
            ("security",), REMOVED, "reportInteractionEvent can be called without authentication", id="no security"
        ),
        pytest.param((*OPERATION, "security"), [], "can be called without authentication", id="security switched off"),
        pytest.param((*OPERATION, "security"), [{}], "can be called without authentication", id="empty security"),
        pytest.param(
            (*OPERATION, "security"), [{"hubApiKey": []}, {}], "called without authentication", id="optional security"
        ),
        pytest.param(
            (*OPERATION, "security"), [{"key": []}], "cannot be served: KeyError: 'key'", id="unknown security"
        ),
        pytest.param(SCHEME, {"type": "http", "scheme": "basic"}, "type 'http' is not served", id="http basic"),
        pytest.param(
            SCHEME, {"type": "apiKey", "in": "header", "name": "X"}, "type 'apiKey' is not served", id="apiKey"
        ),
        pytest.param(
            SCHEME,
            {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "https://service.example", "scopes": {}}}},
            "is not served",
            id="oauth2",
        ),
        pytest.param(
            SCHEME,
            {"type": "openIdConnect", "openIdConnectUrl": "https://service.example"},
            "is not served",
            id="openIdConnect",
        ),
        pytest.param(
            (*OPERATION, "parameters"),
            [{"name": "page", "in": "cookie", "schema": {"type": "integer"}}],
            "parameter page in cookie is not in a form",
            id="a parameter of an operation",
        ),
        pytest.param(
            ("paths", "/interaction-events", "parameters"),
            [{"name": "page", "in": "query", "schema": {"type": "number"}}],
            "parameter page in query is not a string, integer or boolean",
            id="a parameter of a path",
        ),
        pytest.param(
            (*OPERATION, "requestBody", "required"), False, "an optional body is not served", id="optional body"
        ),
        pytest.param(
            (*OPERATION, "requestBody", "required"), REMOVED, "an optional body is not served", id="optional by default"
        ),
        pytest.param(
            (*OPERATION, "requestBody", "content", "application/json", "schema"),
            REMOVED,
            "application/json has no schema",
            id="a body without a schema",
        ),
        pytest.param((*PROPERTIES, "event_type", "pattern"), "(", '"(" is not a "regex"', id="no pattern"),
        pytest.param((*PROPERTIES, "event_type", "pattern"), "(?=a)b", 'is not a "regex"', id="a slow pattern"),
        pytest.param(
            ("paths", "/again"),
            CONTRACT.document["paths"]["/interaction-events"],
            "two of its operations are reportInteractionEvent",
            id="one operationId for two operations",
        ),
    ],
)
def test_an_unsafe_contract_is_not_built(parts: tuple[str, ...], value: Any, message: str) -> None:
    """A contract that cannot be served safely raises ContractError before any request."""
    with pytest.raises(ContractError) as caught:
        build(changed(parts, value), Dependencies(OPERATIONS, accept))
    assert message in str(caught.value)


def test_building_leaves_the_contract_as_it_is() -> None:
    """Connexion changes its document, which is a copy."""
    before = CONTRACT.copy()
    build(CONTRACT, Dependencies(OPERATIONS, accept))
    assert CONTRACT.document == before


def test_an_accepted_request_reaches_its_handler(client: ContractClient) -> None:
    """A valid event of a known hub is stored, and the handler's response is sent."""
    assert client.post(PATH, json=EVENT).status_code == 201


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/", id="the root"),
        pytest.param("/api/v1", id="the base path"),
        pytest.param("/api/v1/", id="the base path with a slash"),
        pytest.param(f"{PATH}/", id="a slash too many"),
        pytest.param(f"/{PATH}", id="a slash too many in front"),
        pytest.param("/api/v1//interaction-events", id="a slash too many within"),
        pytest.param(PATH.upper(), id="upper case"),
        pytest.param("/interaction-events", id="no base path"),
        pytest.param("/api/v1/openapi.json", id="where Connexion shows its document"),
        pytest.param("/api/v1/ui/", id="where Connexion shows its pages"),
    ],
)
def test_any_other_path_is_not_found(path: str) -> None:
    """404 in the shape of the contract and never a redirect, with or without a key."""
    app = build(CONTRACT, Dependencies(OPERATIONS, accept))
    for headers in ({}, KEY):
        response = ask(app, path=path, json=EVENT, headers=headers)
        assert (response.status_code, response.json()["error"]) == (404, "there is nothing at this path")


def test_the_help_for_an_unknown_path_names_the_most_similar_one() -> None:
    """But not if the parameter of a path is invalid: it is that path which is meant."""
    app = build(published()[1], Dependencies(OPERATIONS, accept))
    unknown, invalid = (ask(app, "GET", path, headers=KEY) for path in (f"{PATH}/", f"{PATH}/1"))
    assert (unknown.status_code, invalid.status_code) == (404, 404)
    assert unknown.json()["help"] == f"Did you mean {PATH}? {invalid.json()['help']}"
    assert invalid.json()["help"].startswith("Check the path")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "UNKNOWN" * 10])
def test_another_method_is_not_allowed(method: str) -> None:
    """405 in the shape of the contract, with the shortened method and the allowed methods."""
    response = ask(build(CONTRACT, Dependencies(OPERATIONS, accept)), method)
    assert (response.status_code, response.headers["allow"]) == (405, "POST")
    shown = method if len(method) <= 40 else method[:40] + "\u2026"
    assert response.json() == {
        "error": f"the method {shown} is not allowed here",
        "help": "Use POST, as the Allow header of this response says.",
    }


@pytest.mark.parametrize(
    ("authenticate", "headers", "challenge"),
    [
        pytest.param(accept, {}, 'Bearer realm="interaction-reporting"', id="no key"),
        pytest.param(
            accept,
            {"Authorization": "Basic abc"},
            'Bearer realm="interaction-reporting", error="invalid_request", '
            'error_description="the Authorization header is not of the form: Bearer <hub-api-key>"',
            id="a malformed header",
        ),
        pytest.param(
            refuse,
            KEY,
            'Bearer realm="interaction-reporting", error="invalid_token", '
            'error_description="the key is unknown or was replaced, or its hub is disabled"',
            id="a key that is not accepted",
        ),
    ],
)
def test_a_request_that_does_not_authenticate_is_refused(
    authenticate: Callable[..., Any], headers: dict[str, str], challenge: str
) -> None:
    """401 with the reason in its challenge, before the body is judged."""
    response = ask(build(CONTRACT, Dependencies(OPERATIONS, authenticate)), content=b"{", headers=headers)
    assert response.status_code == 401
    assert response.json() == {"error": "Authorization: Bearer required"}
    assert response.headers["www-authenticate"] == challenge


def test_authenticate_receives_the_key_and_the_resources() -> None:
    """The token as it was sent, and the resources of the application."""
    calls = []

    async def authenticate(key: str, resources: Any) -> None:
        calls.append((key, resources))

    ask(build(CONTRACT, Dependencies(OPERATIONS, authenticate, resources="resources")), headers=KEY)
    assert calls == [("irk_key", "resources")]


def test_a_body_is_validated_by_the_contract(away_resources: Resources) -> None:
    """The limit, the media type and the schema are those of the document."""
    app = build(
        changed((*OPERATION, "requestBody", "x-body-limit-bytes"), 100),
        Dependencies(OPERATIONS, accept, away_resources),
    )
    assert ask(app, headers=KEY, json=EVENT | {"metadata": "x" * 100}).status_code == 413
    assert ask(app, headers=KEY, data=EVENT).status_code == 415
    assert ask(app, headers=KEY, json={}).json()["error"].count(" is required") == 3


def test_a_body_has_a_limit_even_if_the_document_names_none(away_resources: Resources) -> None:
    """64 KiB without `x-body-limit-bytes`."""
    app = build(
        changed((*OPERATION, "requestBody", "x-body-limit-bytes"), REMOVED),
        Dependencies(OPERATIONS, accept, away_resources),
    )
    headers = KEY | {"Content-Type": "application/json"}
    assert ask(app, headers=headers, content=b" " * 65536).status_code == 400
    assert ask(app, headers=headers, content=b" " * 65537).status_code == 413


def test_a_media_type_is_compared_without_case(away_resources: Resources) -> None:
    """A document may write a media type in any case."""
    content = CONTRACT.copy()["paths"]["/interaction-events"]["post"]["requestBody"]["content"]
    contract = changed((*OPERATION, "requestBody", "content"), {"Application/JSON": content["application/json"]})
    response = ask(build(contract, Dependencies(OPERATIONS, accept, away_resources)), headers=KEY, json={})
    assert response.status_code == 422


def test_a_slow_body_is_given_up(away_resources: Resources) -> None:
    """408 after the body timeout of the application."""

    async def begin() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    app = build(CONTRACT, Dependencies(OPERATIONS, accept, away_resources, body_timeout=0.02))
    response = ask(app, content=begin(), headers=KEY | {"Content-Type": "application/json"})
    assert response.status_code == 408
    assert response.json()["error"] == "the request body arrives too slowly"


def test_an_unreachable_database_is_answered_as_documented(away: Database, away_resources: Resources) -> None:
    """503 with Retry-After, whichever step of a request needs the database."""

    async def authenticate_away(key: str, resources: Resources) -> Caller | None:
        async with resources.registry.following():
            return await authentication.authenticate(key, resources)

    async def accept_with_registry(_key: str, resources: Resources) -> Caller:
        resources.registry._feed.fresh_until = math.inf
        resources.registry._widgets.add(EVENT["widget_id"])
        resources.registry._event_types[EVENT["event_type"]] = None
        return HUB

    failures: dict[type[Exception], str] = {Unavailable: "unavailable"}
    for authenticate in (authenticate_away, accept_with_registry):
        resources = replace(away_resources, registry=Registry(away))
        app = build(CONTRACT, Dependencies(OPERATIONS, authenticate, resources, failures))
        response = ask(app, headers=KEY, json=EVENT)
        assert (response.status_code, response.headers["retry-after"]) == (503, "1")
        assert response.json()["error"] == "the service cannot reach its database at the moment"


def test_an_unexpected_fault_is_answered_as_documented() -> None:
    """500 in the shape of the contract, for a fault of authentication or of a handler."""

    async def fail(_key: str, _resources: Any) -> None:
        raise RuntimeError("a fault of authentication")

    for authenticate in (fail, accept):  # without resources the handler fails
        app = build(CONTRACT, Dependencies(OPERATIONS, authenticate, failures={Unavailable: "unavailable"}))
        response = ask(app, headers=KEY, json=EVENT)
        assert response.status_code == 500
        assert response.json() == {
            "error": "the service failed to handle this request",
            "help": "Give the X-Request-Id of this response to the operator of the service.",
        }


@pytest.mark.parametrize(
    ("parts", "value", "message"),
    [
        pytest.param((*BODY, "x-body-limit-bytes"), "65536", "is not an integer from 1", id="a limit in words"),
        pytest.param((*BODY, "x-body-limit-bytes"), -1, "is not an integer from 1", id="a limit below zero"),
        pytest.param((*BODY, "x-body-limit-bytes"), 1e300, "is not an integer from 1", id="a limit without end"),
        pytest.param((*BODY, "x-body-limit-bytes"), True, "is not an integer from 1", id="a limit that is a truth"),
        pytest.param((*BODY, "content"), {}, "the body has no media type", id="no media type"),
        pytest.param((*BODY, "content", "application/*"), SCHEMA, "served as application/json", id="a range"),
        pytest.param((*BODY, "content", "text/plain"), SCHEMA, "served as application/json", id="another media type"),
        pytest.param(BODY, REMOVED, "takes widget_id as required string uuid", id="no body"),
        pytest.param((*EVENT_SCHEMA, "required"), ["widget_id"], "takes event_type as required", id="not required"),
        pytest.param((*PROPERTIES, "widget_id"), REMOVED, "takes widget_id as required", id="no property"),
        pytest.param(
            (*PROPERTIES, "widget_id", "nullable"), True, "takes widget_id as required string uuid", id="null"
        ),
        pytest.param(
            (*PROPERTIES, "widget_id", "readOnly"), True, "takes widget_id as required", id="what requests do not have"
        ),
        pytest.param((*PROPERTIES, "occurred_at", "format"), REMOVED, "takes occurred_at as required", id="no format"),
        pytest.param((*PROPERTIES, "actor_type"), {"type": "integer"}, "takes actor_type as optional", id="a number"),
        pytest.param(("paths",), {}, "it has no operations", id="no paths"),
        pytest.param(("paths",), [], "cannot be served: paths is not an object", id="paths that are a list"),
        pytest.param(("paths", "/x"), None, "cannot be served: /x is not an object", id="a path that is null"),
    ],
)
def test_a_contract_that_does_not_fit_its_handler_is_not_built(
    parts: tuple[str, ...], value: Any, message: str
) -> None:
    """A contract whose requests would cause a fault of the service raises ContractError with the reason."""
    with pytest.raises(ContractError) as caught:
        build(changed(parts, value), Dependencies(OPERATIONS, accept))
    assert message in str(caught.value)


def test_an_optional_field_that_a_handler_takes_may_be_missing() -> None:
    """A contract may omit an optional field of its handler."""
    build(changed((*PROPERTIES, "actor_id"), REMOVED), Dependencies(OPERATIONS, accept))


def test_a_slow_pattern_meets_no_backtracking_engine() -> None:
    """A default that Python's `re` would match forever is harmless."""
    hostile = {"type": "string", "maxLength": 99, "pattern": "^(a+)+$", "default": "a" * 40 + "!"}
    build(changed((*PROPERTIES, "extra"), hostile), Dependencies(OPERATIONS, accept))


def test_an_operation_is_served_without_connexion_s_layers(
    away_resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything that Connexion's layers look up at each request was looked up at the start."""
    app: Any = build(CONTRACT, Dependencies(OPERATIONS, accept, away_resources))
    through_layers = []

    async def not_found(scope: Scope, _receive: Receive, _send: Send) -> None:
        through_layers.append((scope["method"], scope["path"]))
        raise Problem("not_found")

    monkeypatch.setattr(app.app, "_through_layers", not_found)
    assert ask(app, headers=KEY, json={}).status_code == 422
    assert ask(app, json=EVENT).status_code == 401
    assert ask(app, "PUT").status_code == 405
    assert through_layers == []
    assert ask(app, "POST", f"{PATH}/1").status_code == 404
    assert through_layers == [("POST", f"{PATH}/1")]


def test_serving_inspects_nothing(away_resources: Resources, monkeypatch: pytest.MonkeyPatch) -> None:
    """Signatures, schemas and patterns are inspected only when the application is built."""
    app = build(CONTRACT, Dependencies(OPERATIONS, accept, away_resources))
    ask(app, headers=KEY, json={})
    calls: list[str] = []
    for owner, name in ((inspect, "signature"), (jsonschema_rs, "Draft4Validator"), (re, "compile")):
        monkeypatch.setattr(owner, name, lambda *_args, name=name, **_kwargs: calls.append(name))
    assert ask(app, headers=KEY, json={}).status_code == 422
    assert calls == []


@pytest.mark.parametrize("kind", ["websocket", "lifespan"])
def test_other_protocols_than_http_get_no_response(kind: str) -> None:
    """They pass through every layer and end there."""

    async def unexpected(*_message: Message) -> Any:
        raise AssertionError("nothing is received or sent")

    async def pass_through() -> None:
        app = build(CONTRACT, Dependencies(OPERATIONS, accept))
        await app({"type": kind, "path": PATH, "headers": []}, unexpected, unexpected)

    asyncio.run(pass_through())
