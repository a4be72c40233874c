"""Documents of OpenAPI 3.1, compared with each other and with 3.0."""

from typing import Any

import pytest

from openapi.contract import ContractError, Document
from openapi.diff.comparison.changes import Change
from openapi.diff.comparison.compare import compare
from openapi.diff.sentences import sentence
from tests.openapi.diff.documents import with_body

TEXT: dict[str, Any] = {"type": "string"}


def in_3_0(schema: Any, **components: Any) -> Document:
    """A document of 3.0 with a body that satisfies `schema`."""
    return Document("", {**with_body(schema).document, "components": {"schemas": components}})


def in_3_1(schema: Any, members: dict[str, Any] | None = None, **components: Any) -> Document:
    """A document of 3.1 with a body that satisfies `schema`, and with other `members`."""
    return Document("", {**in_3_0(schema, **components).document, "openapi": "3.1.0", **(members or {})})


def told(old: Document, new: Document) -> list[tuple[str, str, bool]]:
    """The rule and the end of the pointer of each change, and whether it is a break."""
    return [(change.rule, change.pointer.rpartition("schema")[2], change.is_break) for change in compare(old, new)]


def the(old: Document, new: Document) -> Change:
    """The only change."""
    [change] = compare(old, new)
    return change


@pytest.mark.parametrize("version", ["3.0.0", "3.0.4", "3.1", "3.1.0", "3.1.1"])
def test_these_versions_are_compared(version: str) -> None:
    """With themselves, and with another one."""
    document = Document("", {**with_body(TEXT).document, "openapi": version})
    assert compare(document, with_body(TEXT)) == compare(with_body(TEXT), document) == []


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({"openapi": "3.2.0"}, "the new document is OpenAPI 3.2.0; OpenAPI 3.0 and 3.1 are compared"),
        ({"openapi": "3.10.0"}, "the new document is OpenAPI 3.10.0; OpenAPI 3.0 and 3.1 are compared"),
        ({"openapi": 3}, "the new document is OpenAPI 3; OpenAPI 3.0 and 3.1 are compared"),
        ({"swagger": "2.0"}, "the new document is Swagger 2.0; convert it to OpenAPI 3"),
        ({}, "the new document is of no version of OpenAPI; OpenAPI 3.0 and 3.1 are compared"),
    ],
)
def test_another_version_is_named(raw: dict[str, Any], words: str) -> None:
    """In the reason why it is not compared."""
    with pytest.raises(ContractError) as raised:
        compare(with_body(TEXT), Document("", {"info": {}, **raw}))
    assert str(raised.value) == words


BOUNDED_3_0 = {"type": "number", "minimum": 1, "exclusiveMinimum": True, "maximum": 5, "exclusiveMaximum": True}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"type": "string", "nullable": True}, {"type": ["string", "null"]}),
        ({"type": "string"}, {"type": ["string"]}),
        ({"enum": ["a"]}, {"const": "a"}),
        ({"type": "string", "enum": ["a"]}, {"const": "a"}),
        (BOUNDED_3_0, {"type": "number", "exclusiveMinimum": 1, "exclusiveMaximum": 5}),
        ({"anyOf": [TEXT, {"type": "integer"}]}, {"type": ["string", "integer"]}),
        (TEXT, {"type": "string", "nullable": True}),
        (TEXT, {"type": "string", "contentEncoding": "base64", "contentMediaType": "image/png", "$comment": "A"}),
        (TEXT, {"type": "string", "$schema": "https://json-schema.org/draft/2020-12/schema", "$anchor": "a"}),
        ({"type": "integer", "format": "int32", "nullable": True}, {"type": ["integer", "null"], "format": "int32"}),
        ({"allOf": [{"$ref": "#/components/schemas/A"}], "maxLength": 5},
         {"$ref": "#/components/schemas/A", "maxLength": 5}),
        ({"$ref": "#/components/schemas/A"}, {"$ref": "#/components/schemas/A", "description": "Ignored in 3.0."}),
        ({}, True),
        ({"type": "array", "items": {}}, {"type": "array", "items": True}),
        ({"type": "integer"}, {"type": "number", "multipleOf": 1}),
    ],
)  # fmt: skip
def test_the_same_values_in_other_words(old: Any, new: Any) -> None:
    """No change is on the wire, in either direction."""
    before, after = in_3_0(old, A=TEXT), in_3_1(new, A=TEXT)
    for changes in (compare(before, after), compare(after, before)):
        assert [change for change in changes if change.rule != "text-changed"] == []


