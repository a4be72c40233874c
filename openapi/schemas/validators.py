"""Compiled schemas of several documents: their accepted values, and the proofs of jsonschema-rs about them."""

import itertools
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any
from urllib.parse import unquote

import jsonschema_rs
from jsonschema_rs.canonical import CanonicalizationError, Containment, Satisfiability

from openapi.budget import Limit
from openapi.schemas.conversion import Node, Schema, Schemas
from openapi.schemas.directions import LISTS
from openapi.schemas.validation import FORMATS, UUID_PATTERN

_Validator = jsonschema_rs.Draft4Validator | jsonschema_rs.Draft202012Validator
MOST_VALUES, MOST_ALTERNATIVES = 1_000, 64
"""Limits on a schema that is canonicalized, which may take exponential time (jsonschema-rs 0.60)."""
MOST_WEIGHED = Limit(500_000, 10)
"""Limit on the values in all canonicalized schemas of one run."""
PER_VALUE = 4
"""Characters of a pattern that count as one value: comparing patterns takes quadratic time."""
_OTHER_WORDS = {"$schema", "id", "const", "exclusiveMinimum", "exclusiveMaximum", "required"}
"""Keywords that draft 4 writes in another way, or that it alone knows."""
MOST_ERRORS = 20
"""Limit on the errors of one value that are read."""
BACKTRACKING = 100_000
"""Limit on the steps of a pattern for one value."""


