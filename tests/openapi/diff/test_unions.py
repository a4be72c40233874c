"""Changes of unions: each alternative is compared with the one that stands for it in the other document."""

import copy
from typing import Any

import pytest

from openapi.diff.comparison.changes import Change
from openapi.diff.comparison.compare import compare
from openapi.diff.reports.groups import grouped
from openapi.diff.reports.report import Report
from openapi.diff.rules import Severity, overall
from openapi.diff.sentences import sentence
from tests.openapi.diff.documents import document

Components = dict[str, Any]
NOTE = {"type": "object", "properties": {"note": {"type": "string"}}}
"""An object that leaves open what else it has, so that it accepts the values of other alternatives, too."""


def refer(name: str) -> dict[str, str]:
    """A reference to a component."""
    return {"$ref": f"#/components/schemas/{name}"}


def item(**text: Any) -> dict[str, Any]:
    """An object with an integer and a text."""
    properties = {"id": {"type": "integer"}, "t": {"type": "string", **text}}
    return {"type": "object", "properties": properties, "required": ["id"]}


def kind(value: str, **properties: Any) -> dict[str, Any]:
    """An object with a tag."""
    tag = {"k": {"type": "string", "enum": [value]}}
    return {"type": "object", "properties": {**tag, **properties}, "required": ["k"]}


def having(name: str) -> dict[str, Any]:
    """An object with one property, which is required."""
    return {"type": "object", "properties": {name: {"type": "string"}}, "required": [name]}


def sides(old: Any, new: Any, direction: str, before: Components, after: Components, *, paths: str = "x") -> list[Any]:
    """Two documents with a body, or an answer, of each path, and components."""
    documents = []
    for schema, components in ((old, before), (new, after)):
        content = {"application/json": {"schema": schema}}
        body = {"requestBody": {"content": content}} if direction == "request" else {}
        answer = {} if body else {"content": content}
        operation = {**body, "responses": {"200": {"description": "Done.", **answer}}}
        side = document(**{path: {"post": operation} for path in paths})
        side.document["components"] = {"schemas": copy.deepcopy(components)}
        documents.append(side)
    return documents


def changes(
    old: Any, new: Any, direction: str, before: Components | None = None, after: Components | None = None
) -> list[Change]:
    """The changes of a body, or of an answer, from one schema to another."""
    return compare(*sides(old, new, direction, before or {}, after or before or {}))


def breaks(found: list[Change]) -> list[str]:
    """The sentences of the changes that break a client, each of them proved."""
    assert all(change.witness for change in found if change.is_break)
    return [sentence(change) for change in found if change.is_break]


def differences(found: list[Change]) -> list[str]:
    """The sentences of the other changes."""
    return [sentence(change) for change in found if not change.is_break]


@pytest.mark.parametrize("union", ["anyOf", "oneOf"])
def test_an_alternative_is_compared_with_the_one_of_its_name(union: str) -> None:
    """Not with another one, which is open and accepts its values, too; a `oneOf` then refused both at once."""
    both = {union: [refer("A"), refer("C")]}
    found = changes(both, both, "response", {"A": item(nullable=True), "C": NOTE}, {"A": item(), "C": NOTE})
    assert differences(found) == ["response 200 /t may no longer be null"]
    assert breaks(found) == (["response 200 may now satisfy the schema A"] if union == "oneOf" else [])


@pytest.mark.parametrize("union", ["anyOf", "oneOf"])
def test_two_changes_of_an_alternative_are_two(union: str) -> None:
    """One demand goes and another comes: what that does to the other alternative is listed only if it is a break."""
    both = {union: [refer("A"), refer("C")]}
    other = {**item(), "properties": {**item()["properties"], "id": {"type": "integer", "nullable": True}}}
    found = changes(both, both, "response", {"A": item(nullable=True), "C": NOTE}, {"A": other, "C": NOTE})
    assert sorted(differences(found)) == ["response 200 /id may now be null", "response 200 /t may no longer be null"]
    assert breaks(found) == (["response 200 may now satisfy the schema A"] if union == "oneOf" else [])


