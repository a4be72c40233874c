"""The dialect of a document makes no difference: for released documents, for changed ones, and for random schemas."""

import copy
import random
from collections import Counter
from typing import Any

import jsonschema_rs
import pytest
from openapi_schema_validator import OAS31Validator

from openapi.contract import DOCUMENTS, Document
from openapi.diff.comparison.changes import Change
from openapi.diff.comparison.compare import compare
from tests.openapi.diff.dialects import in_3_1, schema_in_3_1
from tests.openapi.diff.documents import with_body
from tests.openapi.diff.instances import Instances
from tests.openapi.diff.mutations import change_schema, mutated, within
from tests.openapi.diff.pairs import PAIRS, Pair
from tests.openapi.diff.schemas import schema
from tests.openapi.diff.slices import slices

pytestmark = pytest.mark.slow

RELEASED = sorted(DOCUMENTS.glob("*.yaml"))
PLAIN: list[Any] = [
    None,
    True,
    0,
    1,
    2.0,
    3,
    0.5,
    -1,
    "",
    "a",
    "ab",
    "abc",
    [],
    {},
    [0],
    [1, 1],
    ["a"],
    ["a", 1],
    ["a", "b"],
]
INSTANCES = 16
"""Number of random values for each pair."""


IN_3_0 = [pair for pair in PAIRS if pair.old.document["openapi"] == "3.0.3" and "fraction of zeros" not in pair.name]
"""The labelled pairs, without those of 2.0, which is an integer in 3.1 alone."""


def dice_of(seed: int) -> random.Random:
    """Random numbers that repeat with the same seed."""
    return random.Random(seed)  # noqa: S311 - no secret


def as_3_1(document: Document) -> Document:
    """`document` as 3.1."""
    return Document("", in_3_1(document.document))


def on_the_wire(changes: list[Change]) -> set[tuple[str, bool, str]]:
    """The rules of `changes`, without those of texts; with the effect and the subject."""
    return {(change.rule, change.is_break, change.subject) for change in changes if change.rule != "text-changed"}


@pytest.mark.parametrize("path", RELEASED, ids=lambda path: path.stem)
def test_a_released_document_is_the_same_in_3_1(path: Any) -> None:
    """In both directions, but for its texts."""
    old = Document.of_file(path)
    new = as_3_1(old)
    assert new.document != old.document
    assert on_the_wire(compare(old, new)) == on_the_wire(compare(new, old)) == set()
    assert compare(new, Document("", copy.deepcopy(new.document))) == []


@pytest.mark.parametrize("pair", IN_3_0, ids=lambda pair: pair.name)
def test_a_labelled_pair_has_the_same_changes_in_3_1(pair: Pair) -> None:
    """And if only one of the two documents is 3.1."""
    old, new = pair.old, pair.new
    known = on_the_wire(compare(old, new))
    for before, after in ((as_3_1(old), as_3_1(new)), (old, as_3_1(new)), (as_3_1(old), new)):
        assert on_the_wire(compare(before, after)) == known


def test_a_changed_document_has_the_same_changes_in_3_1() -> None:
    """Mutations of the operations of the newest document; a proof is true in each dialect."""
    dice, counts = dice_of(4), Counter[str]()
    for piece in slices(Document.of_file(RELEASED[-1]).document):
        for _ in range(3):
            old, new = Document("", piece), Document("", mutated(piece, dice))
            known = on_the_wire(compare(old, new))
            counts["changed"] += bool(known)
            for before, after in ((as_3_1(old), as_3_1(new)), (old, as_3_1(new)), (as_3_1(old), new)):
                assert on_the_wire(compare(before, after)) == known
    assert counts["changed"] >= 20, counts


