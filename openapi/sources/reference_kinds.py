"""The kind of object that a reference stands for, from its place in a document of OpenAPI 3."""

from dataclasses import dataclass
from typing import Any

_OF_NAMES = {
    **dict.fromkeys(("properties", "patternProperties", "$defs", "dependentSchemas", "schemas"), "schemas"),
    **{kind: kind for kind in ("responses", "headers", "examples", "links", "callbacks", "requestBodies")},
    **dict.fromkeys(("paths", "webhooks", "pathItems"), "pathItems"),
    **dict.fromkeys(("securitySchemes",), "securitySchemes"),
    **dict.fromkeys(("content", "encoding", "variables", "mapping", "scopes", "x-item-schemas"), "schemas"),
}
"""Members whose keys are names: the kind of each value."""
_OTHERS = {"requestBody": "requestBodies", "parameters": "parameters", "example": "examples", "value": "examples"}
_LITERALS = frozenset({"default", "enum", "const"})
"""Not examples: many documents keep theirs in files, though OpenAPI has no reference there."""


@dataclass(frozen=True, slots=True)
class Place:
    """The kind of the value at a place, and if the keys there are names or indices."""

    kind: str = "schemas"
    is_names: bool = False
    is_mapping: bool = False
    """True for the mapping of a discriminator, whose values may be references."""

    def member(self, key: str, value: Any) -> "Place | None":
        """The place of `value`, a member; None if it is a literal, in which nothing is a reference."""
        if self.is_names:
            return Place(self.kind)
        if self.kind == "callbacks":
            return Place("pathItems")
        if key in _LITERALS:
            return None
        if key in _OF_NAMES:
            return Place(_OF_NAMES[key], is_names=isinstance(value, dict), is_mapping=key == "mapping")
        kind = _OTHERS.get(key, "schemas")
        return Place(kind, is_names=key == "parameters" and isinstance(value, dict))

    @property
    def item(self) -> "Place":
        """The place of an item of the list at this place."""
        return Place(self.kind)
