"""What a client offers, whatever its language."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from openapi.generate.types import Declaration, Property, Type


@dataclass(frozen=True, slots=True)
class Argument:
    """A parameter; `location` is path, query or header."""

    location: str
    property: Property


@dataclass(frozen=True, slots=True)
class Batch:
    """Many items in one request; `key_field` and `time_field` are empty if an item has no such field.

    `sample` is an item of an example of the document, None without one.
    """

    item: Type
    result: Type
    max_items: int
    max_bytes: int
    max_item_bytes: int
    key_field: str
    time_field: str
    sample: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class ClientOperation:
    """An operation as a method; names are in snake case, and `path` has the path of the server.

    `result` is the type of a success with JSON, None if it has no content. `stream` is the type of a line if a success
    is a stream, and `page_item` that of an item if it is a page of a list.
    """

    name: str
    resource: str
    verb: str
    method: str
    path: str
    summary: str
    description: str
    scopes: tuple[str, ...]
    needs_credentials: bool
    arguments: tuple[Argument, ...]
    body: Type | None
    body_media_type: str
    body_is_required: bool
    takes_key: bool
    takes_gzip: bool
    accept: str
    result: Type | None
    stream: Type | None
    page_item: Type | None
    batch: Batch | None

    @property
    def text(self) -> str:
        """What the document says of the operation: its summary, its description, and its scopes."""
        scopes = f"\n\nScopes: {', '.join(self.scopes)}." if self.scopes else ""
        return f"{self.summary or self.name}\n\n{self.description}{scopes}"


@dataclass(frozen=True, slots=True)
class Security:
    """How a client authenticates: `bearer`, `oauth2` with the path or URL of a token endpoint, `header`, or `none`."""

    kind: str
    header: str = ""
    token_url: str = ""
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ClientModel:
    """Everything that a client is made of."""

    title: str
    version: str
    digest: str
    description: str
    security: Security
    types: list[Declaration]
    operations: list[ClientOperation] = field(repr=False)

    @property
    def about(self) -> str:
        """The head of each file that is made from the document."""
        return (
            f"{self.title} {self.version}.\n\n"
            f"Made from the document with the SHA-256 {self.digest}. Do not edit what is made from it."
        )

    @property
    def sample(self) -> Mapping[str, Any]:
        """An item of the first kind; empty without an example."""
        return next((kind.batch.sample for kind in self.kinds if kind.batch), None) or {}

    @property
    def resources(self) -> Mapping[str, list[ClientOperation]]:
        """The operations of each resource, in the order of the document."""
        result: dict[str, list[ClientOperation]] = {}
        for operation in self.operations:
            result.setdefault(operation.resource, []).append(operation)
        return result

    @property
    def kinds(self) -> list[ClientOperation]:
        """The operations that an outbox sends with: batches of items that have keys of their own."""
        return [operation for operation in self.operations if operation.batch and operation.batch.key_field]
