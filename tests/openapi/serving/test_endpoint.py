"""Operations: the parts of a contract that are served, and the request that a handler receives."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from starlette.types import ASGIApp

from db.registry import Caller
from openapi.contract import Contract, ContractError
from openapi.problems import Problem
from openapi.requests.batch import Array, Lines
from openapi.requests.body import MAX_BODY_BYTES, MAX_STREAM_BYTES
from openapi.serving.access_log import AccessLog
from openapi.serving.app import build
from openapi.serving.endpoint import Dependencies
from openapi.serving.messages import Answer, BodyField, Handler, Refusal, Request, takes, when_refused
from openapi.serving.operations import OperationTable
from openapi.serving.rate_limits import Bucket, RateLimits, RatePolicy

KEY = {"Authorization": "Bearer irk_key"}
CALLER = Caller(UUID(int=1), "hub")
ITEM = {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}}
BATCH = {"type": "array", "maxItems": 2, "items": ITEM}
JSON, NDJSON = "application/json", "application/x-ndjson"
PAGE = {"name": "page", "in": "query", "schema": {"type": "integer"}}

HANDLERS: dict[str, Handler] = {}
OPERATIONS = OperationTable(HANDLERS)


async def accept(key: str, _resources: Any) -> Caller | None:
    """Accept one key."""
    return CALLER if key == "irk_key" else None


def contract(body: Any = None, parameters: Any = None, responses: Any = (), path: Any = None) -> Contract:
    """A contract with an operation of one path, and another that takes one item."""
    described = {"description": "A description."}
    operation: dict[str, Any] = {"operationId": "tryOne", "responses": {"200": described}}
    operation["responses"] |= dict.fromkeys(responses, described)
    if body is not None:
        operation["requestBody"] = body
    if parameters is not None:
        operation["parameters"] = parameters
    other = {"operationId": "tryOther", "responses": {"200": described}, "requestBody": of(ITEM)}
    document = {
        "openapi": "3.0.3",
        "info": {"title": "Things", "version": "1.0"},
        "components": {"securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}},
        "security": [{"key": []}],
        "paths": {"/things": {"post": operation, **(path or {})}, "/other": {"post": other}},
    }
    return Contract.read(json.dumps(document))


def of(schema: Any, media_type: str = JSON, extra: Any = None) -> dict[str, Any]:
    """A request body object with one media type, and the members `extra`."""
    return {"required": True, "content": {media_type: {"schema": schema}}, **(extra or {})}


def of_lines(schema: Any) -> dict[str, Any]:
    """A request body object of NDJSON whose lines satisfy `schema`."""
    declared = {"schema": {"type": "string", "format": "binary"}, "x-item-schema": schema}
    return {"required": True, "content": {NDJSON: declared}}


@pytest.fixture
def received() -> list[Request]:
    """The requests that the handlers received."""
    return []


@pytest.fixture(autouse=True)
def _handlers(received: list[Request]) -> Iterator[None]:
    """Register two handlers that respond with an empty object."""

    async def try_one(request: Request) -> Answer:
        received.append(request)
        return Answer(200, {})

    async def try_other(request: Request) -> Answer:
        received.append(request)
        return Answer(200, {})

    HANDLERS.update(tryOne=try_one, tryOther=try_other)
    yield
    HANDLERS.clear()


def ask(app: ASGIApp, **options: Any) -> httpx.Response:
    """The response of `app`."""

    async def request() -> httpx.Response:
        transport = httpx.ASGITransport(AccessLog(app))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return await client.post("/things", **{"headers": KEY, **options})

    return asyncio.run(request())


def test_a_handler_receives_the_request(received: list[Request]) -> None:
    """The caller, the resources, the valid body and its bytes, the parameters, and the version of the contract."""
    app = build(contract(of(ITEM), [PAGE]), Dependencies(OPERATIONS, accept, "resources"))
    assert ask(app, params={"page": "2"}, content=b'{"a": 1 }', headers=KEY | {"Content-Type": JSON}).json() == {}
    (request,) = received
    assert (request.body, request.content, request.parameters) == ({"a": 1}, b'{"a": 1 }', {"page": 2})
    assert (request.caller, request.resources, request.contract_version) == (CALLER, "resources", "1.0")
    assert request.bucket is None


def test_an_operation_may_have_no_body(received: list[Request]) -> None:
    """A body that is sent nevertheless is not read."""
    assert ask(build(contract(), Dependencies(OPERATIONS, accept)), content=b"{").status_code == 200
    assert (received[0].body, received[0].content) == (None, b"")


@pytest.mark.parametrize(
    ("declared", "content", "kind"),
    [
        pytest.param(of(BATCH), b'[{"a": 1}, {}]', Array, id="an array"),
        pytest.param(of_lines(ITEM), b'{"a": 1}\n{}', Lines, id="lines"),
        pytest.param(of(ITEM, NDJSON), b'{"a": 1}\n{}', Lines, id="lines of an earlier document"),
    ],
)
def test_a_batch_is_judged_item_by_item(
    declared: dict[str, Any], content: bytes, kind: type, received: list[Request]
) -> None:
    """The handler of an array or of lines receives each item with its problem."""
    (media_type,) = declared["content"]
    app = build(contract(declared), Dependencies(OPERATIONS, accept))
    assert ask(app, content=content, headers=KEY | {"Content-Type": media_type}).status_code == 200
    assert isinstance(received[0].body, kind)

    async def problems() -> list[str | None]:
        return [item.problem and item.problem.error async for group in received[0].body.groups() for item in group]

    assert asyncio.run(problems()) == [None, "a is required"]


def test_parameters_of_an_operation_replace_those_of_its_path(received: list[Request]) -> None:
    """By name and location; the path's others still apply (OpenAPI 3.0, path item object)."""
    of_path = {"parameters": [PAGE, {"name": "X-Size", "in": "header", "schema": {"type": "integer"}}]}
    text = {**PAGE, "schema": {"type": "string", "maxLength": 3}}
    app = build(contract(parameters=[text], path=of_path), Dependencies(OPERATIONS, accept))
    assert ask(app, params={"page": "one"}, headers=KEY | {"X-Size": "3"}).status_code == 200
    assert received[0].parameters == {"page": "one", "X-Size": 3}
    response = ask(app, params={"page": "three"}, headers=KEY | {"X-Size": "x"})
    assert (response.status_code, len(received)) == (422, 1)
    assert sorted(response.json()["error"].split("; ")) == [
        "X-Size must be an integer",
        "page has 5 characters",
        "the limit is 3",
    ]


