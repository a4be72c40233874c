"""The comparison is sound: for random closed schemas, for equivalent documents, and for large ones."""

import copy
import json
import random
from collections import Counter
from typing import Any

import pytest
from openapi_schema_validator import OAS30WriteValidator

from openapi.contract import DOCUMENTS, LARGE, Document
from openapi.diff.comparison.changes import Change
from openapi.diff.comparison.compare import compare
from openapi.diff.rules import Severity, overall
from tests.openapi.diff.documents import document, with_body
from tests.openapi.diff.exchanges import Judge
from tests.openapi.diff.instances import Instances
from tests.openapi.diff.mutations import change_schema, within
from tests.openapi.diff.rewritings import WAYS, rewritten
from tests.openapi.diff.schemas import schema
from tests.openapi.diff.slices import slices

pytestmark = pytest.mark.slow

INSTANCES = 16
"""Number of random values for each pair."""
PLAIN: list[Any] = [
    None,
    True,
    0,
    1,
    2,
    3,
    0.5,
    -1,
    "",
    "a",
    "b",
    "ab",
    "abc",
    "bbbb",
    [],
    {},
    [0],
    [1, 1],
    ["a"],
    [None],
]
IGNORED = "request-readOnly-changed"
"""A property that becomes `readOnly` may still be sent and is ignored; openapi-schema-validator refuses it."""
MIRROR = {
    "narrowed": "widened",
    "widened": "narrowed",
    "removed": "added",
    "added": "removed",
    "required": "optional",
    "optional": "required",
}
RELEASED = [Document.of_file(path).document for path in sorted(DOCUMENTS.glob("*.yaml"))]


def dice_of(seed: int) -> random.Random:
    """Random numbers that repeat with the same seed."""
    return random.Random(seed)  # noqa: S311 - no secret


def pairs(seed: int, count: int) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Pairs of closed schemas: mostly a schema and a copy changed once or twice, sometimes two unrelated ones."""
    dice, drawn = dice_of(seed), []
    for _ in range(count):
        old = schema(dice)
        new = copy.deepcopy(old) if dice.randrange(8) else schema(dice)
        for _ in range(dice.choice((1, 1, 2))):
            change_schema(dice.choice(list(within(new))), dice)
        drawn.append((old, new))
    return drawn


def refused(old: dict[str, Any], new: dict[str, Any], dice: random.Random) -> list[Any]:
    """The number of values that `old` accepts, followed by those that `new` refuses."""
    before, after = judges(old, new)
    instances = Instances(Document("", {}), dice)
    accepted = [
        value for value in (*PLAIN, *(instances.of(old) for _ in range(INSTANCES))) if before.accepts(old, value)
    ]
    return [len(accepted), *(value for value in accepted if not after.accepts(new, value))]


def judges(*schemas: dict[str, Any]) -> list[Judge]:
    """For each of `schemas`, a judge of written values by another implementation."""
    return [Judge(Document("", {}), OAS30WriteValidator) for _ in schemas]


@pytest.mark.parametrize("seed", range(6))
def test_compatible_changes_refuse_nothing_and_proofs_are_true(seed: int) -> None:
    """For 500 pairs each: random values look for a counterexample, and each proof is tried."""
    counts, dice = Counter[str](), dice_of(seed)
    for old, new in pairs(seed, 500):
        changes = compare(with_body(old), with_body(new))
        if not any(change.is_break or change.rule == IGNORED for change in changes):
            accepted, *counterexamples = refused(old, new, dice)
            assert not counterexamples, (old, new, counterexamples[0])
            counts.update(compatible=1, accepted=accepted)
        for change in changes:
            if change.witness:
                before, after = judges(old, new)
                assert before.accepts(old, change.witness.value), (old, new, change)
                assert not after.accepts(new, change.witness.value), (old, new, change)
                counts["proved"] += 1
    assert counts["compatible"] >= 150, counts
    assert counts["accepted"] >= 1000, counts
    assert counts["proved"] >= 150, counts


def mirrored(changes: list[Change]) -> set[str]:
    """The rules that `changes` have with the documents swapped."""
    named = [change.rule.rpartition("-") for change in changes]
    return {f"{rule}-{MIRROR.get(end, end)}" for rule, _, end in named}


def test_swapped_documents_have_mirrored_changes() -> None:
    """Narrowed becomes widened, added becomes removed, and a break in one direction is a change in the other."""
    for old, new in pairs(7, 300):
        one, other = (with_body(schema) for schema in (old, new))
        forward, backward = compare(one, other), compare(other, one)
        assert {change.rule for change in forward} == mirrored(backward), (old, new)


def random_documents() -> list[dict[str, Any]]:
    """Documents of one random body each, half of them with an open object."""
    dice = dice_of(9)
    closed = [schema(dice) for _ in range(30)]
    opened = [{"type": "object", "properties": {name: schema(dice, 2) for name in "abc"}} for _ in range(30)]
    return [{**with_body(body).document, "components": {}} for body in (*closed, *opened)]


@pytest.mark.parametrize("way", WAYS)
def test_equivalent_documents_have_no_changes(way: str) -> None:
    """Nor has a document compared with itself. Texts may stand elsewhere."""
    dice, count = dice_of(1), 0
    for raw in (*(piece for released in RELEASED for piece in slices(released)), *random_documents()):
        other = rewritten(raw, way, dice)
        count += json.dumps(raw) != json.dumps(other)
        old, new = Document("", raw), Document("", other)
        assert compare(old, Document("", copy.deepcopy(raw))) == []
        for changes in (compare(old, new), compare(new, old)):
            assert [change for change in changes if change.rule != "text-changed"] == [], (raw["paths"], other)
    assert count >= 10


def large() -> dict[str, Any]:
    """A document of more than a million characters, with most of its bodies behind references."""
    dice, size = dice_of(3), 0
    schemas: dict[str, Any] = {}
    paths: dict[str, Any] = {}
    while size < 1_000_000:
        name = f"S{len(schemas)}"
        properties: dict[str, Any] = {str(index): schema(dice) for index in range(8)}
        inner = {"type": "object", "properties": properties}
        if schemas:
            properties["before"] = {"$ref": f"#/components/schemas/S{dice.randrange(len(schemas))}"}
        schemas[name] = inner
        size += len(json.dumps(inner))
        content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}
        paths[name] = {"put": {"requestBody": {"content": content}, "responses": {"200": {"description": "Done."}}}}
    schemas["S100"]["properties"]["sought"] = {"type": "string", "maxLength": 5}
    return {**document(**paths).document, "components": {"schemas": schemas}}


def test_one_change_of_a_large_document_is_found() -> None:
    """Once, with all its operations; compared with itself, the document has no changes."""
    raw = large()
    other = copy.deepcopy(raw)
    other["components"]["schemas"]["S100"]["properties"]["sought"]["maxLength"] = 4
    old, same, new = (Document.read(json.dumps(document_), LARGE) for document_ in (raw, raw, other))
    assert len(old.text) > 1_000_000
    assert compare(old, same) == []
    [change] = compare(old, new)
    assert (change.rule, change.pointer) == (
        "request-maxLength-narrowed",
        "/components/schemas/S100/properties/sought/maxLength",
    )
    assert change.witness
    assert "PUT /S100" in change.operations
    assert overall(compare(new, old)) == Severity.MINOR
