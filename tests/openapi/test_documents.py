"""The documents of this release: they keep the house rules, are complete, and repeat the texts of the service."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from starlette.types import Message, Scope

from handlers.operations import OPERATIONS
from handlers.security.authentication import DPOP_ALGORITHMS
from openapi import problems
from openapi.contract import DOCUMENTS, Contract, Operation, published
from openapi.lint.rules import lint
from openapi.oauth import bearer, server_metadata
from openapi.oauth.bearer import DPOP, Unauthenticated
from openapi.problems import Problem
from openapi.protocol import connection
from openapi.requests.batch import DISCARDED_BYTES, LINE_BYTES, Lines
from openapi.requests.body import DEFAULT_BODY_BYTES, MAX_STREAM_BYTES, Body, MediaType
from openapi.requests.content import PIECE_BYTES, SLOWEST, Content
from openapi.requests.parameters import Parameters
from openapi.schemas.validation import Schema, Schemas
from openapi.serving import access_log
from openapi.serving.endpoint import Dependencies
from openapi.serving.error_styles import ERROR_OBJECTS, ErrorObjects, ProblemDetails, style_of
from openapi.serving.rate_limits import Bucket, Quota, RateLimits, RatePolicy, refused
from openapi.standards import ijson
from openapi.standards.media_types import NDJSON
from scripts.service.oauth_settings import LONGEST_URL
from scripts.service.settings import Settings

CONTRACTS = {contract.version: contract for contract in published()}
OLDEST, NEWEST, MAJOR = CONTRACTS.values()
"""The minor versions of version 1, and version 2."""
PROMISED = [(contract, operation) for contract in CONTRACTS.values() for operation in contract.operations]
CREATE, REPLAY = "reportInteractionEvent", "replayRejectedSubmissions"
GET_MANIFEST, PUT_MANIFEST = "getHubCapabilityManifest", "putHubCapabilityManifest"
LIMIT = 65536
URL = "https://interaction-reporting.example"
"""The URL of the service in the examples."""
HOUSEKEEPING = {"connection", "accept-encoding"}
"""Header fields of HTTP itself, which need not stand in a response."""

DIGESTS = {
    "1.0": "717e010300da51b062b2b38080c0d781f69611743af25d9e81ef130026a562dc",
    "1.1": "357fa42ed956de28be7dbc7699197b861db77b91856377ba7553215455d75786",
    "2.0": "b980ea394d0971fe2b356fb3193af8bc268652e3326b1802af874a100ddf2053",
}
"""Of the released documents. They are never edited: a change is a new version."""

BODY_SECONDS = Dependencies.body_timeout
EACH = pytest.mark.parametrize("contract", CONTRACTS.values(), ids=lambda contract: contract.version)
EACH_OPERATION = pytest.mark.parametrize(
    ("contract", "operation"),
    [
        pytest.param(contract, operation, id=f"{contract.version}-{operation.operation_id}")
        for contract, operation in PROMISED
    ],
)


@EACH
def test_a_released_document_is_never_edited(contract: Contract) -> None:
    """Clients rely on it as it was released; its layout and comments may change."""
    assert contract.digest == DIGESTS[contract.version], "restore the document, and make the change in a new version"


class Promise:
    """The parts of an operation in a contract that decide which errors it can have."""

    def __init__(self, contract: Contract, operation: Operation) -> None:
        self.id = operation.operation_id
        node = contract.at(operation.pointer)
        self.responses = {status: contract.resolve(response) for status, response in node["responses"].items()}
        self.parameters = [contract.resolve(parameter) for parameter in node.get("parameters", [])]
        self.body = contract.resolve(node["requestBody"]) if "requestBody" in node else {}
        schemas = [contract.resolve(media_type["schema"]) for media_type in self.body.get("content", {}).values()]
        self.has_batch = any(schema.get("type") == "array" for schema in schemas)
        self.has_key = any("client_" in json.dumps([*schema.get("properties", {})]) for schema in schemas) or any(
            parameter["name"] == "Idempotency-Key" for parameter in self.parameters
        )
        self.has_limits = contract.version != "1.0"
        self.takes_tokens = bool(contract.scopes)
        self.errors = {status for status in self.responses if status >= "400"}


def always(_promise: Promise) -> bool:
    """True: every request can have this problem."""
    return True


def never(_promise: Promise) -> bool:
    """False: only requests that match no operation can have this problem."""
    return False


def with_body(promise: Promise) -> bool:
    """True if requests have a body."""
    return bool(promise.body)


def of_submissions(promise: Promise) -> bool:
    """True if requests submit events or annotations: alone, in batches or as a replay."""
    return promise.id.startswith(("report", REPLAY))


def of_manifests(promise: Promise) -> bool:
    """True if requests submit the hub's capability manifest."""
    return promise.id == PUT_MANIFEST


