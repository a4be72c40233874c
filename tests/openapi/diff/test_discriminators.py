"""The values of discriminators, and the components that they lead to."""

from typing import Any

from openapi.contract import Document
from openapi.diff.changes import Change
from openapi.diff.compare import compare
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
