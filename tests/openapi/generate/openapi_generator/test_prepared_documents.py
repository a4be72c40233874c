"""The copy of a document that OpenAPI Generator reads: nothing in it runs, and nothing of the interface is missing."""

import copy
import json
import re
from typing import Any

import pytest

from openapi.contract import ContractError, Document, published
from openapi.generate.openapi_generator.harmless_texts import is_plain, one_line, paragraphs
from openapi.generate.openapi_generator.prepared_documents import prepare
from tests.openapi.generate.hostile import NAMES, TEXTS

PUBLISHED = {contract.version: contract for contract in published()}
DANGERS = re.compile(r"""\*/|/\*|["'`\\$<>]|\#\{|\{\{|=begin|=end|[\x00-\x09\x0b-\x1f\u2028\u202e\ud800]""")
FILE = {"type": "string", "format": "binary"}
DOCUMENT: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "An API", "version": "1.0", "license": {"name": "*/"}},
    "servers": [{"url": "https://reports.example/api/v1"}],
    "paths": {
        "/things/{id}": {
            "get": {
                "operationId": "getThing",
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
                "responses": {"200": {"description": "It.", "content": {"application/json": {"schema": {}}}}},
            }
        }
    },
    "components": {
        "schemas": {"Thing": {"type": "object", "properties": {"pattern": {"type": "string", "pattern": "^'$"}}}}
    },
}


def prepared(document: dict[str, Any]) -> dict[str, Any]:
    """The prepared copy of a document."""
    result: dict[str, Any] = json.loads(prepare(Document.read(json.dumps(document))).content)
    return result


def with_member(value: Any, *place: str) -> dict[str, Any]:
    """The document above, with another value at a place."""
    document = copy.deepcopy(DOCUMENT)
    node = document
    for name in place[:-1]:
        node = node.setdefault(name, {})
    node[place[-1]] = value
    return document


def media_types(node: Any) -> list[dict[str, Any]]:
    """Every object with media types in a prepared document."""
    if isinstance(node, list):
        return [found for inner in node for found in media_types(inner)]
    if not isinstance(node, dict):
        return []
    own = [node["content"]] if any("/" in name for name in node.get("content", ())) else []
    return own + [found for inner in node.values() for found in media_types(inner)]


@pytest.mark.parametrize("text", [*TEXTS, "a */*/ b", "#{exit}", "{{x}}", "\n=end\nexit\n=begin", "/*", "\\u002a/"])
def test_a_text_ends_nothing(text: str) -> None:
    """Neither in lines nor in one."""
    assert not DANGERS.search(paragraphs(text))
    assert not DANGERS.search(one_line(text))
    assert "\n" not in one_line(text)


def test_a_text_reads_as_before() -> None:
    """Paragraphs and items stay apart, and signs look alike."""
    text = "Sends `it`.\n\nSee <b>:\n- one\n- a\\b"
    assert paragraphs(text) == "Sends \u2019it\u2019.\n\nSee \u2039b\u203a:\n- one\n- a\uff3cb"


@pytest.mark.parametrize("name", [name for name in NAMES if DANGERS.search(name) or "\n" in name or "#" in name])
def test_a_dangerous_name_is_not_plain(name: str) -> None:
    """A name is never changed, because it goes over the wire."""
    assert not is_plain(name)


@pytest.mark.parametrize("name", ["größe", "a-b", "/things/{id}", "application/x-ndjson", "https://[::1]:80/v1", "a b"])
def test_a_usual_name_is_plain(name: str) -> None:
    """So are paths, media types and URLs."""
    assert is_plain(name)


@pytest.mark.parametrize("name", ["https://a//b", "//b", "a/*", "*/"])
def test_slashes_begin_no_comment(name: str) -> None:
    """Two of them are plain after a scheme alone."""
    assert not is_plain(name)


@pytest.mark.parametrize("version", PUBLISHED)
def test_the_documents_keep_their_interface(version: str) -> None:
    """Paths, operations, properties and references; nothing that runs is left, and no links, examples or extensions."""
    contract = PUBLISHED[version]
    made = prepare(contract)
    document = json.loads(made.content)
    assert made.operations == tuple(operation.operation_id for operation in contract.operations)
    assert [operation.pointer for operation in Document.read(made.content.decode()).operations] == [
        operation.pointer for operation in contract.operations
    ]
    for name, schema in contract.document["components"]["schemas"].items():
        kept = document["components"]["schemas"][name]
        assert kept.get("properties", {}).keys() == schema.get("properties", {}).keys()
        assert kept.get("required") == schema.get("required")
        assert kept.get("enum") == schema.get("enum")
    text = made.content.decode()
    assert not re.search(r'"(?:links|example|examples|pattern|x-(?!enum-varnames)[a-z-]+)":', text)
    assert not re.search(r"\*/(?!\*)|/\*|`|<|\$(?!ref)", text)