def with_token(promise: Promise) -> bool:
    """True if requests carry an access token."""
    return promise.takes_tokens


def of_batches(promise: Promise) -> bool:
    """True if requests have several items with a result each."""
    return promise.has_batch or promise.id == REPLAY


RAISED: dict[str, Callable[[Promise], bool]] = {
    "malformed_request": always,
    "malformed_content_coding": lambda promise: "gzip" in promise.body.get("x-content-codings", []),
    "malformed_json": with_body,
    "unauthorized": lambda promise: not promise.takes_tokens,
    "invalid_token": with_token,
    "invalid_dpop_proof": with_token,
    "insufficient_scope": with_token,
    "origin_not_listed": with_token,
    "keys_unavailable": with_token,
    "not_found": lambda promise: any(parameter["in"] == "path" for parameter in promise.parameters),
    "contract_not_found": never,
    "malformed_form": never,
    "client_not_found": never,
    "client_not_installed": never,
    "client_not_built": never,
    "client_impossible": never,
    "documents_expected": never,
    "document_refused": never,
    "documents_incomparable": never,
    "document_outside_profile": never,
    "documents_over_limit": never,
    "too_many_documents": never,
    "too_many_streams": never,
    "tools_busy": never,
    "client_building": never,
    "method_not_allowed": never,
    "not_acceptable": never,
    "head_timeout": always,
    "body_timeout": with_body,
    "idempotency_conflict": lambda promise: promise.has_key,
    "version_retired": never,
    "cut_over": never,  # outside the contract of the version, like its retirement
    "content_too_large": with_body,
    "name_taken": of_manifests,
    "conflicts": of_manifests,
    "schema_narrowed": of_manifests,
    "version_lowered": of_manifests,
    "too_many_items": lambda promise: promise.has_batch,
    "too_many_results": lambda promise: promise.has_batch,
    "batch_key_conflict": lambda promise: promise.has_batch,
    "items_rejected": of_batches,
    "items_unavailable": of_batches,
    "rejection_not_found": lambda promise: promise.id == REPLAY,
    "batch_not_replayed": lambda promise: promise.id == REPLAY,
    "nothing_by_name": lambda promise: (
        promise.id == GET_MANIFEST
        or any(parameter["in"] == "path" or parameter["name"] == "after" for parameter in promise.parameters)
    ),
    "unsupported_media_type": with_body,
    "unsupported_charset": with_body,
    "unsupported_content_coding": with_body,
    "invalid_body": with_body,
    "invalid_parameters": lambda promise: bool(promise.parameters),
    "unstorable_value": with_body,
    "event_type_not_registered": of_submissions,
    "widget_not_registered": of_submissions,
    "event_not_found": of_submissions,
    "too_many_requests": lambda promise: promise.has_limits,
    "head_too_large": always,
    "internal_error": always,
    "unavailable": always,
    "stopping": always,
    "overloaded": with_body,
    "results_not_kept": lambda promise: promise.has_batch,
    "contracts_unavailable": never,
    "migration_unavailable": never,
    "operator_unauthorized": never,
    "too_many_attempts": never,
    "contract_unreadable": never,
}
"""For each problem: which operations can respond with it, for the request or for one of its items."""
CHALLENGES = {
    code: {"www-authenticate"}
    for code in ("unauthorized", "invalid_token", "invalid_dpop_proof", "insufficient_scope", "origin_not_listed")
}
HEADERS = CHALLENGES | {"too_many_requests": {"retry-after"}}
"""The headers that a problem has besides those of its row."""


def scope_of(content_type: str, *fields: tuple[bytes, bytes], size: int = 0) -> Scope:
    """The scope of a request with a body of `size` bytes."""
    headers = [(b"content-type", content_type.encode()), (b"content-length", b"%d" % size), *fields]
    return {"type": "http", "headers": headers}