@pytest.mark.parametrize(
    ("old", "new", "rule", "keyword", "value"),
    [
        ({"type": ["string", "null"]}, {"type": "string"}, "request-nullable-narrowed", "", None),
        ({"type": ["string", "integer"]}, {"type": "string"}, "request-type-narrowed", "/type", 0),
        ({"enum": ["a", "b"]}, {"const": "b"}, "request-enum-narrowed", "/const", "a"),
        (TEXT, {"type": "string", "const": "b"}, "request-enum-narrowed", "/const", ""),
        ({"exclusiveMaximum": 5, "type": "number"}, {"exclusiveMaximum": 4, "type": "number"},
         "request-maximum-narrowed", "", 4),
        ({"exclusiveMaximum": 5, "type": "number"}, {"exclusiveMaximum": 5, "maximum": 2, "type": "number"},
         "request-maximum-narrowed", "/maximum", 2.5),
        ({"$ref": "#/components/schemas/A", "maxLength": 5}, {"$ref": "#/components/schemas/A", "maxLength": 4},
         "request-maxLength-narrowed", "/maxLength", "aaaaa"),
        ({"type": ["integer", "null"]}, {"type": ["integer", "null"], "format": "int32"},
         "request-format-narrowed", "/format", 2147483648),
    ],
)  # fmt: skip
def test_a_narrower_schema_of_3_1_is_proved(old: Any, new: Any, rule: str, keyword: str, value: Any) -> None:
    """By a value that draft 2020-12 accepts by the old schema, and refuses by the new one."""
    change = the(in_3_1(old, A=TEXT), in_3_1(new, A=TEXT))
    assert (change.rule, change.is_break) == (rule, True)
    assert change.pointer.endswith(f"/schema{keyword}")
    assert change.witness
    assert change.witness.value == value


def test_a_document_is_read_by_its_own_dialect() -> None:
    """Keywords of the other dialect have no meaning."""
    old, new = in_3_0({"type": "string", "nullable": True}), in_3_1({"type": "string", "nullable": True})
    assert told(old, new) == [("request-nullable-narrowed", "", True)]
    assert told(in_3_0({"$ref": "#/components/schemas/A", "maxLength": 5}, A=TEXT),
                in_3_1({"$ref": "#/components/schemas/A", "maxLength": 5}, A=TEXT)) == [
        ("request-maxLength-narrowed", "/maxLength", True)
    ]  # fmt: skip
    assert compare(in_3_1({"type": "number", "minimum": 1, "exclusiveMinimum": True}),
                   in_3_0({"type": "number", "minimum": 1})) == []  # fmt: skip


def test_a_component_that_is_a_reference_keeps_what_stands_beside_it() -> None:
    """A chain of references ends nowhere else."""
    old = in_3_1({"$ref": "#/components/schemas/A"}, A={"$ref": "#/components/schemas/B", "maxLength": 5}, B=TEXT)
    new = in_3_1({"$ref": "#/components/schemas/A"}, A={"$ref": "#/components/schemas/B", "maxLength": 4}, B=TEXT)
    change = the(old, new)
    assert (change.rule, change.pointer) == ("request-maxLength-narrowed", "/components/schemas/A/maxLength")
    assert sentence(change) == "body has maxLength 4; it was 5"


