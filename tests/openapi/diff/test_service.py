"""The comparison and the service mean the same by a schema: random pairs of bodies, judged by the service's validators.

`DIFF_PAIRS=20000 pytest tests/openapi/diff/test_service.py` tries 20,000 pairs instead of 400.
"""

import copy
import os
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from openapi.contract import Contract, Document
from openapi.diff.comparison.compare import compare
from openapi.schemas.validation import Schema, Schemas
from tests.openapi.diff.documents import with_body
from tests.openapi.diff.instances import Instances
from tests.openapi.diff.mutations import LISTS, Change, change_schema, within
from tests.openapi.diff.schemas import schema

pytestmark = pytest.mark.slow

PAIRS = int(os.environ.get("DIFF_PAIRS", "400"))
INSTANCES = 24
"""Number of random values for each pair."""
BODY = ("paths", "/x", "post", "requestBody", "content", "application/json", "schema")
EDGES: list[Any] = [
    *(None, 0, 1, 2.0, 0.5, 1e30, "", "a", True, [], {}),
    *(2**31 - 1, 2**31, -(2**31) - 1, 2**63 - 1, 2**63, -(2**63) - 1),
]
"""Values about which one of two validators may be wrong."""


def body(dice: random.Random) -> Any:
    """A random schema with marks, formats of integers, and `nullable`; often an object."""
    if dice.randrange(4) == 0:
        inner = schema(dice)
    else:
        properties = {name: schema(dice, 2) for name in "abc" if dice.randrange(4)}
        inner = {"type": "object", "properties": properties, "additionalProperties": dice.randrange(2) == 0}
        if required := [name for name in properties if dice.randrange(2)]:
            inner["required"] = required
    for part in list(within(inner)):
        if dice.randrange(2):
            peculiar(part, dice)
    return inner


def peculiar(part: Any, dice: random.Random) -> None:
    """Add to `part` or take from it what OpenAPI 3.0 means unlike JSON Schema."""
    ways: list[Change] = [marked] * 2 if part.get("properties") else []
    ways += [composed] if "properties" in part and "required" in part else []
    ways += [formatted, whole] if part.get("type") in ("integer", "number") else []
    dice.choice([*ways, nullable])(part, dice)


def marked(part: Any, dice: random.Random) -> None:
    """Mark a property, a required one if there is one; or take its mark."""
    names = [name for name in part.get("required", ()) if name in part["properties"]] or sorted(part["properties"])
    inner, mark = part["properties"][dice.choice(names)], dice.choice(("readOnly", "readOnly", "readOnly", "writeOnly"))
    inner[mark] = not inner.get(mark, False)


def formatted(part: Any, dice: random.Random) -> None:
    """Give an integer another format."""
    part |= {"type": "integer", "format": dice.choice(("int32", "int64"))}


def whole(part: Any, _: random.Random) -> None:
    """Make an integer of a number without a fraction, and the other way round."""
    part |= {"type": "number", "multipleOf": 1} if part["type"] == "integer" else {"type": "integer"}


def nullable(part: Any, dice: random.Random) -> None:
    """Toggle `nullable`, perhaps beside an enumeration, which may list null."""
    part["nullable"] = not part.get("nullable", False)
    if dice.randrange(3) == 0 and part.get("type") == "string":
        part["enum"] = dice.choice((["a", "ab"], ["a", "ab", None]))


def composed(part: Any, dice: random.Random) -> None:
    """Take `part` apart, so that the requirement is beside the property, before it, or behind a reference."""
    own = {key: part.pop(key) for key in ("type", "properties", "required", "additionalProperties") if key in part}
    required = {"required": own.pop("required")}
    part["allOf"] = [own, {"$ref": "#/components/schemas/Required"}] if dice.randrange(2) else [required, own]
    if "$ref" in part["allOf"][1]:
        part["x-required"] = required["required"]


def documents(old: Any, new: Any) -> Iterator[Document]:
    """A document for each body, with the component that it refers to."""
    for inner in (old, new):
        document = with_body(inner).document
        names = [part["x-required"] for part in within(inner) if "x-required" in part]
        yield Document("", {**document, "components": {"schemas": {"Required": {"required": (names or [["a"]])[0]}}}})