def problem_of(operation_id: str, content: bytes, content_type: str = "application/json") -> Problem:
    """The Problem that an operation of the newest contract raises for a body."""
    (operation,) = [operation for operation in NEWEST.operations if operation.operation_id == operation_id]
    path = (*operation.pointer, "requestBody", "content", "application/json")
    schemas = Schemas(NEWEST)
    declared = NEWEST.at((*path, "schema"))
    limit = NEWEST.at(path).get("x-body-limit-bytes", LIMIT)
    media_type = MediaType(schemas.compile(*path, "schema"), limit)
    if "items" in declared:
        items = schemas.compile(*path, "schema", "items")
        media_type = MediaType(media_type.schema, limit, items, declared["maxItems"])

    async def receive() -> Message:
        return {"type": "http.request", "body": content}

    async def authorize() -> None:
        pass

    async def read() -> None:
        body = Body({"application/json": media_type}, 20, frozenset({"gzip"}))
        (await body.receive(scope_of(content_type, size=len(content)), receive)).value(authorize)

    with pytest.raises(Problem) as caught:
        asyncio.run(read())
    return caught.value


def of_stream(content: bytes, *fields: tuple[bytes, bytes]) -> Problem:
    """The Problem that ends a stream of lines."""

    async def receive() -> Message:
        return {"type": "http.request", "body": content}

    async def authorize() -> None:
        pass

    async def read() -> None:
        pieces: AsyncIterator[bytes] = Content(
            scope_of("application/x-ndjson", *fields), receive, frozenset({"gzip"})
        ).pieces(10**9, 20)
        async for _ in Lines(pieces, Schema({}), authorize).groups():
            pass

    with pytest.raises(Problem) as caught:
        asyncio.run(read())
    return caught.value


def of_parameter(name: str, value: str) -> Problem:
    """The Problem with a query parameter of the newest contract."""
    declared = next(
        parameter for parameter in NEWEST.document["components"]["parameters"].values() if parameter["name"] == name
    )
    with pytest.raises(Problem) as caught:
        Parameters([declared]).read({"type": "http", "headers": [], "query_string": f"{name}={value}".encode()})
    return caught.value


def late(rate: float = SLOWEST) -> Problem:
    """The Problem if a body arrives too slowly by the default timeout; `rate` is the least, in bytes a second."""
    return Problem("body_timeout", seconds=BODY_SECONDS, rate=int(rate))


def beyond_scope() -> Problem:
    """The Problem if a token lacks the scope that reporting events requires."""
    return Problem("insufficient_scope", scope="events:write")


def unregistered() -> Problem:
    """The Problem if an event type is not registered."""
    return Problem("event_type_not_registered", name="pipeline_started", pointer="/event_type")


