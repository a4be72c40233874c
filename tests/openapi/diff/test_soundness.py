"""What is said of two documents is true: of closed schemas made by chance, other ways to write them, and large ones."""

import copy
import json
import random
from collections import Counter
from typing import Any

import pytest
from openapi_schema_validator import OAS30WriteValidator

from openapi.contract import DOCUMENTS, LARGE, Document
from openapi.diff.changes import Change
from openapi.diff.compare import compare
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
"""That are looked for in each pair."""
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
HEARD = "request-readOnly-changed"
"""What becomes `readOnly` may be sent, and is not heard; openapi-schema-validator refuses it."""
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
    """Dice that fall the same each time."""
    return random.Random(seed)  # noqa: S311 - no secret


def pairs(seed: int, count: int) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Closed schemas, most of them beside a copy that was changed once or twice, a few beside any other."""
    dice, made = dice_of(seed), []
    for _ in range(count):
        old = schema(dice)
        new = copy.deepcopy(old) if dice.randrange(8) else schema(dice)
        for _ in range(dice.choice((1, 1, 2))):
            change_schema(dice.choice(list(within(new))), dice)
        made.append((old, new))
    return made


def refused(old: dict[str, Any], new: dict[str, Any], dice: random.Random) -> list[Any]:
    """Values that `old` accepts and `new` does not, and how many are accepted."""
    before, after = judges(old, new)
    made = Instances(Document("", {}), dice)
    accepted = [value for value in (*PLAIN, *(made.of(old) for _ in range(INSTANCES))) if before.accepts(old, value)]
    return [len(accepted), *(value for value in accepted if not after.accepts(new, value))]


def judges(*schemas: dict[str, Any]) -> list[Judge]:
    """Those of what is sent, by another implementation, one for each of `schemas`."""
    return [Judge(Document("", {}), OAS30WriteValidator) for _ in schemas]


@pytest.mark.parametrize("seed", range(6))
def test_what_breaks_nothing_refuses_nothing_and_what_is_proved_is_true(seed: int) -> None:
    """Of 500 pairs each time: a value that would show otherwise is looked for, and each proof is tried."""
    seen, dice = Counter[str](), dice_of(seed)
    for old, new in pairs(seed, 500):
        changes = compare(with_body(old), with_body(new))
        if not any(change.is_break or change.rule == HEARD for change in changes):
            accepted, *others = refused(old, new, dice)
            assert not others, (old, new, others[0])
            seen.update(compatible=1, accepted=accepted)
        for change in changes:
            if change.witness:
                before, after = judges(old, new)
                assert before.accepts(old, change.witness.value), (old, new, change)
                assert not after.accepts(new, change.witness.value), (old, new, change)
                seen["proved"] += 1
    assert seen["compatible"] >= 150, seen
    assert seen["accepted"] >= 1000, seen
    assert seen["proved"] >= 150, seen


def mirrored(changes: list[Change]) -> set[str]:
    """The rules of `changes` as they are with the documents swapped."""
    named = [change.rule.rpartition("-") for change in changes]
    return {f"{rule}-{MIRROR.get(end, end)}" for rule, _, end in named}


def test_swapped_documents_have_mirrored_changes() -> None:
    """What is narrowed is widened, what is added removed, and what breaks one way is a change the other way."""
    for old, new in pairs(7, 300):
        one, other = (with_body(schema) for schema in (old, new))
        there, back = compare(one, other), compare(other, one)
        assert {change.rule for change in there} == mirrored(back), (old, new)


def invented() -> list[dict[str, Any]]:
    """Documents of one body made by chance each, half of them with an open object."""
    dice = dice_of(9)
    closed = [schema(dice) for _ in range(30)]
    opened = [{"type": "object", "properties": {name: schema(dice, 2) for name in "abc"}} for _ in range(30)]
    return [{**with_body(body).document, "components": {}} for body in (*closed, *opened)]


@pytest.mark.parametrize("way", WAYS)
def test_what_says_the_same_has_no_changes(way: str) -> None:
    """Nor has a document beside itself."""
    dice, count = dice_of(1), 0
    for raw in (*(piece for released in RELEASED for piece in slices(released)), *invented()):
        other = rewritten(raw, way, dice)
        count += json.dumps(raw) != json.dumps(other)
        old, new = Document("", raw), Document("", other)
        assert compare(old, Document("", copy.deepcopy(raw))) == []
        for changes in (compare(old, new), compare(new, old)):
            assert changes == [], (raw["paths"], other)
    assert count >= 10


def large() -> dict[str, Any]:
    """A document of more than a million characters, most of its bodies behind references."""
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
    """In all its operations, once; beside itself the document has none."""
    raw = large()
    other = copy.deepcopy(raw)
    other["components"]["schemas"]["S100"]["properties"]["sought"]["maxLength"] = 4
    old, same, new = (Document.read(json.dumps(one), LARGE) for one in (raw, raw, other))
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