@pytest.mark.parametrize("version", PUBLISHED)
def test_a_body_has_one_kind(version: str) -> None:
    """JSON where it may be JSON, else a file."""
    contents = media_types(json.loads(prepare(PUBLISHED[version]).content))
    assert contents
    for content in contents:
        if not all("json" in name and "ndjson" not in name for name in content):
            assert [each["schema"] for each in content.values()] == [FILE] * len(content)


def test_each_file_begins_with_the_first_paragraph() -> None:
    """The description of an API is long, and generators repeat it in each file."""
    info = {"title": "An\nAPI", "version": "1.0", "description": "One\nline.\n\nMore.", "contact": {"name": '"'}}
    expected = {"title": "An API", "version": "1.0", "description": "One line.", "license": {"name": "No license"}}
    assert prepared(with_member(info, "info"))["info"] == expected
    licensed = prepared(with_member(info | {"license": {"name": "MIT*/"}}, "info"))
    assert licensed["info"]["license"] == {"name": "MIT* /"}


def test_names_of_keywords_are_names() -> None:
    """A property that is called like a keyword stays; its pattern goes."""
    assert prepared(DOCUMENT)["components"]["schemas"]["Thing"]["properties"] == {"pattern": {"type": "string"}}


def test_lines_of_json_are_a_file_in_an_old_document() -> None:
    """A client that read one line would lose the others."""
    place = ("paths", "/things/{id}", "get", "responses", "200", "content")
    lines = with_member({"application/x-ndjson": {"schema": {"type": "object"}}}, *place)
    (content,) = media_types(prepared(lines))
    assert content == {"application/x-ndjson": {"schema": FILE}}
    both = with_member({"application/x-ndjson": {}, "application/json": {"schema": {"type": "object"}}}, *place)
    assert media_types(prepared(both)) == [{"application/json": {"schema": {"type": "object"}}}]


@pytest.mark.parametrize(
    "place",
    [
        ("components", "schemas", "Thing", "enum"),
        ("components", "schemas", "Thing", "required"),
        ("components", "schemas", "Thing", "x-enum-varnames"),
    ],
)
@pytest.mark.parametrize("value", ['a"b', "it's", "\\", "*/", "#{x}", "a\nb", "${x}", "`"])
def test_a_value_that_could_be_code_is_refused(place: tuple[str, ...], value: str) -> None:
    """With its place: changed it would mean something else."""
    with pytest.raises(ContractError, match=f"^/{'/'.join(place)}/0: .* end a string or a comment"):
        prepare(Document.read(json.dumps(with_member([value], *place))))


@pytest.mark.parametrize(
    "place",
    [
        ("paths", '/"/*'),
        ("components", "schemas", 'x"'),
        ("components", "schemas", "Thing", "properties", "x'"),
        ("components", "schemas", "Thing", "it's"),
        ("components", "responses", "x", "content", 'a/"b"'),
        ("components", "securitySchemes", "x", "flows", "clientCredentials", "scopes", "a'b"),
    ],
)
def test_a_name_that_could_be_code_is_refused(place: tuple[str, ...]) -> None:
    """Wherever it stands."""
    with pytest.raises(ContractError, match="end a string or a comment"):
        prepare(Document.read(json.dumps(with_member({}, *place))))


def test_a_reference_stays_in_the_document() -> None:
    """A generator would read another file, or ask another host."""
    place = ("components", "schemas", "Thing", "properties", "other")
    with pytest.raises(ContractError, match="/other: a reference leads out of the document"):
        prepare(Document.read(json.dumps(with_member({"$ref": "file:///etc/passwd"}, *place))))


def test_an_operation_has_a_name() -> None:
    """Generators would invent one."""
    place = ("paths", "/things/{id}", "get", "operationId")
    with pytest.raises(ContractError, match=r"/paths/~1things~1\{id\}/get: it has no operationId"):
        prepare(Document.read(json.dumps(with_member("", *place))))


def test_what_is_no_document_is_refused() -> None:
    """As a fault of the document, not of the service."""
    with pytest.raises(ContractError, match="no valid OpenAPI"):
        prepare(Document.read(json.dumps({"info": {"title": "x"}, "paths": {}})))
