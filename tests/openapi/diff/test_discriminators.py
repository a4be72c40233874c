"""The values of discriminators, and the components that they lead to."""

from typing import Any

import pytest

from openapi.contract import Document
from openapi.diff.comparison.changes import Change
from openapi.diff.comparison.compare import compare
from openapi.diff.sentences import sentence
from tests.openapi.diff.documents import with_body

CAT: dict[str, Any] = {"type": "object", "required": ["kind", "lives"], "properties": {"kind": {}, "lives": {}}}
DOG: dict[str, Any] = {"type": "object", "required": ["kind", "tail"], "properties": {"kind": {}, "tail": {}}}


def ref(name: str) -> dict[str, str]:
    """A reference to a component."""
    return {"$ref": f"#/components/schemas/{name}"}


def of(body: Any, **components: Any) -> Document:
    """A document with a request of `body`, or of values that `components` has."""
    raw = with_body(body).document
    return Document("", {**raw, "components": {"schemas": components}})


def union(mapping: dict[str, str]) -> dict[str, Any]:
    """A cat or a dog, by `mapping`."""
    return {
        "oneOf": [ref("Cat"), ref("Dog")],
        "discriminator": {"propertyName": "kind", "mapping": mapping},
    }


PET: dict[str, Any] = {
    "type": "object",
    "required": ["kind"],
    "properties": {"kind": {"type": "string"}, "friend": ref("Pet")},
    "discriminator": {"propertyName": "kind"},
}
MAPPED = {**PET, "discriminator": {"propertyName": "kind", "mapping": {"cat": "Cat"}}}


def child(*required: str, parent: str = "Pet") -> dict[str, Any]:
    """A child of `parent` that has a name, and must have what is `required`."""
    return {"allOf": [ref(parent), {"type": "object", "required": [*required], "properties": {"name": {}}}]}


@pytest.mark.parametrize(
    ("body", "components", "subject", "value"),
    [
        pytest.param(ref("Pet"), {"Pet": PET}, "body /name", {"kind": "Cat"}, id="by its name"),
        pytest.param(ref("Pet"), {"Pet": MAPPED}, "body /name", {"kind": "cat"}, id="by a mapping"),
        pytest.param(
            {"allOf": [ref("Pet")], "description": "One."}, {"Pet": PET}, "body /name", {"kind": "Cat"}, id="alone"
        ),
        pytest.param(
            {"type": "object", "required": ["pets"], "properties": {"pets": {"type": "array", "items": ref("Pet")}}},
            {"Pet": PET},
            "body /pets[]/name",
            {"pets": [{"kind": "Cat"}]},
            id="in a list",
        ),
    ],
)
def test_a_child_that_requires_more_breaks_requests(
    body: Any, components: dict[str, Any], subject: str, value: Any
) -> None:
    """The proof is a request of the child; that the child contains its parent again is no obstacle."""
    old, new = (of(body, **components, Cat=child(*required)) for required in ((), ("name",)))
    [change] = compare(old, new)
    assert (change.rule, change.subject) == ("request-property-required", subject)
    assert change.pointer == "/components/schemas/Cat/allOf/1/required"
    assert change.witness
    assert change.witness.value == value
    [relaxed] = compare(new, old)
    assert (relaxed.rule, relaxed.is_break) == ("request-property-optional", False)


def test_a_child_of_a_child_counts() -> None:
    """It has its own value."""
    old, new = (
        of(ref("Pet"), Pet=PET, Cat=child(), Lion=child(*required, parent="Cat")) for required in ((), ("name",))
    )
    [change] = compare(old, new)
    assert change.witness
    assert change.witness.value == {"kind": "Lion"}


