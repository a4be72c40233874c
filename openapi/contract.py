"""An OpenAPI document, read once."""

import copy
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from openapi import document_text
from openapi.document_text import Parts, TextError
from openapi.standards.json_pointer import member, parts_of
from openapi.standards.media_types import NDJSON

DOCUMENTS = Path(__file__).parent / "documents"
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
MAX_BYTES = 4 * 1024 * 1024
_SERVER_PATH = r"(?:/[A-Za-z0-9._~-]{1,100}){0,10}"
"""It is matched literally with request paths, and repeated in response headers."""
ITEM_SCHEMA = "x-item-schema"
"""A member of a media type object: the schema of each line of NDJSON. OpenAPI 3.0 applies `schema` to all of them."""
LARGE = 64 * 1024 * 1024
"""Limit on the bytes of a document that is only compared."""
VERSION = re.compile(r"[1-9][0-9]{0,3}\.(0|[1-9][0-9]{0,3})")
"""The form of the version of a contract: MAJOR.MINOR."""
_JSON = re.compile(r"application/(?:[\w.-]+\+)?json")


def schema_key(media_type: str, declared: Mapping[str, Any]) -> str:
    """The member of the media type object `declared` that holds the schema of its JSON values.

    For NDJSON that is ITEM_SCHEMA; documents published before 2026-12 have it in `schema`.
    """
    return ITEM_SCHEMA if essence(media_type) == NDJSON and ITEM_SCHEMA in declared else "schema"


def essence(media_type: str) -> str:
    """`media_type` in lower case, without its parameters (WHATWG MIME Sniffing section 3.2)."""
    return media_type.partition(";")[0].strip().lower()


def is_json(media_type: str) -> bool:
    """True for JSON, and for each type with its suffix (RFC 6839 section 3.1)."""
    return _JSON.fullmatch(essence(media_type)) is not None


class ContractError(ValueError):
    """A text is not a contract document; the message says where, and the reason."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a contract: its place, and the operationId, which names its handler."""

    path: str
    method: str
    operation_id: str
    pointer: tuple[str, ...]

    @property
    def name(self) -> str:
        """Its operationId or, without one, its method and path."""
        return self.operation_id or f"{self.method} {self.path}"


@dataclass(frozen=True)
class Document:
    """An OpenAPI document; a reference that is followed must stay within it.

    `text` is the published text; documents with the same `digest` have the same content.
    """

    text: str = field(repr=False)
    document: dict[str, Any] = field(repr=False)

    @classmethod
    def read(cls, text: str, max_bytes: int = MAX_BYTES) -> Self:
        """The document in `text` (YAML 1.2 or JSON); raises ContractError if it is not one."""
        try:
            document = document_text.read(text, max_bytes)
        except TextError as error:
            raise ContractError(str(error)) from None
        if not isinstance(document, dict) or not isinstance(document.get("info"), dict):
            raise ContractError("the document is not an OpenAPI object with an info object")
        return cls(text, document)

    @classmethod
    def of_file(cls, path: Path, max_bytes: int = MAX_BYTES) -> Self:
        """The document in the file at `path`; ContractError if it is not one, OSError if the file cannot be read."""
        with path.open("rb") as file:
            return cls.of_bytes(file.read(max_bytes + 1), max_bytes)

    @classmethod
    def of_bytes(cls, content: bytes, max_bytes: int = MAX_BYTES) -> Self:
        """The document in `content`, a text in UTF-8; raises ContractError if it is not one."""
        try:
            return cls.read(content.decode("utf-8"), max_bytes)
        except UnicodeDecodeError as error:
            raise ContractError(f"byte {error.start} is not UTF-8") from None

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the document in hexadecimal, independent of layout, comments and the order of keys."""
        canonical = json.dumps(self.document, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()

    @cached_property
    def server_path(self) -> str:
        """The path of the first server, without a trailing slash: the prefix of the paths of operations."""
        try:
            server: Any = self.document["servers"][0] if self.document.get("servers") else {"url": ""}
            values = {name: str(variable["default"]) for name, variable in server.get("variables", {}).items()}
            path = urlsplit(re.sub(r"\{(.*?)\}", lambda match: values[match[1]], server["url"])).path.rstrip("/")
        except (LookupError, TypeError, AttributeError, ValueError):
            raise ContractError("the first of its servers has no URL") from None
        if not re.fullmatch(_SERVER_PATH, path):
            raise ContractError("the path of its first server is not made of segments like /api/v1")
        return path

    @cached_property
    def operations(self) -> tuple[Operation, ...]:
        """Every operation, in the order of the document, also behind a `$ref`; the operationId is empty if absent.

        Raises ContractError if a path item or an operation is not an object.
        """
        listed = []
        for path, item in _object(self.document.get("paths", {}), "paths").items():
            if path.startswith("/"):  # other names are extensions
                operations = _object(self.resolve(item), path)
                for method in METHODS:
                    if method in operations:
                        operation_id = _object(operations[method], f"{method} {path}").get("operationId", "")
                        listed.append(Operation(path, method, str(operation_id), ("paths", path, method)))
        return tuple(listed)

    @property
    def paths(self) -> list[str]:
        """The path of each operation, as a template with the path of the server."""
        return [self.server_path + operation.path for operation in self.operations]

    def as_yaml(self) -> str:
        """The document as YAML: the text as it was published, unless that is JSON."""
        return document_text.write(self.document) if self.is_json else self.text

    def with_strings(self, strings: Mapping[Parts, str]) -> Self:
        """A copy with other strings at the places of `strings`; its text has the same layout and comments."""
        document = self.copy()
        for parts, string in strings.items():
            node: Any = document
            for part in parts[:-1]:
                node = member(node, part)
            node[parts[-1]] = string
        text = json.dumps(document) if self.is_json else document_text.with_strings(self.text, strings)
        return type(self)(text, document)

    @cached_property
    def is_json(self) -> bool:
        """True if the text is JSON."""
        try:
            json.loads(self.text)
        except ValueError:
            return False
        return True

    def copy(self) -> dict[str, Any]:
        """A deep copy of the document, for changes."""
        return copy.deepcopy(self.document)

    def without_patterns(self) -> dict[str, Any]:
        """A copy without the patterns of schemas, for libraries that would match them with Python's `re` (ReDoS)."""
        document = self.copy()
        for node in _nodes(document):
            if isinstance(node, dict) and isinstance(node.get("pattern"), str):
                del node["pattern"]
        return document

    def at(self, parts: Iterable[str]) -> Any:
        """The value at the pointer of `parts`; references are followed on the way and at the end."""
        node: Any = self.document
        for part in parts:
            node = self.resolve(node)
            node = member(node, part)
        return self.resolve(node)

    def resolve(self, node: Any) -> Any:
        """`node`, or the target of its reference; raises ContractError if the target is not in this document."""
        seen = set()
        while isinstance(node, dict) and isinstance(reference := node.get("$ref"), str):
            if not reference.startswith("#/"):
                raise ContractError(f"$ref {reference!r} does not stay within the document")
            if reference in seen:
                raise ContractError(f"$ref {reference!r} leads back to itself")
            seen.add(reference)
            node = self._at(reference)
        return node

    def parameters(self, pointer: tuple[str, ...]) -> list[dict[str, Any]]:
        """The parameters of the operation at `pointer` and of its path item; the operation may override the latter."""
        nodes = (self.at(pointer[:-1]), self.at(pointer))
        declared = [self.resolve(parameter) for node in nodes for parameter in node.get("parameters", [])]
        return list({(parameter["name"], parameter["in"]): parameter for parameter in declared}.values())

    def _at(self, reference: str) -> Any:
        node: Any = self.document
        for name in parts_of(reference):
            try:
                node = member(node, name)
            except (KeyError, IndexError, ValueError, TypeError):
                raise ContractError(f"$ref {reference!r} leads nowhere") from None
        return node