@pytest.mark.parametrize(
    ("codings", "status"), [(["gzip"], 200), ([], 415), (None, 415)], ids=["gzip", "no coding", "nothing said"]
)
def test_a_body_may_be_compressed_if_the_contract_allows_it(codings: list[str] | None, status: int) -> None:
    """Only in the codings of the operation."""
    declared = of(ITEM) if codings is None else of(ITEM, extra={"x-content-codings": codings})
    headers = KEY | {"Content-Type": JSON, "Content-Encoding": "gzip"}
    app = build(contract(declared), Dependencies(OPERATIONS, accept))
    assert ask(app, content=gzip.compress(b'{"a": 1}'), headers=headers).status_code == status


@pytest.mark.parametrize(
    ("of_body", "of_type", "limit"),
    [(None, None, 65536), (100, None, 100), (None, 100, 100), (50, 100, 100), (100, 50, 50)],
)
def test_the_limit_of_a_media_type_comes_before_that_of_the_body(
    of_body: int | None, of_type: int | None, limit: int
) -> None:
    """64 KiB if neither has one."""
    declared = of(ITEM)
    if of_body:
        declared["x-body-limit-bytes"] = of_body
    if of_type:
        declared["content"][JSON]["x-body-limit-bytes"] = of_type
    app = build(contract(declared), Dependencies(OPERATIONS, accept))
    headers = KEY | {"Content-Type": JSON}
    assert ask(app, content=b'{"a": 1}'.ljust(limit), headers=headers).status_code == 200
    assert ask(app, content=b'{"a": 1}'.ljust(limit + 1), headers=headers).status_code == 413


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        pytest.param(of(ITEM, extra={"x-content-codings": ["br"]}), "x-content-codings is not a list of gzip", id="br"),
        pytest.param(of(ITEM, extra={"x-content-codings": "gzip"}), "x-content-codings is not a list", id="no list"),
        pytest.param(of({"type": "array", "items": ITEM}), "the array has no maxItems", id="no bound"),
        pytest.param(of({**BATCH, "maxItems": True}), "maxItems", id="a bound that is a truth"),
        pytest.param(of(ITEM, "application/*"), "a body is served as application/json", id="a range"),
        pytest.param(
            of(ITEM, extra={"x-body-limit-bytes": MAX_BODY_BYTES + 1}), f"1 to {MAX_BODY_BYTES}", id="a large limit"
        ),
        pytest.param(
            of(ITEM, NDJSON, extra={"x-body-limit-bytes": MAX_STREAM_BYTES + 1}),
            f"1 to {MAX_STREAM_BYTES}",
            id="a large limit of a stream",
        ),
        pytest.param({"content": of(ITEM)["content"]}, "an optional body is not served", id="optional"),
    ],
)
def test_a_body_that_is_not_served_is_not_built(declared: dict[str, Any], message: str) -> None:
    """A contract with a promise that the service cannot keep raises ContractError."""
    with pytest.raises(ContractError) as caught:
        build(contract(declared), Dependencies(OPERATIONS, accept))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "declared",
    [
        of(ITEM, extra={"x-body-limit-bytes": MAX_BODY_BYTES}),
        of(ITEM, NDJSON, extra={"x-body-limit-bytes": MAX_STREAM_BYTES}),
    ],
    ids=["JSON", "NDJSON"],
)
def test_the_highest_limit_is_served(declared: dict[str, Any]) -> None:
    """The limit of a stream is higher, because a stream is not held in memory."""
    build(contract(declared), Dependencies(OPERATIONS, accept))


