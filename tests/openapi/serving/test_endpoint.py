"""Operations: what of a contract is served, and what a handler is given of a request."""

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
    """One key is known."""
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


def of(schema: Any, media_type: str = JSON, more: Any = None) -> dict[str, Any]:
    """A request body of one media type."""
    return {"required": True, "content": {media_type: {"schema": schema}}, **(more or {})}


@pytest.fixture
def seen() -> list[Request]:
    """The requests that the handlers were given."""
    return []


@pytest.fixture(autouse=True)
def _handlers(seen: list[Request]) -> Iterator[None]:
    """Two handlers, which answer with an empty object."""

    async def try_one(request: Request) -> Answer:
        seen.append(request)
        return Answer(200, {})

    async def try_other(request: Request) -> Answer:
        seen.append(request)
        return Answer(200, {})

    HANDLERS.update(tryOne=try_one, tryOther=try_other)
    yield
    HANDLERS.clear()


def ask(app: ASGIApp, **options: Any) -> httpx.Response:
    """What `app` answers."""

    async def asked() -> httpx.Response:
        transport = httpx.ASGITransport(AccessLog(app))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return await client.post("/things", **{"headers": KEY, **options})

    return asyncio.run(asked())


def test_a_handler_is_given_what_was_sent(seen: list[Request]) -> None:
    """The caller, the resources, the valid body and its bytes, the parameters, and the version of the contract."""
    app = build(contract(of(ITEM), [PAGE]), Dependencies(OPERATIONS, accept, "resources"))
    assert ask(app, params={"page": "2"}, content=b'{"a": 1 }', headers=KEY | {"Content-Type": JSON}).json() == {}
    (request,) = seen
    assert (request.body, request.content, request.parameters) == ({"a": 1}, b'{"a": 1 }', {"page": 2})
    assert (request.caller, request.resources, request.contract_version) == (CALLER, "resources", "1.0")
    assert request.bucket is None


def test_an_operation_may_have_no_body(seen: list[Request]) -> None:
    """What is sent nevertheless is not read."""
    assert ask(build(contract(), Dependencies(OPERATIONS, accept)), content=b"{").status_code == 200
    assert (seen[0].body, seen[0].content) == (None, b"")


@pytest.mark.parametrize(
    ("declared", "content", "kind"),
    [
        pytest.param(of(BATCH), b'[{"a": 1}, {}]', Array, id="an array"),
        pytest.param(of(ITEM, NDJSON), b'{"a": 1}\n{}', Lines, id="lines"),
    ],
)
def test_a_batch_is_judged_item_by_item(
    declared: dict[str, Any], content: bytes, kind: type, seen: list[Request]
) -> None:
    """An array with items, and lines, are handed to the handler with what is wrong with each."""
    (media_type,) = declared["content"]
    app = build(contract(declared), Dependencies(OPERATIONS, accept))
    assert ask(app, content=content, headers=KEY | {"Content-Type": media_type}).status_code == 200
    assert isinstance(seen[0].body, kind)

    async def problems() -> list[str | None]:
        return [item.problem and item.problem.error async for group in seen[0].body.groups() for item in group]

    assert asyncio.run(problems()) == [None, "a is required"]


def test_parameters_of_an_operation_replace_those_of_its_path(seen: list[Request]) -> None:
    """By name and place; the others of the path are there, too (OpenAPI 3.0, path item object)."""
    of_path = {"parameters": [PAGE, {"name": "X-Size", "in": "header", "schema": {"type": "integer"}}]}
    text = {**PAGE, "schema": {"type": "string", "maxLength": 3}}
    app = build(contract(parameters=[text], path=of_path), Dependencies(OPERATIONS, accept))
    assert ask(app, params={"page": "one"}, headers=KEY | {"X-Size": "3"}).status_code == 200
    assert seen[0].parameters == {"page": "one", "X-Size": 3}
    refused = ask(app, params={"page": "three"}, headers=KEY | {"X-Size": "x"})
    assert (refused.status_code, len(seen)) == (422, 1)
    assert sorted(refused.json()["error"].split("; ")) == [
        "X-Size must be an integer",
        "page has 5 characters",
        "the limit is 3",
    ]