def random_schema(dice: random.Random) -> dict[str, Any]:
    """A schema of 3.1; some of its parts have keywords that 3.0 lacks."""
    result: dict[str, Any] = schema_in_3_1(schema(dice))
    for part in list(within(result)):
        kind = part.get("type")
        if kind == "array" and dice.randrange(2):
            part["prefixItems"] = [schema_in_3_1(schema(dice, 1)) for _ in range(dice.choice((1, 2)))]
            if dice.randrange(4) == 0:
                part["items"] = False
        if isinstance(kind, str) and dice.randrange(4) == 0:
            part["type"] = [kind, dice.choice(("null", "string", "integer", "boolean"))]
            part["type"] = list(dict.fromkeys(part["type"]))
        if kind in ("number", "integer") and dice.randrange(3) == 0:
            part[dice.choice(("exclusiveMinimum", "exclusiveMaximum"))] = dice.choice((0, 1, 2, 3, 2.5))
        if dice.randrange(12) == 0:
            part["const"] = dice.choice(("a", 1, None, True, [], {}, 2.0))
        if dice.randrange(20) == 0:
            part["if"], part["then"] = {"type": dice.choice(("string", "null"))}, schema_in_3_1(schema(dice, 1))
    return result


def changed(old: dict[str, Any], dice: random.Random) -> dict[str, Any]:
    """A copy of `old` with one or two changes."""
    new = copy.deepcopy(old)
    for _ in range(dice.choice((1, 1, 2))):
        part = dice.choice(list(within(new)))
        if "prefixItems" in part and dice.randrange(2):
            part["prefixItems"] = [*part["prefixItems"][1:], *[schema_in_3_1(schema(dice, 1))] * dice.randrange(2)] or [
                True
            ]
        elif isinstance(part.get("type"), list):
            part["type"] = dice.choice(
                (part["type"][0], part["type"][1:] or ["null"], [*dict.fromkeys([*part["type"], "null"])])
            )
        elif "exclusiveMinimum" in part:
            part["exclusiveMinimum"] += dice.choice((-1, 1))
        elif isinstance(part.get("type", ""), str):
            change_schema(part, dice)
    for part in within(new):
        part.pop("format", None)  # to JSON Schema 2020-12 it is a text
    result: dict[str, Any] = schema_in_3_1(new)
    return result


@pytest.mark.parametrize("seed", range(4))
def test_compatible_changes_of_3_1_refuse_nothing_and_proofs_are_true(seed: int) -> None:
    """For 400 pairs each: random values look for a counterexample; two other validators judge each proof."""
    counts, dice = Counter[str](), dice_of(seed)
    for _ in range(400):
        old = random_schema(dice)
        new = changed(old, dice) if dice.randrange(8) else random_schema(dice)
        changes = compare(*(Document("", {**with_body(body).document, "openapi": "3.1.0"}) for body in (old, new)))
        before, after = (jsonschema_rs.Draft202012Validator(body) for body in (old, new))
        if not any(change.is_break for change in changes):
            instances = Instances(Document("", {}), dice)
            values = [
                value
                for value in (*PLAIN, *(drawn(instances, old) for _ in range(INSTANCES)))
                if before.is_valid(value)
            ]
            assert [value for value in values if not after.is_valid(value)] == [], (old, new)
            counts.update(compatible=1, accepted=len(values))
        for change in changes:
            if change.witness and change.rule != "request-readOnly-changed":
                value = change.witness.value
                assert before.is_valid(value), (old, new, change)
                assert not after.is_valid(value), (old, new, change)
                assert OAS31Validator(old).is_valid(value), (old, new, change)
                assert not OAS31Validator(new).is_valid(value), (old, new, change)
                counts["proved"] += 1
    assert counts["compatible"] >= 80, counts
    assert counts["accepted"] >= 500, counts
    assert counts["proved"] >= 100, counts


def drawn(instances: Instances, body: Any) -> Any:
    """A value of `body`, read as 3.0 where both dialects have a word."""
    if isinstance(body, list):
        return [drawn(instances, inner) for inner in body]
    if "prefixItems" in body:
        return [instances.of(_in_3_0(inner)) for inner in body["prefixItems"]]
    return instances.of(_in_3_0(body))


def _in_3_0(body: Any) -> Any:
    """`body` without the words that 3.0 lacks; a list of types becomes the first."""
    if isinstance(body, list):
        return [_in_3_0(inner) for inner in body]
    if not isinstance(body, dict):
        return body
    left = {key: _in_3_0(value) for key, value in body.items() if key not in ("exclusiveMinimum", "exclusiveMaximum")}
    if isinstance(left.get("type"), list):
        left["type"] = left["type"][0]
    return left