@pytest.mark.parametrize(
    ("declared", "is_built"),
    [
        pytest.param(of(ITEM), True, id="one"),
        pytest.param(of(BATCH), True, id="an array"),
        pytest.param(of_lines(ITEM), True, id="lines"),
        pytest.param(of(ITEM, NDJSON), True, id="lines of an earlier document"),
        pytest.param(of({"type": "object"}), False, id="one without"),
        pytest.param(of({**BATCH, "items": {"type": "object"}}), False, id="an array without"),
        pytest.param(of_lines({"type": "object"}), False, id="lines without"),
        pytest.param(of({"type": "object"}, NDJSON), False, id="lines of an earlier document without"),
        pytest.param(
            of({**BATCH, "properties": ITEM["properties"], "required": ["a"], "items": {}}),
            False,
            id="next to the items",
        ),
        pytest.param(None, False, id="no body"),
    ],
)
def test_a_contract_must_promise_the_fields_of_a_handler(declared: Any, is_built: bool) -> None:
    """For the body, or for each item of a batch; without a required field the operation is not served."""
    takes(a=BodyField("integer", required=True), b=BodyField("string"))(HANDLERS["tryOne"])
    if is_built:
        build(contract(declared), Dependencies(OPERATIONS, accept))
    else:
        with pytest.raises(ContractError, match="the handler of tryOne takes a as required integer, but this contract"):
            build(contract(declared), Dependencies(OPERATIONS, accept))


@pytest.fixture
def limits(tmp_path: Path) -> Iterator[RateLimits]:
    """Full buckets."""
    RateLimits.create(tmp_path / "limits")
    with RateLimits(tmp_path / "limits") as opened:
        yield opened