MISSING_COMMA = b'{"event_type":"clicked""widget_id":1}'
DEFAULT_POLICY = RatePolicy(Settings.rate_limit, Settings.rate_burst)
SITUATIONS: dict[tuple[str, str], Callable[[], Problem]] = {
    ("BadRequest", "malformed"): lambda: problem_of(CREATE, MISSING_COMMA),
    ("BatchBadRequest", "malformed"): lambda: problem_of("reportInteractionEvents", MISSING_COMMA),
    ("BatchBadRequest", "last"): lambda: of_stream(gzip.compress(b"{}")[:-1], (b"content-encoding", b"gzip")),
    ("Unauthorized", "missing"): bearer.unauthorized,
    ("BatchUnauthorized", "missing"): bearer.unauthorized,
    ("BatchUnauthorized", "revoked"): bearer.unauthorized,
    ("NotFound", "unknown"): lambda: Problem("nothing_by_name"),
    ("RequestTimeout", "slow"): late,
    ("BatchRequestTimeout", "slow"): late,
    ("BatchRequestTimeout", "last"): lambda: late(PIECE_BYTES / BODY_SECONDS),
    ("Conflict", "key"): lambda: Problem("idempotency_conflict", name="the Idempotency-Key", key="Idempotency-Key"),
    ("ContentTooLarge", "large"): lambda: problem_of(CREATE, b" " * 70_000),
    ("BatchContentTooLarge", "large"): lambda: problem_of("reportInteractionEvents", b"x" * 5_000_000),
    ("BatchContentTooLarge", "last"): lambda: of_stream(b"1" * (LINE_BYTES + 1 + DISCARDED_BYTES + 1)),
    ("UnsupportedMediaType", "text"): lambda: problem_of(CREATE, b"text", "text/plain"),
    ("UnprocessableEntity", "unregistered"): unregistered,
    ("UnprocessableEntity", "unknown_widget"): lambda: Problem(
        "widget_not_registered", id="5b0e3c9a-6a57-4d0b-8f6f-2b7a1c0d9e99", pointer="/widget_id"
    ),
    ("UnprocessableEntity", "fields"): lambda: problem_of(
        CREATE, b'{"widget_id": "5b0e3c9a-6a57-4d0b-8f6f-2b7a1c0d9e11", "event_type": "clicked", "ocurred_at": "now"}'
    ),
    ("BatchUnprocessableEntity", "results"): unregistered,
    ("ReplayUnprocessableEntity", "fields"): lambda: problem_of(REPLAY, b'{"limit": "x"}'),
    ("InvalidParameters", "limit"): lambda: of_parameter("limit", "x"),
    ("TooManyRequests", "rate"): lambda: refused(DEFAULT_POLICY, Quota(False, 0, 10, 1)),
    ("HeaderFieldsTooLarge", "large"): lambda: Problem(
        "head_too_large", bytes=connection.MAX_HEAD_BYTES, fields=connection.MAX_FIELDS
    ),
    ("InternalServerError", "fault"): lambda: Problem("internal_error"),
    ("ServiceUnavailable", "away"): lambda: Problem("unavailable"),
    ("BatchServiceUnavailable", "away"): lambda: Problem("unavailable"),
    ("ReplayServiceUnavailable", "away"): lambda: Problem("unavailable"),
    ("listRejectedSubmissions 200", "page"): unregistered,
    ("getRejectedSubmission 200", "found"): unregistered,
}
"""By the component of a response (or function and status, of an inline response) and the name of an example."""
OF_TOKENS: dict[tuple[str, str], Callable[[], Problem]] = {
    ("Unauthorized", "missing"): lambda: Problem("invalid_token", why=""),
    ("BatchUnauthorized", "missing"): lambda: Problem("invalid_token", why=""),
    ("BatchUnauthorized", "revoked"): lambda: Problem("invalid_token", why=""),
    ("Forbidden", "scope"): beyond_scope,
    ("BatchForbidden", "scope"): beyond_scope,
    ("BatchForbidden", "last"): beyond_scope,
}
"""The same, for contracts that take access tokens."""
OF_BATCHES = {
    ("BatchUnprocessableEntity", "results"): Problem(
        "items_rejected", rejected=1, received=2, others="the others are stored", again="only these"
    )
}
"""The problem of a batch, in addition to those of its items, where errors are problem details."""


def situations(contract: Contract) -> dict[tuple[str, str], Callable[[], Problem]]:
    """The situations of `contract`."""
    return SITUATIONS | OF_TOKENS if contract.scopes else SITUATIONS


def errors_in(value: Any) -> Iterator[dict[str, Any]]:
    """The errors in `value`, at any depth, in either style."""
    if isinstance(value, dict):
        if "error" in value:
            yield {name: value[name] for name in ("error", "help") if name in value}
        elif "title" in value:
            yield {name: member for name, member in value.items() if name not in ("results", "totals")}
        for inner in value.values():
            yield from errors_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from errors_in(inner)


def parsed(media_type: str, example: Any) -> Any:
    """The values of an example: of NDJSON those of its lines."""
    return [json.loads(line) for line in example.splitlines()] if media_type == NDJSON else example


def examples_of_errors(contract: Contract) -> Iterator[tuple[tuple[str, str], str, list[dict[str, Any]]]]:
    """For each example of a response with errors: its key in SITUATIONS, its status, and the errors."""
    for operation in contract.operations:
        for status, response in contract.at(operation.pointer)["responses"].items():
            function = operation.operation_id.rpartition(".")[2]
            component = response["$ref"].rpartition("/")[2] if "$ref" in response else f"{function} {status}"
            for media_type, content in contract.resolve(response)["content"].items():
                for name, example in content["examples"].items():
                    if errors := [*errors_in(parsed(media_type, example["value"]))]:
                        yield (component, name), status, errors


