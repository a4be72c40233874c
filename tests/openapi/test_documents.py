"""The documents of this release: sound by the house rules, complete, and in the words of the service."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from starlette.types import Message

from openapi import access_log, body, connection, problems, rfc6750, rfc7493
from openapi.app import Surroundings
from openapi.body import Body
from openapi.contract import DOCUMENTS, Contract, published
from openapi.lint import lint
from openapi.problems import Problem
from openapi.validation import Schema, Schemas

FIRST = next(published())
OPERATION = FIRST.document["paths"]["/interaction-events"]["post"]
REQUEST = ("paths", "/interaction-events", "post", "requestBody")
OF_OPERATIONS = [code for code in problems.TABLE if code not in ("not_found", "method_not_allowed")]
LIMIT = OPERATION["requestBody"]["x-body-limit-bytes"]


async def refuse(_key: str, _resources: Any) -> None:
    """No key is that of anybody."""


def of_body(content: bytes, media_type: bytes = b"application/json") -> Problem:
    """The Problem that an operation of the first contract has with a body."""
    schema: Schema = Schemas(FIRST).compile(*REQUEST, "content", "application/json", "schema")
    reader = Body({"application/json": schema}, LIMIT, 20)
    headers = [(b"content-type", media_type), (b"content-length", str(len(content)).encode())]

    async def receive() -> Message:
        return {"type": "http.request", "body": content}

    with pytest.raises(Problem) as caught:
        asyncio.run(reader.read({"type": "http", "headers": headers}, receive))
    return caught.value


SITUATIONS: dict[tuple[str, str], Callable[[], Problem]] = {
    ("400", "malformed"): lambda: of_body(b'{"event_type":"clicked""widget_id":1}'),
    ("401", "missing"): rfc6750.unauthorized,
    ("408", "slow"): lambda: Problem("body_timeout", seconds=Surroundings(refuse).body_timeout),
    ("413", "large"): lambda: of_body(b" " * 70_000),
    ("415", "text"): lambda: of_body(b"text", b"text/plain"),
    ("422", "unregistered"): lambda: Problem("event_type_not_registered", name="pipeline_started"),
    ("422", "unknown_widget"): lambda: Problem("widget_not_registered", id="5b0e3c9a-6a57-4d0b-8f6f-2b7a1c0d9e99"),
    ("422", "fields"): lambda: of_body(
        b'{"widget_id": "5b0e3c9a-6a57-4d0b-8f6f-2b7a1c0d9e11", "event_type": "clicked", "ocurred_at": "now"}'
    ),
    ("431", "large"): lambda: Problem("head_too_large", bytes=connection.MAX_HEAD_BYTES, fields=connection.MAX_FIELDS),
    ("500", "fault"): lambda: Problem("internal_error"),
    ("503", "away"): lambda: Problem("unavailable"),
}


def documented_examples() -> dict[tuple[str, str], Any]:
    """The examples of every error of the first contract, by status and name."""
    return {
        (status, name): example["value"]
        for status, response in OPERATION["responses"].items()
        if status >= "400"
        for name, example in FIRST.resolve(response)["content"]["application/json"]["examples"].items()
    }


@pytest.mark.parametrize("contract", list(published()), ids=lambda contract: contract.version)
def test_each_document_keeps_the_house_rules(contract: Contract) -> None:
    """No document of this release breaks a rule."""
    assert lint(contract) == []


def test_each_document_is_named_by_its_version() -> None:
    """The file of a contract says which version it holds."""
    names = {path.name for path in DOCUMENTS.iterdir()}
    assert names == {f"interaction-reporting-{contract.version}.yaml" for contract in published()}


@pytest.mark.parametrize("code", OF_OPERATIONS)
def test_the_status_of_each_problem_is_documented(code: str) -> None:
    """Whatever an operation can be answered with stands in its responses."""
    status = str(problems.TABLE[code].status)
    assert status in OPERATION["responses"], f"add {status} to the responses, or {code} to what no operation gives"


def test_each_documented_error_can_happen() -> None:
    """No status is documented that no problem has."""
    statuses = {str(problems.TABLE[code].status) for code in OF_OPERATIONS}
    assert OPERATION["responses"].keys() - {"201"} == statuses


def test_each_documented_example_has_its_situation() -> None:
    """An example that is new in the document needs its situation in this module."""
    assert documented_examples().keys() == SITUATIONS.keys()


@pytest.mark.parametrize(("status", "name"), SITUATIONS)
def test_each_example_of_an_error_is_what_the_service_says(status: str, name: str) -> None:
    """The words of an example are exactly those of the answer in that situation."""
    problem = SITUATIONS[status, name]()
    assert (str(problem.status), problem.body()) == (status, documented_examples()[status, name])


@pytest.mark.parametrize("code", OF_OPERATIONS)
def test_each_header_of_a_problem_is_documented(code: str) -> None:
    """Headers of a problem that are not HTTP's own housekeeping stand in its response."""
    kind = problems.TABLE[code]
    documented = {name.lower() for name in FIRST.resolve(OPERATION["responses"][str(kind.status)])["headers"]}
    assert {name.decode() for name, _ in kind.headers} - {"connection", "accept-encoding"} <= documented


def test_the_examples_of_headers_are_what_the_service_sends() -> None:
    """The challenge and the time to wait are those of the service."""
    headers = FIRST.document["components"]["headers"]
    assert rfc6750.unauthorized().headers == [(b"www-authenticate", headers["Challenge"]["example"].encode())]
    assert (b"retry-after", str(headers["RetryAfter"]["example"]).encode()) == problems.RETRY


@pytest.mark.parametrize(
    ("identifier", "expected"), [("a", True), ("A-z_0.9", True), ("x" * 128, True), ("x" * 129, False), ("a b", False)]
)
def test_the_documented_request_id_is_the_one_that_is_accepted(identifier: str, expected: bool) -> None:
    """What the document says of X-Request-Id is what the service goes by."""
    schema = Schema(FIRST.document["components"]["headers"]["RequestId"]["schema"])
    scope = {"type": "http", "headers": [(b"x-request-id", identifier.encode())]}
    assert schema.is_valid(identifier) is expected
    assert (access_log.request_id(scope) == identifier.encode()) is expected


def test_the_documented_limits_are_those_of_the_service() -> None:
    """Sizes and depths in the description are those that bodies are read with."""
    description = " ".join(OPERATION["description"].split())
    assert f"at most {LIMIT:,} bytes ({LIMIT // 1024} KiB)" in description
    assert f"nested at most {rfc7493.MAX_DEPTH} levels deep" in description
    assert f"an integer has at most {rfc7493.MAX_INTEGER_DIGITS} digits" in description
    assert LIMIT == body.DEFAULT_LIMIT