@pytest.mark.parametrize(
    ("codings", "status"), [(["gzip"], 200), ([], 415), (None, 415)], ids=["gzip", "no coding", "nothing said"]
)
def test_a_body_may_be_compressed_where_the_contract_says_so(codings: list[str] | None, status: int) -> None:
    """In the codings of the operation, and in no other."""
    declared = of(ITEM) if codings is None else of(ITEM, more={"x-content-codings": codings})
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
    """And 64 KiB where neither has one."""
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
        pytest.param(of(ITEM, more={"x-content-codings": ["br"]}), "x-content-codings is not a list of gzip", id="br"),
        pytest.param(of(ITEM, more={"x-content-codings": "gzip"}), "x-content-codings is not a list", id="no list"),
        pytest.param(of({"type": "array", "items": ITEM}), "the array has no maxItems", id="no bound"),
        pytest.param(of({**BATCH, "maxItems": True}), "maxItems", id="a bound that is a truth"),
        pytest.param(of(ITEM, "application/*"), "a body is served as application/json", id="a range"),
        pytest.param(
            of(ITEM, more={"x-body-limit-bytes": MAX_BODY_BYTES + 1}), f"1 to {MAX_BODY_BYTES}", id="a large limit"
        ),
        pytest.param(
            of(ITEM, NDJSON, more={"x-body-limit-bytes": MAX_STREAM_BYTES + 1}),
            f"1 to {MAX_STREAM_BYTES}",
            id="a large limit of a stream",
        ),
        pytest.param({"content": of(ITEM)["content"]}, "an optional body is not served", id="optional"),
    ],
)
def test_a_body_that_is_not_served_is_not_built(declared: dict[str, Any], message: str) -> None:
    """A contract that promises what is not kept is a ContractError."""
    with pytest.raises(ContractError) as caught:
        build(contract(declared), Dependencies(OPERATIONS, accept))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "declared",
    [
        of(ITEM, more={"x-body-limit-bytes": MAX_BODY_BYTES}),
        of(ITEM, NDJSON, more={"x-body-limit-bytes": MAX_STREAM_BYTES}),
    ],
    ids=["JSON", "NDJSON"],
)
def test_the_highest_limit_is_served(declared: dict[str, Any]) -> None:
    """Of a stream it is higher, for it is not held in memory."""
    build(contract(declared), Dependencies(OPERATIONS, accept))


@pytest.mark.parametrize(
    ("declared", "is_built"),
    [
        pytest.param(of(ITEM), True, id="one"),
        pytest.param(of(BATCH), True, id="an array"),
        pytest.param(of(ITEM, NDJSON), True, id="lines"),
        pytest.param(of({"type": "object"}), False, id="one without"),
        pytest.param(of({**BATCH, "items": {"type": "object"}}), False, id="an array without"),
        pytest.param(of({"type": "object"}, NDJSON), False, id="lines without"),
        pytest.param(
            of({**BATCH, "properties": ITEM["properties"], "required": ["a"], "items": {}}), False, id="beside"
        ),
        pytest.param(None, False, id="no body"),
    ],
)
def test_what_a_handler_takes_is_promised_of_each_item(declared: Any, is_built: bool) -> None:
    """Of the body, or of each item of a batch; a handler that needs a field is not served without."""
    takes(a=BodyField("integer", required=True), b=BodyField("string"))(HANDLERS["tryOne"])
    if is_built:
        build(contract(declared), Dependencies(OPERATIONS, accept))
    else:
        with pytest.raises(ContractError, match="tryOne takes a as required integer, not as promised here"):
            build(contract(declared), Dependencies(OPERATIONS, accept))