def test_a_mark_beside_a_reference_counts() -> None:
    """As `readOnly` does: a property that no request has may become narrower."""
    old, new = (
        in_3_1({"properties": {"a": {"$ref": "#/components/schemas/A", "readOnly": True}}}, A={"maxLength": length})
        for length in (5, 4)
    )
    assert compare(old, new) == []


LIST_OF_TWO = {"type": "array", "prefixItems": [TEXT, {"type": "integer"}]}


@pytest.mark.parametrize(
    ("old", "new", "rule", "subject", "value"),
    [
        (LIST_OF_TWO, LIST_OF_TWO | {"prefixItems": [TEXT, {"type": "integer", "maximum": 5}]},
         "request-maximum-narrowed", "body [1]", ["", 6]),
        (LIST_OF_TWO | {"items": {"type": "integer"}}, LIST_OF_TWO | {"items": {"type": "integer", "maximum": 5}},
         "request-maximum-narrowed", "body []", ["", 0, 6]),
        (LIST_OF_TWO, LIST_OF_TWO | {"items": False}, "request-maxItems-narrowed", "body", ["", 0, 1]),
        ({"type": "array", "items": TEXT}, {"type": "array", "items": TEXT, "prefixItems": [{"maxLength": 2, **TEXT}]},
         "request-maxLength-narrowed", "body [0]", ["aaa"]),
        (LIST_OF_TWO, LIST_OF_TWO | {"maxItems": 2}, "request-maxItems-narrowed", "body", ["", 0, 1]),
        (LIST_OF_TWO, LIST_OF_TWO | {"minItems": 1}, "request-minItems-narrowed", "body", []),
        ({"properties": {"a": True}}, {"properties": {"a": False}}, "request-property-removed", "body /a", {"a": []}),
        ({"properties": {"a": {"$ref": "#/components/schemas/A/$defs/x"}}},
         {"properties": {"a": {"$ref": "#/components/schemas/A/$defs/y"}}},
         "request-maxLength-narrowed", "body /a", {"a": "aaaaa"}),
    ],
)  # fmt: skip
def test_a_narrower_item_or_definition_is_proved(old: Any, new: Any, rule: str, subject: str, value: Any) -> None:
    """Items by position, those behind them, boolean schemas, and definitions within a schema."""
    definitions = {"$defs": {"x": {"type": "string", "maxLength": 5}, "y": {"type": "string", "maxLength": 4}}}
    change = the(in_3_1(old, A=definitions), in_3_1(new, A=definitions))
    assert (change.rule, change.subject, change.is_break) == (rule, subject, True)
    assert change.witness
    assert change.witness.value == value


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (LIST_OF_TWO, {**LIST_OF_TWO, "items": True}),
        ({**LIST_OF_TWO, "items": False}, {**LIST_OF_TWO, "maxItems": 2}),
        ({"type": "array", "items": TEXT}, {"type": "array", "prefixItems": [TEXT, TEXT], "items": TEXT}),
        ({"type": "array", "prefixItems": [TEXT, False]}, {"type": "array", "items": TEXT, "maxItems": 1}),
        ({"$ref": "#/$defs/x"}, TEXT),
        ({"$ref": "#/components/schemas/A"}, {"type": "object"}),
    ],
)
def test_the_same_lists_and_definitions(old: Any, new: Any) -> None:
    """In other words; a definition may stand in the root of the document."""
    shared: dict[str, Any] = {
        "members": {"$defs": {"x": TEXT}},
        "A": {"type": "object", "$defs": {"x": {"maxLength": 1}}},
    }
    before, after = in_3_1(old, **shared), in_3_1(new, **shared)
    assert compare(before, after) == compare(after, before) == []


def test_a_long_prefix_is_undecided() -> None:
    """The time for it is bounded."""
    old, new = (in_3_1({"prefixItems": [{"maxLength": length}] * 1_000}) for length in (5, 4))
    assert compare(old, old) == []
    assert "request-undecided-narrowed" in [change.rule for change in compare(old, new)]