class Validators:
    """Compiles schemas that refer into several documents of one language."""

    def __init__(self, *schemas: Schemas, most_weighed: Limit = MOST_WEIGHED) -> None:
        """At most `most_weighed` values in all schemas are canonicalized."""
        self._schemas = schemas
        self.is_fraction_ignored = not schemas or any(each.is_fraction_ignored for each in schemas)
        """True if 2.0 is an integer in one of the documents; then it is one in all, and draft 2020-12 is compiled."""
        self._draft = jsonschema_rs.Draft202012 if self.is_fraction_ignored else jsonschema_rs.Draft4
        self._compiler: type[_Validator] = (
            jsonschema_rs.Draft202012Validator if self.is_fraction_ignored else jsonschema_rs.Draft4Validator
        )
        self._translated: dict[int, Any] = {}
        self._made: dict[tuple[int, ...], _Validator | None] = {}
        self._canonicals: dict[tuple[int, ...], jsonschema_rs.CanonicalSchema | None] = {}
        self._most_weighed, self._weighed = most_weighed, 0
        self._held: list[Node] = []  # keeps nodes alive, because their identities are keys

    @cached_property
    def _registry(self) -> jsonschema_rs.Registry:
        """The targets of references; all schemas must be converted before."""
        return self._registry_of(self._in_draft)

    @cached_property
    def _canonical_registry(self) -> jsonschema_rs.Registry:
        return self._registry_of(self._to_canonicalize)

    def _registry_of(self, translated: Callable[[Schema], Any]) -> jsonschema_rs.Registry:
        resources = []
        for schemas in self._schemas:
            prefix = f"{schemas.name}#/$defs/"
            targets = {
                unquote(reference[len(prefix) :]).replace("~1", "/").replace("~0", "~"): translated(schema)
                for reference, schema in schemas.targets.items()
            }
            resources.append((schemas.name, {"$defs": targets}))
        return jsonschema_rs.Registry(resources, draft=self._draft)

    def accepts(self, node: Node, value: Any) -> bool | None:
        """True if `value` satisfies `node`; None if a schema cannot be compiled, or `value` has no UTF-8."""
        validator = self._of(node)
        try:
            return None if validator is None else validator.is_valid(value)
        except UnicodeEncodeError:
            return None

    def refusal(self, node: Node, value: Any) -> str:
        """The keyword that makes `node` refuse `value`; "anyOf" if unknown."""
        validator = self._of(node)
        error = next(validator.iter_errors(value), None) if validator else None
        return error.kind.name if error else "anyOf"

    def refusals(self, node: Node, value: Any) -> set[str]:
        """The keywords that make `node` refuse `value`; empty if that is unknown."""
        validator = self._of(node)
        try:
            errors = validator.iter_errors(value) if validator else ()
            return {error.kind.name for error in itertools.islice(errors, MOST_ERRORS)}
        except UnicodeEncodeError:
            return set()

    def covers(self, big: Node, small: Node) -> bool:
        """True if jsonschema-rs can show that `big` accepts all values that `small` accepts."""
        canonical_big, canonical_small = self._canonical(big), self._canonical(small)
        if canonical_big is None or canonical_small is None:
            return False
        try:
            return canonical_big.covers(canonical_small) == Containment.YES
        except CanonicalizationError:
            return False

    def is_unsatisfiable(self, node: Node) -> bool:
        """True if jsonschema-rs can show that no value satisfies `node`."""
        canonical = self._canonical(node)
        return canonical is not None and canonical.satisfiability() == Satisfiability.NO

    def _canonical(self, node: Node) -> jsonschema_rs.CanonicalSchema | None:
        if node.key not in self._canonicals:
            self._held.append(node)
            self._canonicals[node.key] = self._canonicalized(node)
        return self._canonicals[node.key]

    def _canonicalized(self, node: Node) -> jsonschema_rs.CanonicalSchema | None:
        if self._is_large(node):
            return None
        try:
            return jsonschema_rs.canonicalize(
                _conjunction(map(self._to_canonicalize, node.schemas)),
                draft=self._draft,
                validate_formats=True,
                registry=self._canonical_registry,
                offline=True,
            )
        except (CanonicalizationError, ValueError, jsonschema_rs.ReferencingError):
            return None

    def _is_large(self, node: Node) -> bool:
        """True if `node`, with all its references, exceeds the limits on canonicalized schemas."""
        if self._weighed >= self._most_weighed.of(sum(len(each.places) for each in self._schemas)):
            return True
        waiting: list[Any] = list(node.schemas)
        seen, values, alternatives = set[str](), 0, 1
        while waiting and values <= MOST_VALUES and alternatives <= MOST_ALTERNATIVES:
            value = waiting.pop()
            values += 1
            if isinstance(value, dict):
                waiting += value.values()
                values += len(str(value.get("pattern", ""))) // PER_VALUE
                for key in ("anyOf", "oneOf"):
                    branches = value.get(key)
                    alternatives *= max(1, len(branches)) if isinstance(branches, list) else 1
                reference = value.get("$ref")
                if isinstance(reference, str) and reference not in seen:
                    seen.add(reference)
                    waiting += [schemas.targets[reference] for schemas in self._schemas if reference in schemas.targets]
            elif isinstance(value, list):
                waiting += value
        self._weighed += values
        return bool(waiting)

    def _of(self, node: Node) -> _Validator | None:
        if node.key not in self._made:
            self._held.append(node)
            self._made[node.key] = self._compiled(node)
        return self._made[node.key]

    def _compiled(self, node: Node) -> _Validator | None:
        try:
            return self._compiler(
                _conjunction(map(self._in_draft, node.schemas)),
                registry=self._registry,
                formats=FORMATS,
                validate_formats=True,
                pattern_options=jsonschema_rs.FancyRegexOptions(backtrack_limit=BACKTRACKING),
                offline=True,
            )
        except (ValueError, jsonschema_rs.ReferencingError):
            return None

    def _to_canonicalize(self, schema: Schema) -> Any:
        """`schema` in the draft that is compiled; the format `uuid`, which draft 4 does not know, as a pattern."""
        translated = self._in_draft(schema)
        return translated if self.is_fraction_ignored else _with_uuids_as_patterns(translated)

    def _in_draft(self, schema: Schema) -> Any:
        """`schema` in the draft that is compiled."""
        if self.is_fraction_ignored:
            return schema
        if isinstance(schema, bool):
            return {} if schema else {"not": {}}
        if id(schema) not in self._translated:
            self._held.append(Node((schema,)))
            self._translated[id(schema)] = self._in_draft_4(schema)
        return self._translated[id(schema)]

    def _in_draft_4(self, schema: dict[str, Any]) -> dict[str, Any]:
        """`schema` in draft 4: exclusive bounds are flags, and `required` lists at least one name."""
        translated = {key: value for key, value in schema.items() if key not in _OTHER_WORDS}
        for key in LISTS:
            if key in schema:
                translated[key] = [self._in_draft(inner) for inner in schema[key]]
        for key in ("items", "not", "additionalProperties"):
            if key in schema:
                translated[key] = self._in_draft(schema[key])
        if "properties" in schema:
            translated["properties"] = {name: self._in_draft(inner) for name, inner in schema["properties"].items()}
        more: list[dict[str, Any]] = [{"enum": [schema["const"]]}] if "const" in schema else []
        for key, excluded in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
            if excluded in schema:
                more.append({key: schema[excluded], excluded: True})
        if schema.get("required"):
            translated["required"] = schema["required"]
        return {**translated, "allOf": [*translated.get("allOf", []), *more]} if more else translated


def _conjunction(schemas: Iterable[Any]) -> dict[str, Any]:
    return {"allOf": [{}, *schemas]}


def _with_uuids_as_patterns(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_with_uuids_as_patterns(inner) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    copied = {key: value if key == "enum" else _with_uuids_as_patterns(value) for key, value in schema.items()}
    if copied.get("format") == "uuid":
        del copied["format"]
        copied["allOf"] = [*copied.get("allOf", []), {"pattern": UUID_PATTERN}]
    return copied