def in_both_styles(problem: Problem) -> list[dict[str, Any]]:
    """A problem in both styles: both versions show a stored problem in the style of version 1."""
    return [style.body(problem) for style in (ERROR_OBJECTS, ProblemDetails(URL))]


@EACH
def test_each_document_keeps_the_house_rules(contract: Contract) -> None:
    """No document of this release breaks a rule."""
    assert lint(contract, OPERATIONS) == []


def test_each_document_is_named_by_its_version() -> None:
    """The file name of a contract contains its version."""
    names = {path.name for path in DOCUMENTS.iterdir()}
    assert names == {f"interaction-reporting-{version}.yaml" for version in CONTRACTS}


def test_each_problem_has_its_operations_in_this_module() -> None:
    """A new problem in the table needs its operations here."""
    assert RAISED.keys() == problems.TABLE.keys()


@EACH_OPERATION
def test_exactly_the_errors_that_can_happen_are_documented(contract: Contract, operation: Operation) -> None:
    """The responses of an operation list each error status that it can have, and no other."""
    promise = Promise(contract, operation)
    raised = {str(problems.TABLE[code].status) for code, is_raised in RAISED.items() if is_raised(promise)}
    assert promise.errors == raised


@EACH_OPERATION
def test_each_header_of_a_problem_is_documented(contract: Contract, operation: Operation) -> None:
    """The response of a problem requires the headers of the problem, except HTTP's own housekeeping."""
    promise = Promise(contract, operation)
    for code, is_raised in RAISED.items():
        if is_raised(promise):
            kind = problems.TABLE[code]
            sent = {name.decode() for name, _ in kind.headers} | HEADERS.get(code, set())
            headers = promise.responses[str(kind.status)]["headers"]
            required = {name.lower() for name, header in headers.items() if contract.resolve(header).get("required")}
            assert sent - HOUSEKEEPING <= required, code


@EACH_OPERATION
def test_every_response_that_reports_a_rate_limit_documents_it(contract: Contract, operation: Operation) -> None:
    """With limits: every response except 401 and 403 documents the headers. Without limits: no response does."""
    promise = Promise(contract, operation)
    for status, response in promise.responses.items():
        has_headers = promise.has_limits and status not in ("401", "403")
        assert ({"RateLimit", "RateLimit-Policy"} <= response["headers"].keys()) is has_headers, status


def test_each_documented_example_has_its_situation() -> None:
    """Each example of an error has an entry in SITUATIONS or OF_TOKENS, which produces its Problem."""
    documented = {key for contract in CONTRACTS.values() for key, _, _ in examples_of_errors(contract)}
    assert documented == SITUATIONS.keys() | OF_TOKENS.keys()


@EACH
@pytest.mark.parametrize("situation", SITUATIONS | OF_TOKENS, ids="-".join)
def test_each_example_of_an_error_repeats_the_service(contract: Contract, situation: tuple[str, str]) -> None:
    """An example has exactly the texts of the response in its situation, in each document that has it."""
    if situation in situations(contract):
        problem = situations(contract)[situation]()
        expected = in_both_styles(problem) + (in_both_styles(OF_BATCHES[situation]) if situation in OF_BATCHES else [])
        for key, status, errors in examples_of_errors(contract):
            if key == situation:
                assert all(error in expected for error in errors), errors
                assert status in (str(problem.status), "200")


@EACH
def test_each_answer_with_an_error_is_in_the_style_of_its_contract(contract: Contract) -> None:
    """Problem details in version 2, the former errors in version 1; a stored rejection is not a response."""
    style = style_of(contract, URL)
    assert isinstance(style, ProblemDetails if contract is MAJOR else ErrorObjects)
    for (component, name), status, errors in examples_of_errors(contract):
        if status >= "400":
            assert all(("type" in error) is (contract is MAJOR) for error in errors), (component, name)


@EACH
def test_an_example_has_one_status(contract: Contract) -> None:
    """Every reference to a response component has the same status."""
    statuses: dict[str, set[str]] = {}
    for (component, _), status, _ in examples_of_errors(contract):
        statuses.setdefault(component, set()).add(status)
    assert all(len(values) == 1 for values in statuses.values())


