"""An OpenAPI document, read once. This module is the only reader of YAML."""

import copy
import hashlib
import json
import re
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import yaml

from openapi.standards.json_pointer import parts_of

DOCUMENTS = Path(__file__).parent / "documents"
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
MAX_BYTES = 4 * 1024 * 1024
MAX_DEPTH = 100
_SERVER_PATH = r"(?:/[A-Za-z0-9._~-]{1,100}){0,10}"
"""It is matched literally with request paths, and repeated in response headers."""
LARGE = 64 * 1024 * 1024
"""Limit on the bytes of a document that is only compared."""


class ContractError(ValueError):
    """A text is not a contract document; the message says where, and the reason."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a contract: its place, and the operationId, which names its handler."""

    path: str
    method: str
    operation_id: str
    pointer: tuple[str, ...]


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
        document = _load(text, max_bytes)
        if not isinstance(document, dict) or not isinstance(document.get("info"), dict):
            raise ContractError("the document is not an OpenAPI object with an info object")
        return cls(text, document)

    @classmethod
    def of_file(cls, path: Path, max_bytes: int = MAX_BYTES) -> Self:
        """The document in the file at `path`; ContractError if it is not one, OSError if the file cannot be read."""
        with path.open("rb") as file:
            content = file.read(max_bytes + 1)
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
        for path, item in self.document.get("paths", {}).items():
            if path.startswith("/"):  # other names are extensions
                operations = _object(self.resolve(item), path)
                for method in METHODS:
                    if method in operations:
                        operation_id = _object(operations[method], f"{method} {path}").get("operationId", "")
                        listed.append(Operation(path, method, str(operation_id), ("paths", path, method)))
        return tuple(listed)

    def as_yaml(self) -> str:
        """The document as YAML: the published text, converted if it is JSON."""
        try:
            json.loads(self.text)
        except ValueError:
            return self.text
        return yaml.dump(self.document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)

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
            node = node[int(part)] if isinstance(node, list) else node[part]
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

    def _at(self, reference: str) -> Any:
        node: Any = self.document
        for name in parts_of(reference):
            try:
                node = node[int(name)] if isinstance(node, list) else node[name]
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
        if not (isinstance(version, str) and re.fullmatch(r"[1-9][0-9]{0,3}\.(0|[1-9][0-9]{0,3})", version)):
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
        flows = [flow for scheme in map(self.resolve, schemes) for flow in scheme.get("flows", {}).values()]
        return {name: str(description) for flow in flows for name, description in flow.get("scopes", {}).items()}

    def parameters(self, pointer: tuple[str, ...]) -> list[dict[str, Any]]:
        """The parameters of the operation at `pointer` and of its path item; the operation may override the latter."""
        nodes = (self.at(pointer[:-1]), self.at(pointer))
        declared = [self.resolve(parameter) for node in nodes for parameter in node.get("parameters", [])]
        return list({(parameter["name"], parameter["in"]): parameter for parameter in declared}.values())


def published() -> list[Contract]:
    """The contracts that come with this release, lowest version first; read once."""
    return list(_contracts(DOCUMENTS))


@cache
def _contracts(folder: Path) -> tuple[Contract, ...]:
    contracts = [Contract.of_file(path) for path in folder.glob("*.yaml")]
    return tuple(sorted(contracts, key=lambda contract: contract.numbers))


def _object(node: Any, name: str) -> dict[str, Any]:
    """`node`; raises ContractError, with `name`, if it is not an object."""
    if not isinstance(node, dict):
        raise ContractError(f"{name[:100]} is not an object")
    return node


_TOO_DEEP = f"the document is nested more than {MAX_DEPTH} levels deep"


class _Loader(yaml.CSafeLoader):
    """YAML with only the types of JSON: no dates, no octal numbers, no `yes`; and no duplicate keys."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 (PyYAML's own attribute)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        mapping: dict[Hashable, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "a key is not a string", key.start_mark)
            if key.value in mapping:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} stands twice", key.start_mark
                )
            mapping[key.value] = self.construct_object(value, deep=deep)
        return mapping


class _Dumper(yaml.CSafeDumper):
    """YAML with quotes around each string that YAML 1.1 or `_Loader` would otherwise read as another type."""


_NUMBER = r"-?(?:0|[1-9][0-9]*)"
for _tag, _pattern, _first in (
    ("null", r"null|~|", [*"n~", ""]),
    ("bool", r"true|false", "tf"),
    ("int", _NUMBER, "-0123456789"),
    ("float", _NUMBER + r"(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?", "-0123456789"),
):
    for _class in (_Loader, _Dumper):
        _class.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first))

_OF_PYTHON = re.compile(r"^(Out of range float values are not JSON compliant): .*", re.DOTALL)
"""The message of Python 3.12 and later; the group is the message of earlier versions."""


def _load(text: str, max_bytes: int) -> Any:
    if len(text.encode("utf-8", "surrogatepass")) > max_bytes:
        raise ContractError(f"the document is larger than {max_bytes} bytes")
    try:
        document = _of_json(text) if text.startswith("{") else _of_yaml(text)
        json.dumps(document, allow_nan=False).encode("utf-8")
    except ContractError:
        raise
    except (yaml.YAMLError, ValueError) as error:
        reason = _OF_PYTHON.sub(r"\1", str(error))
        raise ContractError(f"the document is not YAML with the types of JSON: {reason}") from None
    return document


def _of_json(text: str) -> Any:
    """The value of `text`, which begins like JSON; other YAML may also begin so."""
    try:
        document = json.loads(text, object_pairs_hook=_once_each)
        if _is_deeper(document, MAX_DEPTH):
            raise RecursionError
    except json.JSONDecodeError:
        return _of_yaml(text)
    except RecursionError:
        raise ContractError(_TOO_DEEP) from None
    return document


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ContractError(f"the key {twice!r} stands twice")
    return mapping


def _is_deeper(document: Any, levels: int) -> bool:
    row = [document]
    for _ in range(levels + 1):
        row = [
            inner
            for node in row
            if isinstance(node, dict | list)
            for inner in (node.values() if isinstance(node, dict) else node)
        ]
    return bool(row)


def _of_yaml(text: str) -> Any:
    _refuse_hostile_yaml(text)
    return yaml.load(text, _Loader)  # noqa: S506 (a subclass of CSafeLoader)


def _refuse_hostile_yaml(text: str) -> None:
    """Refuse aliases, tags and deep nesting before any value is built: they could grow or recurse without bound."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.AliasEvent):
            raise ContractError(f"line {_line(event)}: YAML aliases are not accepted")
        if getattr(event, "tag", None) is not None:
            raise ContractError(f"line {_line(event)}: YAML tags are not accepted")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise ContractError(_TOO_DEEP)


def _nodes(node: Any) -> Iterator[Any]:
    """`node` and all its descendants; the depth of a document is bounded."""
    yield node
    if isinstance(node, dict | list):
        for inner in node.values() if isinstance(node, dict) else node:
            yield from _nodes(inner)


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 0
