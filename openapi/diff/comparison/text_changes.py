"""The changes that concern only readers: texts, examples, tags, the hosts of servers, and unknown extensions."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from openapi.contract import ITEM_SCHEMA, METHODS, ContractError, Document
from openapi.diff.comparison.changes import Change
from openapi.diff.comparison.operations import blank
from openapi.diff.comparison.request_changes import CODINGS, LIMIT
from openapi.schemas.conversion import Parts
from openapi.standards.json_pointer import parts_of, pointer

TEXTS = ("title", "summary", "description", "termsOfService", "contact", "license", "externalDocs", "tags", "example")
_KNOWN = {LIMIT, CODINGS, ITEM_SCHEMA, "x-sunset"}
VALUES = ("default", "enum", "const")
"""Members of schemas that are values, and not made of texts."""
OF_NAMES = (
    *("paths", "responses", "headers", "links", "content", "examples", "callbacks", "properties", "mapping"),
    *(
        "variables",
        "encoding",
        "securitySchemes",
        "scopes",
        "webhooks",
        "patternProperties",
        "dependentSchemas",
        "$defs",
    ),
)
"""Members whose keys are names."""


def compare(old: Document, new: Document) -> Iterator[Change]:
    """The changes of texts at the same place in both documents, each component once."""
    texts = _Texts(old, new)
    texts.waiting.append((_read(old), _read(new), ()))
    while texts.waiting:
        for parts in texts.differing(*texts.waiting.pop(0)):
            yield _changed(old, new, parts)


def _changed(old: Document, new: Document, parts: Parts) -> Change:
    """The change of the text at `parts`, or of the addresses of servers there."""
    where = pointer(*parts)
    if "servers" not in parts or parts[-1] not in ("servers", "url"):
        return Change("text-changed", where, True, None, (), _named(parts))
    end = parts.index("servers") + 1
    before, after = (_addresses(document, parts[:end]) for document in (old, new))
    return Change("server-host-changed", where, True, None, (), "servers", before, after)


def _addresses(document: Document, parts: Parts) -> list[str]:
    """The URLs of the servers at `parts`; none if the document has none, as at a path with other names."""
    try:
        servers = document.at(parts)
    except (ContractError, LookupError, TypeError, ValueError):
        return []
    return [str(server.get("url")) for server in servers if isinstance(server, dict)] if servers else []


def _named(parts: Parts) -> str:
    """A place for people: the operation that has it, and the way from there."""
    if parts[0] == "paths" and len(parts) > 2 and parts[2] in METHODS:
        return f"{parts[2].upper()} {parts[1]} {'/'.join(parts[3:])}"
    return "/".join(parts)


def _read(document: Document) -> dict[str, Any]:
    """The parts of `document` that have texts; components count at the references to them, and security schemes."""
    read = {key: value for key, value in document.document.items() if key not in ("components", "security", "openapi")}
    read["info"] = {key: value for key, value in document.document["info"].items() if key != "version"}
    components = document.document.get("components")
    if isinstance(components, dict) and isinstance(components.get("securitySchemes"), dict):
        read["components"] = {"securitySchemes": components["securitySchemes"]}
    return read


@dataclass(frozen=True, slots=True)
class _Texts:
    """The texts of two documents, with references followed."""

    old: Document
    new: Document
    seen: set[tuple[int, int]] = field(default_factory=set)
    """The identities of the compared objects: references may lead back to one."""
    waiting: list[tuple[Any, Any, Parts]] = field(default_factory=list)
    """The targets of references: a long chain of them is no deep recursion."""

    def differing(self, old: Any, new: Any, parts: Parts, is_names: bool = False) -> Iterator[Parts]:
        """The places at or below `parts` with different texts; with `is_names` its keys are names."""
        if isinstance(new, dict) and isinstance(new.get("$ref"), str):
            self.waiting.append((self.old.resolve(old), self.new.resolve(new), parts_of(new["$ref"])))
            return
        old, new = self.old.resolve(old), self.new.resolve(new)
        if isinstance(old, dict) and isinstance(new, dict):
            if (id(old), id(new)) in self.seen:
                return
            self.seen.add((id(old), id(new)))
            if parts == ("paths",):
                old = _named_as(old, new)
            for key in sorted(old.keys() | new.keys()):
                yield from self._member(key, old, new, parts, is_names)
        elif isinstance(old, list) and isinstance(new, list):
            if len(old) == len(new):
                for index, (old_item, new_item) in enumerate(zip(old, new, strict=True)):
                    yield from self.differing(old_item, new_item, (*parts, str(index)))
            elif parts[-1:] == ("servers",) and _hosts(old) != _hosts(new):
                yield parts

    def _member(
        self, key: str, old: dict[str, Any], new: dict[str, Any], parts: Parts, is_names: bool
    ) -> Iterator[Parts]:
        if parts[-1:] == ("scopes",) and is_names:
            if key in old and key in new and old[key] != new[key]:
                yield (*parts, key)
        elif not is_names and _is_text(key, parts):
            if _shown(key, old.get(key)) != _shown(key, new.get(key)):
                yield (*parts, key)
        elif key in old and key in new and (is_names or key not in VALUES):
            yield from self.differing(old[key], new[key], (*parts, key), not is_names and key in OF_NAMES)


def _named_as(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """`old` paths, with the names of their parameters as in `new`."""
    names = {blank(path): path for path in new}
    return {path if path in new else names.get(blank(path), path): item for path, item in old.items()}


def _hosts(servers: list[Any]) -> set[Any]:
    """The parts of the URLs of `servers` that only readers see."""
    return {str(_shown("url", server.get("url"))) for server in servers if isinstance(server, dict)}


def _shown(key: str, value: Any) -> Any:
    """The part of a text that only readers see: a URL without its path."""
    if key != "url" or not isinstance(value, str):
        return value
    try:
        return urlsplit(value)._replace(path="")
    except ValueError:
        return value


def _is_text(key: str, parts: Parts) -> bool:
    """True if `key` of an object at `parts`, which is no name, is a text."""
    if parts[:1] == ("paths",) and key in METHODS:
        return False
    is_in_schema = parts[:2] == ("components", "schemas") or not {"schema", ITEM_SCHEMA}.isdisjoint(parts)
    is_unknown = key.startswith("x-") and key not in _KNOWN and not is_in_schema
    is_host = key == "url" and "servers" in parts
    return key in TEXTS or key == "examples" or is_unknown or is_host