@EACH
def test_the_examples_of_headers_are_what_the_service_sends(contract: Contract) -> None:
    """The challenge and the time to wait are those of the service."""
    headers = contract.document["components"]["headers"]
    parameters = {"resource_metadata": metadata(URL)} if contract.scopes else {}
    assert Unauthenticated().challenge(**parameters) == [
        (b"www-authenticate", headers["Challenge"]["example"].encode())
    ]
    assert (b"retry-after", str(headers["RetryAfter"]["example"]).encode()) == problems.RETRY


def metadata(origin: str) -> str:
    """The URL of the protected resource metadata of version 2."""
    return f"{origin}{server_metadata.PROTECTED_RESOURCE}{MAJOR.server_path}"


@pytest.mark.parametrize(
    "parameters",
    [
        {
            "error": "insufficient_scope",
            "description": "the token lacks a scope",
            "scope": "annotations:write events:write rejections:read",
        },
        {
            "error": "invalid_token",
            "description": "it is bound to a key: send it with the scheme DPoP, and a proof",
            "algs": DPOP_ALGORITHMS,
        },
    ],
    ids=lambda parameters: parameters["error"],
)
def test_a_challenge_is_as_short_as_is_documented(parameters: dict[str, str]) -> None:
    """Even with the longest URL of the service."""
    schema = Schema(MAJOR.document["components"]["headers"]["Challenge"]["schema"])
    unauthenticated = Unauthenticated(parameters.pop("error"), parameters.pop("description"), DPOP)
    ((_, value),) = unauthenticated.challenge(**parameters, resource_metadata=metadata("x" * LONGEST_URL))
    assert schema.is_valid(value.decode())


def test_the_examples_of_limits_are_what_the_service_sends(tmp_path: Path) -> None:
    """They are the headers after a hub's first request, under the default policy."""
    headers = NEWEST.document["components"]["headers"]
    RateLimits.create(tmp_path / "limits")
    with RateLimits(tmp_path / "limits") as limits:
        bucket = Bucket(limits, UUID(int=1), DEFAULT_POLICY)
        bucket.take(1)
    assert bucket.headers() == (
        (b"ratelimit-policy", headers["RateLimitPolicy"]["example"].encode()),
        (b"ratelimit", headers["RateLimit"]["example"].encode()),
    )


@pytest.mark.parametrize(
    ("identifier", "expected"), [("a", True), ("A-z_0.9", True), ("x" * 128, True), ("x" * 129, False), ("a b", False)]
)
@EACH
def test_the_documented_request_id_is_the_one_that_is_accepted(
    contract: Contract, identifier: str, expected: bool
) -> None:
    """The service accepts an X-Request-Id exactly if it satisfies the documented schema."""
    schema = Schema(contract.document["components"]["headers"]["RequestId"]["schema"])
    scope = {"type": "http", "headers": [(b"x-request-id", identifier.encode())]}
    assert schema.is_valid(identifier) is expected
    assert (access_log.request_id(scope) == identifier.encode()) is expected


@EACH
def test_the_documented_limits_are_those_of_the_service(contract: Contract) -> None:
    """The sizes and depths in the description are those that the reader of bodies enforces."""
    operation = contract.document["paths"]["/interaction-events"]["post"]
    description = " ".join(operation["description"].split())
    assert operation["requestBody"]["x-body-limit-bytes"] == DEFAULT_BODY_BYTES == LIMIT
    assert f"at most {LIMIT:,} bytes ({LIMIT // 1024} KiB)" in description
    assert f"nested at most {ijson.MAX_DEPTH} levels deep" in description
    assert f"a number has at most {ijson.MAX_EXPANDED_CHARACTERS} characters once it is written" in description
    assert f"or at most {ijson.MAX_CHARACTERS:,} if it is sent without one" in description