class Contract(Document):
    """A document that can be published: it has a version, and all of its references resolve within it."""

    @classmethod
    def read(cls, text: str, max_bytes: int = MAX_BYTES) -> Self:
        """The contract in `text` (YAML 1.2 or JSON); raises ContractError if it is not one."""
        contract = super().read(text, max_bytes)
        version = contract.document["info"].get("version")
        if not (isinstance(version, str) and VERSION.fullmatch(version)):
            raise ContractError("info.version is not of the form MAJOR.MINOR, for instance '1.0' (quote it in YAML)")
        for node in _nodes(contract.document):
            contract.resolve(node)
        return contract

    @property
    def version(self) -> str:
        """`info.version`: MAJOR.MINOR."""
        return str(self.document["info"]["version"])

    @property
    def numbers(self) -> tuple[int, int]:
        """MAJOR and MINOR; versions sort by them."""
        major, minor = self.version.split(".")
        return int(major), int(minor)

    @property
    def major(self) -> int:
        """MAJOR."""
        return self.numbers[0]

    @cached_property
    def scopes(self) -> dict[str, str]:
        """The scopes of access tokens, each with its description, in the order of the document."""
        schemes = self.document.get("components", {}).get("securitySchemes", {}).values()
        flows = [
            flow
            for scheme in map(self.resolve, schemes)
            for name, flow in scheme.get("flows", {}).items()
            if not name.startswith("x-")
        ]
        return {name: str(description) for flow in flows for name, description in flow.get("scopes", {}).items()}

    def required_scopes(self, operation_id: str) -> list[frozenset[str]]:
        """The scopes that the operation requires of an access token, a set for each way; none if it takes no tokens."""
        ways = [
            frozenset(str(scope) for scopes in way.values() for scope in scopes)
            for operation in self.operations
            if operation.operation_id == operation_id
            for way in self.at(operation.pointer).get("security", self.document.get("security", []))
        ]
        return [way for way in ways if way]


def published() -> list[Contract]:
    """The contracts that come with this release, lowest version first; read once."""
    return list(_contracts(DOCUMENTS))


def of_release(version: str) -> Contract:
    """The contract `version` of this release; ContractError if it has none."""
    contracts = {contract.version: contract for contract in published()}
    if version not in contracts:
        raise ContractError(f"this release has no contract {version[:20]}: it has {', '.join(contracts)}")
    return contracts[version]


@cache
def _contracts(folder: Path) -> tuple[Contract, ...]:
    contracts = [Contract.of_file(path) for path in folder.glob("*.yaml")]
    return tuple(sorted(contracts, key=lambda contract: contract.numbers))


def _object(node: Any, name: str) -> dict[str, Any]:
    """`node`; raises ContractError, with `name`, if it is not an object."""
    if not isinstance(node, dict):
        raise ContractError(f"{name[:100]} is not an object")
    return node


def _nodes(node: Any) -> Iterator[Any]:
    """`node` and all its descendants; the depth of a document is bounded."""
    yield node
    if isinstance(node, dict | list):
        for inner in node.values() if isinstance(node, dict) else node:
            yield from _nodes(inner)