def test_a_request_takes_a_token_if_the_contract_has_429(limits: RateLimits, received: list[Request]) -> None:
    """One for each request, whatever its outcome; every response has the remaining tokens, and with none it is 429."""
    dependencies = Dependencies(
        OPERATIONS, accept, bucket_for=lambda caller: Bucket(limits, caller.id, RatePolicy(1, 2))
    )
    app = build(contract(of(ITEM), responses=["429"]), dependencies)
    responses = [ask(app, json=body) for body in ({"a": 1}, {"a": "x"}, {"a": 1})]
    assert [response.status_code for response in responses] == [200, 422, 429]
    assert [response.headers["ratelimit"].split(";")[1] for response in responses] == ["r=1", "r=0", "r=0"]
    assert {response.headers["ratelimit-policy"] for response in responses} == {'"default";q=2;w=2'}
    assert responses[2].headers["retry-after"] == "1"
    assert len(received) == 1
    assert received[0].bucket
    assert ask(app, headers={}).headers.keys() & {"ratelimit", "ratelimit-policy"} == set()


def test_a_request_takes_no_token_if_the_contract_has_no_429(limits: RateLimits, received: list[Request]) -> None:
    """An older contract promises neither 429 nor its headers."""
    dependencies = Dependencies(
        OPERATIONS, accept, bucket_for=lambda caller: Bucket(limits, caller.id, RatePolicy(1, 1))
    )
    app = build(contract(of(ITEM)), dependencies)
    for _ in range(3):
        response = ask(app, json={"a": 1})
        assert (response.status_code, "ratelimit" in response.headers) == (200, False)
    assert received[0].bucket is None


def test_a_handler_receives_refused_requests() -> None:
    """A refusal has the problem, the bytes read so far and the caller; failed authentication is not passed on."""
    refusals: list[Refusal] = []

    async def refused(refusal: Refusal) -> None:
        refusals.append(refusal)

    async def fail(_request: Request) -> None:
        raise Problem("widget_not_registered", id="a")

    inner = HANDLERS["tryOne"]

    async def try_one(request: Request) -> Answer:
        if request.body == {"a": 0}:
            await fail(request)
        answer: Answer = await inner(request)
        return answer

    HANDLERS["tryOne"] = when_refused(refused)(try_one)
    app = build(contract(of(ITEM), [PAGE]), Dependencies(OPERATIONS, accept))
    headers = KEY | {"Content-Type": JSON}
    for content in (b'{"a": 1}', b'{"a": "x"}', b"{", b'{"a": 0}'):
        ask(app, content=content, headers=headers)
    ask(app, content=b"{}", params={"page": "x"}, headers=headers)
    ask(app, content=b"{}", headers=headers | {"Authorization": "Bearer other"})
    assert [(refusal.problem.code, refusal.request.content, refusal.request.body) for refusal in refusals] == [
        ("invalid_body", b'{"a": "x"}', None),
        ("malformed_json", b"{", None),
        ("widget_not_registered", b'{"a": 0}', {"a": 0}),
        ("invalid_parameters", b"", None),
    ]
    assert all(refusal.request.caller is CALLER for refusal in refusals)


@pytest.mark.parametrize("media_type", [JSON, NDJSON])
def test_a_key_revoked_while_the_body_arrives_is_refused(media_type: str, received: list[Request]) -> None:
    """The sender of a slow body is authenticated again when the body has arrived."""
    calls = 0

    async def once(_key: str, _resources: Any) -> Caller | None:
        nonlocal calls
        calls += 1
        return CALLER if calls == 1 else None

    async def slowly() -> AsyncIterator[bytes]:
        yield b'{"a":'
        yield b" 1}"

    app = build(contract(of(ITEM, media_type)), Dependencies(OPERATIONS, once))
    assert ask(app, content=slowly(), headers=KEY | {"Content-Type": media_type}).status_code == 401
    assert (calls, received) == (2, [])


def test_a_handler_judges_bodies_of_other_operations(received: list[Request]) -> None:
    """By operationId, as that operation would; LookupError for an unknown operation, or one without a body."""
    ask(build(contract(), Dependencies(OPERATIONS, accept)))
    validate = received[0].validate
    assert validate("tryOther", b'{"a": 1}') == {"a": 1}
    with pytest.raises(Problem) as caught:
        validate("tryOther", b"{}")
    assert caught.value.error == "a is required"
    for operation_id in ("tryOne", "tryNothing"):
        with pytest.raises(LookupError):
            validate(operation_id, b"{}")