AGE = {"properties": {"age": {"type": "integer"}, "name": TEXT}}
UNDECIDED = [
    {"if": {"required": ["age"]}, "then": {"required": ["name"]}},
    {"if": {"$ref": "#/components/schemas/A"}, "else": {"required": ["age"]}},
    {"unevaluatedProperties": False},
    {"allOf": [{"$ref": "#/components/schemas/A"}], "unevaluatedProperties": False},
    {"patternProperties": {"^x-": {"$ref": "#/components/schemas/A"}}},
    {"propertyNames": {"maxLength": 5}},
    {"dependentRequired": {"age": ["name"]}},
    {"dependentSchemas": {"age": {"$ref": "#/components/schemas/A"}}},
    {"contains": {"$ref": "#/components/schemas/A"}, "minContains": 2},
    {"unevaluatedItems": {"type": "integer"}},
    {"$dynamicRef": "#node"},
    {"$ref": "#node"},
    {"$id": "https://example.com/a", "$ref": "#/$defs/x"},
    {"$schema": "http://json-schema.org/draft-07/schema#", "maxLength": 5},
]
WORDS = ("$dynamicRef", "$id", "$schema")


@pytest.mark.parametrize("keywords", UNDECIDED, ids=str)
def test_what_is_not_compared_is_named_at_its_place(keywords: dict[str, Any]) -> None:
    """It is undecided if it is new, and if it changes; without a change it is equal."""
    name = next((key for key in keywords if key in WORDS or key not in ("$ref", "allOf")), "$anchor")
    plain = in_3_1({"properties": {"a": AGE}}, A={"minProperties": 3})
    old, same = (in_3_1({"properties": {"a": AGE | keywords}}, A={"minProperties": 3}) for _ in range(2))
    assert compare(old, same) == []
    [change] = [change for change in compare(plain, old) if "undecided" in change.rule]
    assert (change.rule, change.subject, change.is_break) == ("request-undecided-narrowed", "body /a", True)
    assert change.pointer.rpartition("/properties/")[2].startswith("a")
    assert sentence(change).endswith(f", because the keyword {name} is not compared")
    widened = [change.rule for change in compare(old, plain) if change.is_break]
    assert widened == []


@pytest.mark.parametrize(
    ("keywords", "length"),
    [({"if": {"$ref": "#/components/schemas/A"}, "then": TEXT}, 4),
     ({"dependentSchemas": {"b": {"$ref": "#/components/schemas/A"}}}, 4),
     ({"$dynamicRef": "#node"}, 4)],
)  # fmt: skip
def test_a_change_behind_a_reference_is_undecided(keywords: dict[str, Any], length: int) -> None:
    """Although the documents write the same at that place."""
    old, new = (
        in_3_1(
            {"properties": {"a": AGE | keywords}}, A={"$dynamicAnchor": "node", "properties": {"b": {"maxLength": n}}}
        )
        for n in (5, length)
    )
    rules = {change.rule for change in compare(old, new)}
    assert rules
    assert rules <= {"request-undecided-narrowed", "request-undecided-widened"}


def test_properties_beside_what_depends_on_them_are_undecided() -> None:
    """One that only the old document declares is refused by `unevaluatedProperties` in both."""
    old = in_3_1({"type": "object", "properties": {"a": True, "b": True}, "unevaluatedProperties": False})
    new = in_3_1({"type": "object", "properties": {"a": True}, "unevaluatedProperties": False})
    assert ("request-undecided-narrowed", "/unevaluatedProperties", True) in told(old, new)
    old = in_3_1({"patternProperties": {"^x": True}, "additionalProperties": False})
    new = in_3_1({"additionalProperties": False})
    assert [change.is_break for change in compare(old, new)] == [True]


