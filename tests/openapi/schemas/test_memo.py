"""Conclusions about recursive schemas."""

from typing import Any

import pytest

from openapi.budget import Limit
from openapi.schemas.containment import Effort
from openapi.schemas.conversion import Node
from openapi.schemas.directions import Direction
from openapi.schemas.engine import Engine
from openapi.schemas.faults import UNDECIDED
from tests.openapi.schemas.test_containment import TEXT, breaks, document, ref, thing


def test_a_pair_that_leads_back_to_itself_holds() -> None:
    """A pair that is already under comparison is assumed to hold."""
    small, big = ({"type": "object", "properties": {"next": ref("A")}, "maxProperties": limit} for limit in (1, 2))
    assert breaks(ref("A"), ref("A"), A=(small, big)) == []


def test_a_conclusion_from_a_wrong_assumption_is_forgotten() -> None:
    """The first alternative assumes that `A` holds, concludes that `B` does, and fails; the second asks for `B`."""
    holder = {"allOf": [ref("HolderOfB"), {}]}
    components: dict[str, Any] = {
        "A": (holder, {"allOf": [ref("HolderOfB"), {"required": ["id"]}]}),
        "B": {"type": "object", "properties": {"a": ref("A")}},
        "HolderOfB": {"type": "object", "properties": {"b": ref("B")}},
    }
    alternatives = [thing(x=ref("B"), y={}), thing(x={}, y=holder)]
    assert breaks(thing(x=ref("B"), y=holder), {"anyOf": alternatives}, **components) == [("anyOf",)]


def breaks_in_turn(*pairs: tuple[str, str], effort: Effort | None = None, **components: Any) -> list[list[Any]]:
    """The breaks of each of `pairs`, which name components, compared in this order by one engine."""
    old, new = (
        document({name: both[side] if isinstance(both, tuple) else both for name, both in components.items()})
        for side in (0, 1)
    )
    engine = Engine(old, new, Direction.REQUEST, effort or Effort())
    found = [
        [
            schemas.at(("components", "schemas", name))
            for schemas, name in zip((engine.old, engine.new), pair, strict=True)
        ]
        for pair in pairs
    ]
    return [
        [(fault.keyword, *fault.path) for fault in engine.faults(Node((small,)), Node((big,))) if fault.is_break]
        for small, big in found
    ]


@pytest.mark.parametrize("names", ["ABC", "BCA", "CAB", "CBA"])
def test_each_pair_of_a_circle_has_the_fault_of_one(names: str) -> None:
    """Wherever the comparison begins: an operation may have any of them."""
    circle: dict[str, Any] = {
        "A": (thing(b=ref("B"), t=TEXT), thing(b=ref("B"), t={**TEXT, "maxLength": 5})),
        "B": thing(c=ref("C")),
        "C": thing(a=ref("A")),
    }
    paths = {"A": [("maxLength", "t")], "B": [("maxLength", "c", "a", "t")], "C": [("maxLength", "a", "t")]}
    assert breaks_in_turn(*((name, name) for name in names), **circle) == [paths[name] for name in names]


def test_a_fault_within_a_circle_is_one_of_all_that_lead_to_it() -> None:
    """Two circles through one component."""
    circles: dict[str, Any] = {
        "A": thing(b=ref("B"), c=ref("C")),
        "B": thing(a=ref("A")),
        "C": (thing(a=ref("A"), t=TEXT), thing(a=ref("A"), t={**TEXT, "maxLength": 5})),
    }
    found = breaks_in_turn(*((name, name) for name in "ABC"), **circles)
    assert found == [[("maxLength", "c", "t")], [("maxLength", "a", "c", "t")], [("maxLength", "t")]]


def test_an_exclusion_may_rest_on_an_assumption() -> None:
    """`Out` excludes what it excluded only if `A` holds; it does not, and so no other comparison may think so."""
    inner = {"type": "object", "properties": {"a": ref("A")}, "required": ["a"]}
    components: dict[str, Any] = {
        "A": (thing(o=ref("Out"), t=TEXT), thing(o=ref("Out"), t={**TEXT, "maxLength": 5})),
        "Out": ({"type": "object", "not": inner}, {"type": "object", "not": {**inner, "minProperties": 1}}),
    }
    assert all(breaks_in_turn(("A", "A"), ("Out", "Out"), **components))


def test_what_a_limit_cut_is_forgotten() -> None:
    """The first pair costs too much; within it is one that does not, and that is decided for itself."""
    before, after = (
        thing(**{f"p{number}": {"allOf": [TEXT, {"maxLength": length + number}]} for number in range(60)})
        for length in (5, 105)
    )
    components: dict[str, Any] = {
        "Much": (thing(a=before, z=ref("Little")), thing(a=after, z=ref("Little"))),
        "Little": (thing(t=TEXT), thing(t={**TEXT, "maxLength": 5})),
    }
    effort = Effort(most_comparisons=Limit(40), most_together=Limit(400))
    much, little, again = breaks_in_turn(
        ("Much", "Much"), ("Little", "Little"), ("Much", "Much"), effort=effort, **components
    )
    assert UNDECIDED in {keyword for keyword, *_ in much}
    assert little == [("maxLength", "t")]
    assert again
    assert ("maxLength", "z", "t") in again


def test_a_limit_for_all_pairs_together() -> None:
    """The second pair is not looked at."""
    components: dict[str, Any] = {
        "A": (thing(t=TEXT), thing(t={**TEXT, "maxLength": 5})),
        "B": (TEXT, {**TEXT, "maxLength": 5}),
    }
    effort = Effort(most_comparisons=Limit(40), most_together=Limit(14))
    assert breaks_in_turn(("A", "A"), ("B", "B"), effort=effort, **components) == [[("maxLength", "t")], [(UNDECIDED,)]]


def test_larger_documents_may_cost_more() -> None:
    """By their number of schemas."""
    components: dict[str, Any] = {f"A{number}": (TEXT, {**TEXT, "maxLength": 5}) for number in range(20)}
    pairs = [(name, name) for name in components]
    cut, whole = (
        breaks_in_turn(*pairs, effort=Effort(most_together=Limit(5, per_schema)), **components) for per_schema in (0, 5)
    )
    assert [(UNDECIDED,)] in cut
    assert [(UNDECIDED,)] not in whole