def test_a_child_of_another_child_does_not_count() -> None:
    """A body that is a cat is no lion, and a mapping has only the children that it names."""
    alone = {"properties": {"kind": {"type": "string"}}}
    for body, pet in ((ref("Lynx"), {**PET, **alone}), (ref("Pet"), {**MAPPED, **alone})):
        old, new = (
            of(body, Pet=pet, Cat=child(), Lynx=child(parent="Cat"), Lion=child(*required, parent="Cat"))
            for required in ((), ("name",))
        )
        assert compare(old, new) == []


def test_the_proof_that_a_schema_accepts_all_does_not_excuse_its_children() -> None:
    """It knows only of JSON Schema, and excuses what a form could not show."""
    pet = {**PET, "properties": {"kind": {"type": "string"}}}
    bodies = ({"type": "object", "properties": {"pet": ref("Pet")}, **more} for more in ({}, {"contentEncoding": "x"}))
    old, new = (of(body, Pet=pet, Cat=child(*required)) for body, required in zip(bodies, ((), ("name",)), strict=True))
    assert [change.subject for change in compare(old, new) if change.is_break] == ["body /pet/name"]


def test_a_new_child_is_a_new_value() -> None:
    """Which requests may have, and answers may not without a warning."""
    old, new = of(ref("Pet"), Pet=PET, Cat=child()), of(ref("Pet"), Pet=PET, Cat=child(), Dog=child())
    assert [(change.rule, change.new, change.is_break) for change in compare(old, new)] == [
        ("request-discriminator-values-added", ["Dog"], False)
    ]
    assert [(change.rule, change.old, change.is_break) for change in compare(new, old)] == [
        ("request-discriminator-values-removed", ["Dog"], True)
    ]


def changes(old: Document, new: Document) -> list[Change]:
    """The changes from `old` to `new`."""
    return compare(old, new)


def test_swapped_values_are_named_with_their_components() -> None:
    """Only those that moved; and where the mapping has no component, what it has."""
    old = union({"cat": "Cat", "dog": "Dog", "hound": "#/components/schemas/Dog", "pup": "elsewhere.json"})
    new = union({"cat": "Dog", "dog": "Dog", "hound": "Cat", "pup": "Dog"})
    [change] = changes(of(old, Cat=CAT, Dog=DOG), of(new, Cat=CAT, Dog=DOG))
    assert change.old == {"cat": "Cat", "hound": "Dog", "pup": "elsewhere.json"}
    assert sentence(change) == (
        'body has other alternatives for values of its discriminator: {"cat": "Dog", "hound": "Cat", "pup": "Dog"}; '
        'previously {"cat": "Cat", "hound": "Dog", "pup": "elsewhere.json"}'
    )


def test_the_place_of_a_discriminator() -> None:
    """In the new document, or in the old one if the new one has none."""
    has, lacks = (of({**union({}), **more}, Cat=CAT, Dog=DOG) for more in ({}, {"discriminator": None}))
    [gone], [new] = changes(has, lacks), changes(lacks, has)
    where = "/paths/~1x/post/requestBody/content/application~1json/schema/discriminator"
    assert (gone.pointer, gone.is_in_new, gone.old, gone.new) == (where, False, "kind", None)
    assert (new.pointer, new.is_in_new, new.old, new.new) == (where, True, None, "kind")
    assert sentence(gone) == "body no longer has a discriminator; it was kind"


def test_the_discriminator_of_a_parent_is_not_that_of_its_child() -> None:
    """A child is already told apart, so that a new sibling is no change of it."""
    pet = {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string"}}}
    old, new = (
        {**pet, "discriminator": {"propertyName": "kind", "mapping": mapping}}
        for mapping in ({"cat": "Cat"}, {"cat": "Cat", "dog": "Dog"})
    )
    children = {"Cat": {"allOf": [ref("Pet"), CAT]}, "Dog": {"allOf": [ref("Pet"), DOG]}}
    for body, expected in ((ref("Cat"), []), (ref("Pet"), ["request-discriminator-values-added"])):
        found = changes(of(body, Pet=old, **children), of(body, Pet=new, **children))
        assert [change.rule for change in found] == expected