@pytest.fixture
def limits(tmp_path: Path) -> Iterator[RateLimits]:
    """Full buckets."""
    RateLimits.create(tmp_path / "limits")
    with RateLimits(tmp_path / "limits") as opened:
        yield opened


def test_a_request_takes_a_token_where_the_contract_says_so(limits: RateLimits, seen: list[Request]) -> None:
    """One for each, whatever becomes of it; every answer tells what is left, and without any left it is 429."""
    dependencies = Dependencies(
        OPERATIONS, accept, bucket_for=lambda caller: Bucket(limits, caller.id, RatePolicy(1, 2))
    )
    app = build(contract(of(ITEM), responses=["429"]), dependencies)
    answers = [ask(app, json=body) for body in ({"a": 1}, {"a": "x"}, {"a": 1})]
    assert [answer.status_code for answer in answers] == [200, 422, 429]
    assert [answer.headers["ratelimit"].split(";")[1] for answer in answers] == ["r=1", "r=0", "r=0"]
    assert {answer.headers["ratelimit-policy"] for answer in answers} == {'"default";q=2;w=2'}
    assert answers[2].headers["retry-after"] == "1"
    assert len(seen) == 1
    assert seen[0].bucket
    assert ask(app, headers={}).headers.keys() & {"ratelimit", "ratelimit-policy"} == set()


def test_no_tokens_are_taken_where_the_contract_says_nothing_of_them(limits: RateLimits, seen: list[Request]) -> None:
    """An older contract promises no 429, and no header of it."""
    dependencies = Dependencies(
        OPERATIONS, accept, bucket_for=lambda caller: Bucket(limits, caller.id, RatePolicy(1, 1))
    )
    app = build(contract(of(ITEM)), dependencies)
    for _ in range(3):
        answer = ask(app, json={"a": 1})
        assert (answer.status_code, "ratelimit" in answer.headers) == (200, False)
    assert seen[0].bucket is None


def test_a_handler_is_told_what_was_refused() -> None:
    """With the problem, the bytes as far as they were read, and who sent them; not of what it is not called for."""
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
    assert [(one.problem.code, one.request.content, one.request.body) for one in refusals] == [
        ("invalid_body", b'{"a": "x"}', None),
        ("malformed_json", b"{", None),
        ("widget_not_registered", b'{"a": 0}', {"a": 0}),
        ("invalid_parameters", b"", None),
    ]
    assert all(one.request.caller is CALLER for one in refusals)


@pytest.mark.parametrize("media_type", [JSON, NDJSON])
def test_a_key_that_is_refused_while_the_body_comes_is_not_accepted(media_type: str, seen: list[Request]) -> None:
    """Who sent a body that took its time is asked for once more when it is there."""
    asked = 0

    async def once(_key: str, _resources: Any) -> Caller | None:
        nonlocal asked
        asked += 1
        return CALLER if asked == 1 else None

    async def slowly() -> AsyncIterator[bytes]:
        yield b'{"a":'
        yield b" 1}"

    app = build(contract(of(ITEM, media_type)), Dependencies(OPERATIONS, once))
    assert ask(app, content=slowly(), headers=KEY | {"Content-Type": media_type}).status_code == 401
    assert (asked, seen) == (2, [])


def test_a_handler_judges_bodies_of_other_operations(seen: list[Request]) -> None:
    """By operationId, as that operation would; one that there is not, or that has no body, is a LookupError."""
    ask(build(contract(), Dependencies(OPERATIONS, accept)))
    validate = seen[0].validate
    assert validate("tryOther", b'{"a": 1}') == {"a": 1}
    with pytest.raises(Problem) as caught:
        validate("tryOther", b"{}")
    assert caught.value.error == "a is required"
    for operation_id in ("tryOne", "tryNothing"):
        with pytest.raises(LookupError):
            validate(operation_id, b"{}")
