"""What a submission accepts, its record can say: within a document, and between documents that share records."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from handlers.operations import OPERATIONS
from openapi.contract import Contract, published
from openapi.lint.records import unsayable
from openapi.lint.rules import lint
from openapi.standards.json_pointer import pointer

PUBLISHED = {contract.version: contract for contract in published()}
OTHERS = "/components/schemas/InteractionEventRecord/additionalProperties"
Schemas = dict[str, dict[str, Any]]


def changed(change: Callable[[Schemas], object], version: str = "1.1") -> Contract:
    """The contract of `version` after `change` of its schemas."""
    document = PUBLISHED[version].copy()
    change(document["components"]["schemas"])
    return Contract.read(json.dumps(document))


def places(submitting: Contract, answering: Contract | None = None) -> list[tuple[str, str]]:
    """The places of what is accepted and of what forbids it; by default in one document."""
    found = unsayable(submitting, answering or submitting, OPERATIONS)
    return [(pointer(*fault.accepted), pointer(*fault.forbidden)) for fault in found]


def event(field: str, schema: dict[str, Any]) -> Callable[[Schemas], None]:
    """A change of one field of submitted events."""
    return lambda schemas: schemas["InteractionEvent"]["properties"].update({field: schema})


def of_record(field: str, name: str = "InteractionEvent") -> tuple[str, str]:
    """The places of a field in a submission and in its record."""
    at = "/components/schemas/"
    return f"{at}{name}/properties/{field}", f"{at}{name}Record/properties/{field}"


def with_bot(schemas: Schemas) -> None:
    """Accept another value in events alone."""
    schemas["EventActorType"] = {**schemas["ActorType"], "enum": [*schemas["ActorType"]["enum"], "bot"]}
    event("actor_type", {"$ref": "#/components/schemas/EventActorType"})(schemas)


def test_a_finding_proves_itself() -> None:
    """It is an error with the field, a value, and both places."""
    (finding,) = lint(changed(with_bot), OPERATIONS)
    accepted, forbidden = of_record("actor_type")
    assert (finding.rule, finding.severity, finding.pointer) == ("sayable", "error", accepted)
    assert finding.message == (
        f'a submission accepts "bot" as actor_type, and its record cannot say that: {forbidden} forbids it'
    )


def test_a_value_of_both_kinds_is_found_in_both() -> None:
    """Events and annotations are compared with their own records."""
    contract = changed(lambda schemas: schemas["ActorType"]["enum"].append("bot"))
    assert places(contract) == [of_record("actor_type"), of_record("actor_type", "Annotation")]


@pytest.mark.parametrize("submitting", PUBLISHED.values(), ids=PUBLISHED)
@pytest.mark.parametrize("answering", PUBLISHED.values(), ids=PUBLISHED)
def test_documents_of_the_release_can_say_what_they_accept(submitting: Contract, answering: Contract) -> None:
    """Each can say what any of them accepts, in the records that it has."""
    assert places(submitting, answering) == []


def test_the_records_of_another_document_are_compared() -> None:
    """Only the document that answers decides whether the value can be said."""
    both = changed(lambda schemas: [schemas[f"{name}ctorType"]["enum"].append("bot") for name in ("A", "RecordedA")])
    assert places(both) == []
    assert places(both, PUBLISHED["2.0"]) == [of_record("actor_type"), of_record("actor_type", "Annotation")]
    assert places(PUBLISHED["2.0"], both) == []


@pytest.mark.parametrize(
    ("field", "schema"),
    [
        ("view_context_ref", {"type": "string", "nullable": True, "maxLength": 2001}),
        ("view_context_ref", {"type": "integer"}),
        ("client_event_id", {"allOf": [{"type": "string", "maxLength": 300}]}),
        ("event_type", {"type": "string", "maxLength": 200}),
        ("metadata", {"type": "array", "items": {}, "maxItems": 1}),
    ],
)
def test_a_field_that_accepts_more_is_found(field: str, schema: dict[str, Any]) -> None:
    """In its length, its type or its emptiness, also within an allOf."""
    assert places(changed(event(field, schema))) == [of_record(field)]


@pytest.mark.parametrize(
    ("field", "schema"),
    [
        pytest.param("view_context_ref", {"type": "string", "maxLength": 1}, id="less than the record can say"),
        pytest.param("view_context_ref", {"type": "integer", "readOnly": True}, id="a field that is not sent"),
        pytest.param("view_context_ref", {"type": "integer", "writeOnly": True}, id="a field that is not answered"),
        pytest.param("sent_at", {"type": "string", "format": "date-time", "maxLength": 99}, id="a longer time"),
        pytest.param("sent_at", {"allOf": [{"type": "string", "format": "date-time"}]}, id="a time within an allOf"),
        pytest.param(
            "sent_at",
            {"type": "string", "format": "date-time", "enum": ["2026-03-31T12:00:00.000000000000000Z"]},
            id="a time that is written anew",
        ),
        pytest.param("urgent", {"type": "boolean"}, id="a field that the record has among others"),
        pytest.param(
            "view_context_ref",
            {"type": "string", "maxLength": 9, "oneOf": [{"pattern": "a"}, {"pattern": "b"}]},
            id="alternatives within the bounds",
        ),
    ],
)
def test_what_is_said_otherwise_is_no_finding(field: str, schema: dict[str, Any]) -> None:
    """A field that the record can say, or need not."""
    assert places(changed(event(field, schema))) == []


@pytest.mark.parametrize(
    ("others", "is_found"), [(False, True), ({"type": "string"}, True), ({"type": "boolean"}, False)]
)
def test_a_field_without_a_record_is_one_of_its_other_properties(others: Any, is_found: bool) -> None:
    """The record forbids it, or accepts only some of its values, or all."""

    def change(schemas: Schemas) -> None:
        event("urgent", {"type": "boolean", "nullable": True})(schemas)
        schemas["InteractionEventRecord"]["additionalProperties"] = others

    expected = ("/components/schemas/InteractionEvent/properties/urgent", OTHERS)
    assert places(changed(change)) == ([expected] if is_found else [])


def test_parts_of_records_are_joined() -> None:
    """A record that is made of parts is compared with each of them, and the first place of the field is named."""

    def change(schemas: Schemas) -> None:
        with_bot(schemas)
        schemas["Base"] = schemas["InteractionEventRecord"]
        schemas["InteractionEventRecord"] = {"allOf": [{"$ref": "#/components/schemas/Base"}]}

    expected = of_record("actor_type")[0], "/components/schemas/Base/properties/actor_type"
    assert places(changed(change)) == [expected]


@pytest.mark.parametrize("kept", ["getInteractionEvent", "listInteractionEvents", "exportInteractionEvents"])
@pytest.mark.parametrize("submission", ["reportInteractionEvent", "reportInteractionEvents"])
def test_each_submission_is_compared_with_each_reading(submission: str, kept: str) -> None:
    """Also if the document has no other: one value, an item of a list, or a line."""
    document = changed(with_bot).copy()
    for path, item in document["paths"].items():
        document["paths"][path] = {
            method: operation
            for method, operation in item.items()
            if method not in ("get", "post") or operation["operationId"] in (submission, kept)
        }
    assert places(Contract.read(json.dumps(document))) == [of_record("actor_type")]


def test_the_value_is_shown_in_short() -> None:
    """A long value is shown by its beginning and its length."""
    (fault,) = unsayable(
        longer := changed(event("view_context_ref", {"type": "string", "maxLength": 2001})), longer, OPERATIONS
    )
    assert fault.shown == f'"{fault.value[:59]}\u2026 (2,001 characters)'


def test_former_operation_ids_are_known() -> None:
    """Documents with the former operationIds have the same records."""
    text = changed(with_bot).text
    for former, name in OPERATIONS.former_names.items():
        text = text.replace(f'"{name}"', f'"{former}"')
    assert places(Contract.read(text)) == [of_record("actor_type")]


def test_a_schema_that_does_not_compile_hides_no_other() -> None:
    """It proves nothing itself, and the other fields are compared."""

    def change(schemas: Schemas) -> None:
        with_bot(schemas)
        event("event_type", {"type": "string", "pattern": "(?=a)b", "maxLength": 999})(schemas)

    assert places(changed(change)) == [of_record("actor_type")]


def test_the_items_of_a_batch_are_compared() -> None:
    """Also if it is an array alone."""
    document = changed(with_bot).copy()
    batch = document["paths"]["/interaction-events/batch"]["post"]
    del batch["requestBody"]["content"]["application/x-ndjson"]
    del document["paths"]["/interaction-events"]["post"]
    assert places(Contract.read(json.dumps(document))) == [of_record("actor_type")]