@pytest.mark.parametrize("is_named", [True, False])
def test_one_more_alternative_does_not_hide_a_change(is_named: bool) -> None:
    """An alternative has its counterpart by the name of its component, or by its tag."""
    before = {"A": kind("a", t={"type": "string"}), "B": kind("b"), "C": kind("c")}
    after = {**before, "A": kind("a", t={"type": "string", "nullable": True})}
    old, new = (
        [refer(name) if is_named else side[name] for name in names] for side, names in ((before, "AB"), (after, "BCA"))
    )
    found = changes({"oneOf": old}, {"oneOf": new}, "response", before, after)
    assert [change.rule for change in found] == ["response-anyOf-widened", "response-nullable-widened"]
    first, second = breaks(found)
    assert second == "response 200 /t may now be null"
    assert not is_named or first == "response 200 may now be C; it was A, B"


def test_an_alternative_that_stays_alone_is_compared_with_itself() -> None:
    """What is said of it is not said of those that went."""
    before = {"A": kind("a", t={"type": "string"}), "B": kind("b", u={}), "C": having("c")}
    old, new = ({"oneOf": [refer(name) for name in names]} for names in ("ABC", "A"))
    found = changes(old, new, "request", before, {**before, "A": kind("a", t={"type": "string", "maxLength": 3})})
    assert breaks(found) == [
        "body may no longer be B, C; it may be A",
        "body /t now has maxLength 3; it had none",
    ]


def test_alternatives_may_swap_their_names() -> None:
    """The values are the same."""
    one, other = item(), having("l")
    both = {"oneOf": [refer("A"), refer("B")]}
    assert changes(both, both, "request", {"A": one, "B": other}, {"A": other, "B": one}) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]},
            {
                "type": "object",
                "properties": {"id": {"type": "integer"}, "number": {"type": "integer"}, "owner": {"type": "string"}},
                "oneOf": [{"required": ["id"]}, {"required": ["number", "owner"]}],
            },
        ),
        ({"oneOf": [having("a")]}, {"oneOf": [having("a"), having("b")]}),
    ],
)
def test_what_only_undeclared_properties_satisfy_is_no_break(old: Any, new: Any) -> None:
    """The other alternative demands a property that the old document does not declare: clients do not send it."""
    found = changes(old, new, "request")
    assert breaks(found) == []
    assert overall(found) is Severity.MINOR


def test_a_property_that_another_alternative_declares_is_sent() -> None:
    """A client may send both properties, although each of two alternatives declares only one."""
    old, new = ({"anyOf": [having("a"), having("b")]}, {"oneOf": [having("a"), having("b")]})
    assert breaks(changes(old, new, "request"))


@pytest.mark.parametrize("direction", ["request", "response"])
def test_a_component_that_did_not_change_is_not_blamed(direction: str) -> None:
    """The place is that of the schema that no longer demands what the component does."""
    component = {"type": "object", "properties": {"l": {"type": "string"}}, "required": ["l"]}
    loose = {"type": "object", "properties": {"c": {"type": "object", "properties": {"l": {"type": "string"}}}}}
    strict = {"type": "object", "properties": {"c": refer("U")}}
    union = {"anyOf": [{**strict, "required": ["c"]}, {**loose, "required": ["c"]}]}
    old, new = ({"type": "object", "properties": {"p": inner}} for inner in (strict, union))
    pair = (old, new) if direction == "response" else (new, old)
    found = changes(*pair, direction, {"U": component})
    (change,) = [each for each in found if each.rule in ("response-property-optional", "request-property-required")]
    assert change.pointer.endswith("/schema/properties/p/anyOf/1/properties/c")
    before, after = sides(*pair, direction, {"U": component}, {"U": component}, paths="xy")
    report = Report.of(before, after, ("old", "new"))
    assert not any("Schema" in group.title for group in grouped(report.findings))


@pytest.mark.parametrize(
    ("old", "new", "direction", "expected"),
    [
        ({"type": "object"}, {}, "request", "body may now be of any type; it was of type object"),
        ({"type": "object"}, {}, "response", "response 200 may now be of any type; it was of type object"),
        ({}, {"type": "string"}, "request", "body must be of type string; it could be of any type"),
        ({}, {"type": "integer"}, "request", "body must be of type integer; it could be of any type"),
    ],
)
def test_any_type_is_one_change(old: Any, new: Any, direction: str, expected: str) -> None:
    """In place of one for each type, and with a proof if it breaks a client."""
    (change,) = changes(old, new, direction)
    assert sentence(change) == expected
    assert bool(change.witness) is change.is_break is (direction == "response" or not old)


def test_listed_values_of_all_types_are_not_any_type() -> None:
    """An enumeration without a type."""
    listed = {"enum": ["a", 1, 1.5, True, [], {}, None]}
    assert not any("any type" in sentence(change) for change in changes({"type": "string"}, listed, "response"))
