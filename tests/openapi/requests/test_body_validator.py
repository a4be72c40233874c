"""The JSON bodies that an operation accepts, judged without serving its contract."""

import json
from typing import Any

import pytest

from openapi.contract import Contract, ContractError
from openapi.requests.body_validator import BodyValidator

NAME = "handlers.things.create"
ITEM = {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer", "nullable": True}}}
JSON = "application/json"


def contract(content: Any) -> Contract:
    """A contract with one operation that takes `content`, by media type, of at most 20 bytes."""
    body = {"required": True, "x-body-limit-bytes": 20, "content": content}
    operation = {"operationId": NAME, "requestBody": {"$ref": "#/components/requestBodies/Thing"}, "responses": {}}
    document = {
        "openapi": "3.0.3",
        "info": {"title": "Things", "version": "1.0"},
        "components": {"requestBodies": {"Thing": body}},
        "paths": {"/things": {"post": operation}},
    }
    return Contract.read(json.dumps(document))


def validator(schema: Any = ITEM, media_type: str = JSON, name: str = NAME) -> BodyValidator:
    """The validator of the operation `name` in a contract with `schema` for bodies of `media_type`."""
    return BodyValidator(contract({media_type: {"schema": schema}}), name)


@pytest.mark.parametrize("media_type", [JSON, "Application/JSON"])
@pytest.mark.parametrize(
    ("value", "pointer"),
    [({"a": 1}, None), ({"a": None}, None), ({"a": "x"}, "/a"), ({}, "/a"), ([], "")],
    ids=["right", "null", "wrong", "missing", "no object"],
)
def test_a_body_is_judged_by_the_contract(media_type: str, value: Any, pointer: str | None) -> None:
    """A value and its bytes have the same problem, with the pointer of the fault."""
    body_validator = validator(media_type=media_type)
    assert body_validator.is_valid(value) is (pointer is None)
    problems = body_validator.problem(value), body_validator.problem_of(json.dumps(value).encode())
    assert [(problem.code, problem.pointer) if problem else None for problem in problems] == [
        None if pointer is None else ("invalid_body", pointer)
    ] * 2


@pytest.mark.parametrize(
    ("content", "code"),
    [
        pytest.param(b'{"a": 1', "malformed_json", id="no JSON"),
        pytest.param(b"", "malformed_json", id="nothing"),
        pytest.param(b"[" * 20, "malformed_json", id="deep"),
        pytest.param(b'{"a": 1}' + b" " * 12, None, id="as large as may be"),
        pytest.param(b'{"a": 1}' + b" " * 13, "content_too_large", id="too large"),
        pytest.param(b'{"b": "\\u0000"}', "unstorable_value", id="unstorable"),
    ],
)
def test_bytes_are_judged_as_the_service_judges_them(content: bytes, code: str | None) -> None:
    """Bytes that are no JSON, too large or unstorable have the problem that a client would receive."""
    problem = validator().problem_of(content)
    assert (problem and problem.code) == code


@pytest.mark.parametrize(
    ("absent", "code"),
    [
        pytest.param(validator(name="handlers.things.replace"), "not_found", id="no operation"),
        pytest.param(validator(media_type="application/x-ndjson"), "unsupported_media_type", id="no JSON"),
    ],
)
def test_an_absent_operation_or_media_type_accepts_nothing(absent: BodyValidator, code: str) -> None:
    """With the problem that a client would receive: not found, or unsupported media type."""
    assert not absent.is_valid({"a": 1})
    problems = absent.problem({"a": 1}), absent.problem_of(b'{"a": 1}')
    assert [problem and problem.code for problem in problems] == [code] * 2


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param({JSON: {"schema": {"type": "thing"}}}, "is not valid under any of the schemas", id="no schema"),
        pytest.param({JSON: {"schema": {"type": "string", "pattern": "("}}}, "pattern", id="no pattern"),
        pytest.param({JSON: {}}, "has no schema", id="without a schema"),
        pytest.param({JSON: {"schema": {"type": "array", "maxItems": 2, "items": ITEM}}}, "a batch", id="a batch"),
        pytest.param([JSON], "is no index", id="a list"),
        pytest.param(7, "'int' object", id="a number"),
    ],
)
def test_an_unusable_contract_is_refused(content: Any, words: str) -> None:
    """For any content of a document, the error names the operation and the reason."""
    with pytest.raises(ContractError, match=rf"{NAME} of contract 1\.0 cannot be judged: .*") as refused:
        BodyValidator(contract(content), NAME)
    assert words in str(refused.value)