def pairs(seed: int, count: int) -> Iterator[tuple[Document, Document]]:
    """Pairs of documents: a body, and a copy changed once or twice, or another body."""
    dice = random.Random(seed)  # noqa: S311 - no secret
    for _ in range(count):
        old = body(dice)
        new = copy.deepcopy(old) if dice.randrange(8) else body(dice)
        for _ in range(dice.choice((1, 1, 2))):
            dice.choice((change_schema, peculiar, peculiar))(dice.choice(list(within(new))), dice)
        first, second = documents(old, new)
        yield first, second


def validator(document: Document) -> Schema | None:
    """The validator of bodies as the service compiles it; None if the service would refuse the document."""
    try:
        return Schemas(Contract("", document.document)).compile(*BODY)
    except ValueError:
        return None


def joined(raw: Any, document: Document) -> list[Any]:
    """The schemas that apply to one value."""
    node = document.resolve(raw)
    if not isinstance(node, dict):
        return []
    return [node, *(part for key in LISTS for inner in node.get(key, []) for part in joined(inner, document))]


def sent(raw: Any, value: Any, document: Document) -> Any:
    """`value` without the properties that are `readOnly` in `raw`, which requests do not have."""
    parts = joined(raw, document)
    if isinstance(value, list):
        inner = {"allOf": [part["items"] for part in parts if "items" in part]}
        return [sent(inner, item, document) for item in value]
    if not isinstance(value, dict):
        return value
    declared = [(name, inner) for part in parts for name, inner in part.get("properties", {}).items()]
    unsent = {name for name, inner in declared if document.resolve(inner).get("readOnly") is True}
    others = [part["additionalProperties"] for part in parts if "additionalProperties" in part]
    return {
        name: sent({"allOf": [inner for of, inner in declared if of == name] or others}, item, document)
        for name, item in value.items()
        if name not in unsent
    }


def bent(value: Any, dice: random.Random) -> Any:
    """`value` with some parts replaced by those of `EDGES`, or written with a fraction."""
    if isinstance(value, dict):
        return {name: bent(inner, dice) for name, inner in value.items()}
    if isinstance(value, list):
        return [bent(inner, dice) for inner in value]
    if type(value) is int and dice.randrange(3) == 0:
        return float(value)
    return dice.choice(EDGES) if dice.randrange(6) == 0 else value


def requests(document: Document, dice: random.Random) -> Iterator[Any]:
    """Values that a client of `document` may send, though not all of them are valid."""
    raw = document.at(BODY)
    for _ in range(INSTANCES):
        value = Instances(document, dice).of(raw)
        yield sent(raw, value, document)
        yield sent(raw, bent(value, dice), document)
    yield from EDGES


def test_the_comparison_agrees_with_the_service() -> None:
    """What is called compatible refuses no request, and each proof is accepted before and refused after.

    The number of pairs is `DIFF_PAIRS` in the environment, by default 400; 20,000 take about a minute of computing.
    """
    counts, dice = Counter[str](), random.Random(11)  # noqa: S311 - no secret
    for old, new in pairs(12, PAIRS):
        before, after = validator(old), validator(new)
        if before is None or after is None:
            counts["not served"] += 1
            continue
        changes = compare(old, new)
        where = (old.document, new.document)
        if not any(change.is_break for change in changes):
            accepted = [value for value in requests(old, dice) if before.is_valid(value)]
            refused = [value for value in accepted if not after.is_valid(value)]
            assert not refused, (*where, refused[0])
            counts.update(compatible=1, accepted=len(accepted))
        for change in changes:
            if change.witness:
                value = change.witness.value
                assert before.is_valid(value), (*where, change)
                assert not after.is_valid(value), (*where, change)
                assert sent(old.at(BODY), value, old) == value, (*where, change)
                counts["proved"] += 1
    assert counts["compatible"] >= PAIRS // 5, counts
    assert counts["accepted"] >= PAIRS, counts
    assert counts["proved"] >= PAIRS // 5, counts