@pytest.mark.parametrize("path", ["/interaction-events/batch", "/annotations/batch"])
def test_the_documented_limits_of_batches_are_those_of_the_service(path: str) -> None:
    """The numbers, sizes and times in the description are those that the reader of batches enforces."""
    operation = NEWEST.document["paths"][path]["post"]
    description = " ".join(operation["description"].split())
    array, lines = operation["requestBody"]["content"].values()
    name = "events" if "events" in path else "annotations"
    mebibytes = array["x-body-limit-bytes"] // 2**20
    assert f"at most {array['schema']['maxItems']:,} {name} and {mebibytes} MiB" in description
    assert f"at most {LINE_BYTES:,} bytes each" in description
    assert lines["x-body-limit-bytes"] == 4 * 2**30 <= MAX_STREAM_BYTES
    assert "any number of lines up to 4 GiB" in description
    progress = f"At least {PIECE_BYTES // 1024} KiB of such a stream must arrive in every {BODY_SECONDS} seconds"
    assert progress in description


def differences(old: Any, new: Any, where: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Paths of removed or changed members of `old`, and of members added to a schema outside its properties."""
    if where[-1:] in (("description",), ("summary",), ("example",), ("version",)) or "examples" in where:
        return []
    if not isinstance(old, dict) or not isinstance(new, dict):
        return [] if old == new else [where]
    is_schema = "schemas" in where and where[-1] not in ("schemas", "properties")
    paths = [(*where, name) for name in (old.keys() - new.keys()) | ((new.keys() - old.keys()) if is_schema else set())]
    return paths + [
        path for name in old.keys() & new.keys() for path in differences(old[name], new[name], (*where, name))
    ]


def test_the_newest_document_only_adds_to_the_oldest() -> None:
    """Nothing that 1.0 promises is removed or changed; only the list of tags grew."""
    assert differences(OLDEST.document, NEWEST.document) == [("tags",)]
    assert NEWEST.document["tags"][: len(OLDEST.document["tags"])] == OLDEST.document["tags"]


REPLACED = ("ErrorAnswer", "AuthenticationError", "BatchAnswerOrError", "ReplayAnswerOrError")
RESHAPED = ("BatchLine", "ItemResult", "ReplayResult")


def test_version_2_changes_only_authentication_and_errors() -> None:
    """Operations, requests and successful responses stay the same; only a batch's rejected items have another shape."""
    assert differences(NEWEST.document["paths"], MAJOR.document["paths"]) == []
    assert [operation.operation_id for operation in MAJOR.operations] == [
        operation.operation_id for operation in NEWEST.operations
    ]
    old, new = NEWEST.document["components"], MAJOR.document["components"]
    for section in ("parameters", "headers", "links"):
        assert differences(old[section], new[section]) == []
        assert old[section].keys() == new[section].keys()
    names = {
        name
        for section in ("schemas", "x-item-schemas")
        for _, name, *_ in differences({"schemas": old[section]}, {"schemas": new[section]})
    }
    assert names == {*REPLACED, *RESHAPED}


@pytest.mark.parametrize("operation", MAJOR.operations, ids=lambda operation: operation.operation_id)
def test_the_scopes_of_an_operation_fit_what_it_does(operation: Operation) -> None:
    """A writing operation needs the write scope of each kind that it stores; a reading one, the scope of its kind."""
    ((scheme, scopes),) = MAJOR.at(operation.pointer)["security"][0].items()
    assert (scheme, len(MAJOR.at(operation.pointer)["security"])) == ("oauth2", 1)
    kinds = {
        "interaction-events": {"events"},
        "annotations": {"annotations"},
        "hub-capability-manifest": {"manifest"},
        "rejected-submissions": {"rejections"} | ({"events", "annotations"} if operation.method == "post" else set()),
        "usage": {"usage"},
    }
    kind = operation.path.split("/")[1]
    assert {scope.partition(":")[0] for scope in scopes} == kinds.get(kind, {"events"})
    assert any(scope.endswith(":write") for scope in scopes) is (
        operation.method in ("post", "put") or kind in ("hub-capability-manifest", "event-types", "widgets")
    )


def test_problems_of_batches_and_replays_extend_the_same_problem() -> None:
    """They add the two members of their successful responses."""
    schemas = MAJOR.document["components"]["schemas"]
    problem = schemas["Problem"]
    for name, answer in (("BatchProblem", "BatchAnswer"), ("ReplayProblem", "ReplayAnswer")):
        members = schemas[name]["properties"]
        assert {**problem["properties"], **schemas[answer]["properties"]} == members
        assert schemas[name]["required"] == problem["required"]
