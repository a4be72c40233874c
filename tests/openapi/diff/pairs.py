"""Pairs of documents with a label each: the tables in `labels`, decided by a person and never by the code.

A label is the class of the new version, `!` if a client of the old document can fail, and the rules of all changes:
`major! request-maxLength-narrowed`.
"""

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from openapi.contract import Document
from openapi.diff.announced import announced
from openapi.diff.comparison.changes import Change
from openapi.diff.comparison.compare import compare
from openapi.diff.rules import UNDECIDED, judge, overall

FOLDER = Path(__file__).parent / "labels"
PATH, METHOD = "/things/{id}", "put"
OF_A_NARROWING = (
    ("request", "wide", "narrow", "major! request-{}-narrowed"),
    ("request", "narrow", "wide", "minor request-{}-widened"),
    ("response", "wide", "narrow", "major response-{}-narrowed"),
    ("response", "narrow", "wide", "major! response-{}-widened"),
)
"""The policy for narrowed and widened schemas: direction, key of the old schema, key of the new one, label."""
NEVER_NAMED = ("undecided", "undecided-narrowed", "response-undecided-widened")
"""The ends of rules without a row: those of undecided changes."""


class Label(NamedTuple):
    """The expected result for a pair."""

    kind: str
    is_break: bool
    rules: frozenset[str]

    @classmethod
    def of(cls, changes: list[Change]) -> "Label":
        """The label of `changes`."""
        is_break = any(change.is_break for change in changes)
        return cls(overall(changes).name.lower(), is_break, frozenset(change.rule for change in changes))

    @classmethod
    def read(cls, text: str) -> "Label":
        """The label that a table writes as `text`."""
        kind, *names = text.split()
        return cls(kind.rstrip("!"), kind.endswith("!"), frozenset(names))


@dataclass(frozen=True, eq=False)
class Pair:
    """Two documents, and their label."""

    table: str
    name: str
    old: Document
    new: Document
    label: Label
    today: date = date.min
    """The day on which announced removals pass."""

    @cache  # noqa: B019 (the pairs are constants)
    def changes(self) -> list[Change]:
        """The changes that the comparison reports."""
        return [announced(change, self.today) for change in compare(self.old, self.new)]

    @property
    def is_met(self) -> bool:
        """True if the result is the label, and each change that can have a row of the policy has one."""
        changes = self.changes()
        is_named = all(judge(change) is not UNDECIDED for change in changes if not change.rule.endswith(NEVER_NAMED))
        return Label.of(changes) == self.label and is_named


def _rows(table: str) -> Any:
    return yaml.safe_load((FOLDER / f"{table}.yaml").read_text())


BASE: dict[str, Any] = _rows("base")


def patched(target: Any, patch: Any) -> Any:
    """`target` with a merge patch (RFC 7396 section 2)."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = patched(result.get(name), value)
    return result


def _document(raw: dict[str, Any]) -> Document:
    return Document.read(json.dumps(raw))


def _of_operation(patch: Any, parameters: list[Any] | None = None) -> Document:
    raw = patched(copy.deepcopy(BASE), {"paths": {PATH: {METHOD: patch}}})
    raw["paths"][PATH][METHOD]["parameters"] += parameters or []
    return _document(raw)


def _of_schema(direction: str, schema: Any, components: dict[str, Any]) -> Document:
    """The base document with `schema` for the body of the request, or of the answer."""
    raw = copy.deepcopy(BASE)
    raw["components"]["schemas"] |= components
    operation = raw["paths"][PATH][METHOD]
    holder = operation["requestBody"] if direction == "request" else operation["responses"]["200"]
    holder["content"]["application/json"]["schema"] = schema
    return _document(raw)


def _schemas(row: dict[str, Any], direction: str, one: str, other: str) -> tuple[Document, Document]:
    """The documents of `row`'s schemas `one` and `other`; its components are shared, or given for each."""
    components = row.get("components", {})
    documents = (_of_schema(direction, row[key], components.get(key, components)) for key in (one, other))
    return next(documents), next(documents)


def _narrowings() -> Iterator[Pair]:
    for row in _rows("narrowings"):
        for direction, old, new, label in OF_A_NARROWING:
            kind, rule = label.split()
            text = " ".join([kind, *(rule.format(keyword) for keyword in row["by"].split())])
            name = f"{row['name']}: {direction} from {old} to {new}"
            yield Pair("narrowings", name, *_schemas(row, direction, old, new), Label.read(text))


def _schema_pairs() -> Iterator[Pair]:
    for row in _rows("schemas"):
        for direction in ("request", "response"):
            kind, *rules = row[direction].split()
            named = (rule if rule == "text-changed" else f"{direction}-{rule}" for rule in rules)
            label = Label.read(" ".join([kind, *named]))
            documents = _schemas(row, direction, "old", "new")
            yield Pair("schemas", f"{row['name']}: {direction}", *documents, label)


def _equivalents() -> Iterator[Pair]:
    for row in _rows("equivalents"):
        for direction in ("request", "response"):
            one, other = _schemas(row, direction, "one", "other")
            for name, old, new in (("said", one, other), ("unsaid", other, one)):
                label = Label.read("none")
                yield Pair("equivalents", f"{row['name']}: {direction} {name}", old, new, label)


def _patches() -> Iterator[Pair]:
    for table in ("parameters", "bodies", "answers", "documents", "sunsets"):
        for row in _rows(table):
            old, new = (_patch_of(table, row, key) for key in ("old", "new"))
            yield Pair(table, row["name"], old, new, Label.read(row["label"]), row.get("today", date.min))


def _patch_of(table: str, row: dict[str, Any], key: str) -> Document:
    match table:
        case "parameters":
            return _of_operation({}, row[key])
        case "bodies":
            return _of_operation(row[key])
        case "answers":
            return _of_operation({"responses": row[key]}, row.get("parameters") if key == "new" else None)
    return _document(patched(BASE, row[key]))


PAIRS = [*_narrowings(), *_schema_pairs(), *_equivalents(), *_patches()]