def test_two_conditions_are_not_taken_for_one() -> None:
    """Each schema of an `allOf` may have one."""
    conditions = [{"if": {"minProperties": count}, "then": {"required": ["a"]}} for count in (1, 2)]
    old, new = in_3_1({"allOf": conditions[1:]}), in_3_1({"allOf": conditions})
    assert "request-undecided-narrowed" in [change.rule for change in compare(old, new)]


def test_another_dialect_of_a_document_is_undecided() -> None:
    """For each schema that differs."""
    draft_7 = {"jsonSchemaDialect": "http://json-schema.org/draft-07/schema#"}
    old, same, new = (in_3_1({"maxLength": length}, draft_7) for length in (5, 5, 6))
    assert compare(old, same) == []
    assert {change.rule for change in compare(old, new)} == {"request-undecided-narrowed", "request-undecided-widened"}
    assert (
        compare(in_3_1(TEXT), in_3_1(TEXT, {"jsonSchemaDialect": "https://spec.openapis.org/oas/3.1/dialect/base"}))
        == []
    )


def sending(item: dict[str, Any], **members: Any) -> Document:
    """A document of 3.1 with a webhook and without paths."""
    return Document("", {"openapi": "3.1.0", "info": {}, "webhooks": {"done": item}, **members})


def sent(schema: dict[str, Any]) -> dict[str, Any]:
    """A path item whose requests have bodies that satisfy `schema`."""
    return {"post": {"requestBody": {"content": {"application/json": {"schema": schema}}}, "responses": {}}}


def test_a_webhook_is_compared_as_a_callback() -> None:
    """The server sends: what is wider may surprise a client. A reference to a path item is followed."""
    texts, longer = (sent({"type": "string", "maxLength": length}) for length in (1, 2))
    change = the(
        sending(texts), sending({"$ref": "#/components/pathItems/Done"}, components={"pathItems": {"Done": longer}})
    )
    assert (change.rule, change.operations) == ("response-maxLength-widened", ("webhook done",))
    assert sentence(change) == "webhook done body has maxLength 2; it was 1"
    assert change.pointer.startswith("/webhooks/done/post/")
    assert change.witness
    assert change.witness.message == 'POST / HTTP/1.1\nContent-Type: application/json\n\n"aa"'


def test_webhooks_are_matched_by_name_and_method() -> None:
    """A new one is a client's choice; one that is gone is missed. Security of the document is not the client's."""
    old = sending(sent(TEXT), security=[])
    new = sending({**sent(TEXT), "put": {"responses": {}}}, security=[{"key": []}])
    assert [(change.rule, change.subject) for change in compare(old, new)] == [("webhook-added", "webhook done")]
    assert [(change.rule, change.is_break) for change in compare(new, old)] == [("webhook-removed", True)]


def test_a_callback_within_a_webhook() -> None:
    """Its requests come from the client."""
    old, new = (
        sending({"post": {"callbacks": {"seen": {"{$request.query.url}": sent({"maxLength": n})}}, "responses": {}}})
        for n in (2, 1)
    )
    change = the(old, new)
    assert (change.rule, change.subject) == ("request-maxLength-narrowed", "callback seen body")
    assert change.operations == ("webhook done",)


def test_what_stands_beside_the_reference_of_a_path_item() -> None:
    """It is a part of the path item, together with the target."""
    shared = {"openapi": "3.1.0", "info": {}, "components": {"pathItems": {"A": {**sent(TEXT), "summary": "A"}}}}
    reference = {"$ref": "#/components/pathItems/A"}
    old, new = (
        Document("", {**shared, "paths": {"/a": item}})
        for item in ({**reference, "summary": "B", "get": {"responses": {}}}, reference)
    )
    assert [change.rule for change in compare(old, new) if change.rule != "text-changed"] == ["operation-removed"]
    assert [change.rule for change in compare(new, old) if change.rule != "text-changed"] == ["operation-added"]
