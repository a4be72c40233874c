"""Conclusions about recursive schemas."""

from typing import Any

from tests.openapi.schemas.test_containment import breaks, ref, thing


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
