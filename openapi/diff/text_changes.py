"""The changes that concern only readers: texts, examples, tags, the hosts of servers, and unknown extensions."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from openapi.contract import ITEM_SCHEMA, METHODS, Document
from openapi.diff.changes import Change
from openapi.diff.request_changes import CODINGS, LIMIT
from openapi.schemas.conversion import Parts
from openapi.standards.json_pointer import pointer

TEXTS = ("title", "summary", "description", "termsOfService", "contact", "license", "externalDocs", "tags", "example")
_KNOWN = {LIMIT, CODINGS, ITEM_SCHEMA}
_SCHEMAS = ("schema", "schemas", ITEM_SCHEMA)


def compare(old: Document, new: Document) -> Iterator[Change]:
    """The changes of texts at the same place in both documents, except in schemas."""
    for parts in _Texts(old, new).differing(_read(old), _read(new), ()):
        yield Change("text-changed", pointer(*parts), True, None, (), "/".join(parts[-2:]))


def _read(document: Document) -> dict[str, Any]:
    """The parts of `document` that have texts; components count at the references to them."""
    read = {key: value for key, value in document.document.items() if key not in ("components", "security", "openapi")}
    read["info"] = {key: value for key, value in document.document["info"].items() if key != "version"}
    return read


@dataclass(frozen=True, slots=True)
class _Texts:
    """The texts of two documents, with references followed."""

    old: Document
    new: Document
    seen: set[tuple[int, int]] = field(default_factory=set)
    """The identities of the compared objects: references may lead back to one."""

    def differing(self, old: Any, new: Any, parts: Parts) -> Iterator[Parts]:
        """The places at or below `parts` with different texts."""
        old, new = self.old.resolve(old), self.new.resolve(new)
        if isinstance(old, dict) and isinstance(new, dict):
            if (id(old), id(new)) in self.seen:
                return
            self.seen.add((id(old), id(new)))
            for key in sorted(old.keys() | new.keys()):
                yield from self._member(key, old, new, parts)
        elif isinstance(old, list) and isinstance(new, list):
            if len(old) == len(new):
                for index, (old_item, new_item) in enumerate(zip(old, new, strict=True)):
                    yield from self.differing(old_item, new_item, (*parts, str(index)))
            elif parts[-1:] == ("servers",) and _hosts(old) != _hosts(new):
                yield parts

    def _member(self, key: str, old: dict[str, Any], new: dict[str, Any], parts: Parts) -> Iterator[Parts]:
        if _is_text(key, parts):
            if _shown(key, old.get(key)) != _shown(key, new.get(key)):
                yield (*parts, key)
        elif key in old and key in new and key not in _SCHEMAS:
            yield from self.differing(old[key], new[key], (*parts, key))


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
    """True if `key` of an object at `parts` is a text, and not the name of a path, a status or the like."""
    is_name = parts[-1:] in (
        ("paths",),
        ("responses",),
        ("headers",),
        ("links",),
        ("content",),
        ("examples",),
        ("callbacks",),
    )
    if is_name or (parts[:1] == ("paths",) and key in METHODS):
        return False
    is_unknown = key.startswith("x-") and key not in _KNOWN
    is_host = key == "url" and "servers" in parts
    return key in TEXTS or key == "examples" or is_unknown or is_host
