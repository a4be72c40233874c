"""The rules that make a document sound: OpenAPI's own. The house rules assume that a document keeps them."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator

from openapi.contract import ITEM_SCHEMA, Contract, ContractError, Document
from openapi.lint import walk
from openapi.lint.walk import Parts

Rule = Callable[[Contract], Iterator[tuple[Parts, str]]]


def is_openapi_3_0(contract: Contract) -> Iterator[tuple[Parts, str]]:
    """The document is OpenAPI 3.0: Connexion reads no other version."""
    if not re.fullmatch(r"3\.0\.[0-9]+", str(contract.document.get("openapi"))):
        yield ("openapi",), "the document is not OpenAPI 3.0"


def has_no_recursion(contract: Contract) -> Iterator[tuple[Parts, str]]:
    """No reference is recursive: Connexion inlines every reference."""
    for parts, node in walk.nodes(contract.document):
        if (
            isinstance(node, dict)
            and isinstance(node.get("$ref"), str)
            and walk.leads_back(contract, contract.resolve(node))
        ):
            yield parts, f"$ref {node['$ref']!r} is recursive"


def satisfies_openapi(contract: Contract) -> Iterator[tuple[Parts, str]]:
    """The faults that openapi-spec-validator reports."""
    if next(has_no_recursion(contract), None) is None:
        yield from faults(contract)


def faults(described: Document) -> Iterator[tuple[Parts, str]]:
    """What openapi-spec-validator reports of a document of OpenAPI 3.0 or 3.1, whatever it is used for."""
    try:
        described.operations  # noqa: B018 (the library itself fails where a path item is no object)
    except ContractError as fault:
        yield ("paths",), str(fault)
        return
    document = described.without_patterns()
    places = _with_item_schemas(document)
    is_3_1 = str(document.get("openapi")).startswith("3.1")
    validator = OpenAPIV31SpecValidator if is_3_1 else OpenAPIV30SpecValidator
    try:
        for error in validator(document).iter_errors():
            parts = tuple(str(part) for part in error.absolute_path)
            yield (*places[parts[2]], *parts[3:]) if parts[2:3] and parts[2] in places else parts, error.message[:300]
    except (
        TypeError,
        KeyError,
        AttributeError,
        ValueError,
    ) as fault:  # as the library fails where it expects an object
        yield (), f"the document cannot be validated: {type(fault).__name__}: {fault}"[:300]
    except RecursionError:
        yield (), "the document cannot be validated: a schema is all or a part of itself"


def _with_item_schemas(document: dict[str, Any]) -> dict[str, Parts]:
    """Add the schemas of lines to the components of `document`, because the library looks into no extension.

    Returns the place of each, by its name among the components.
    """
    places = {f"{ITEM_SCHEMA}-{index}": parts for index, (parts, _) in enumerate(walk.item_schemas(document))}
    schemas = {name: node for name, (_, node) in zip(places, walk.item_schemas(document), strict=True)}
    components = document.get("components") or {}
    if schemas and isinstance(components, dict) and isinstance(components.get("schemas", {}), dict):
        document["components"] = components | {"schemas": components.get("schemas", {}) | schemas}
    return places


FOUNDATIONS: dict[str, Rule] = {
    "openapi-3.0": is_openapi_3_0,
    "no-recursion": has_no_recursion,
    "openapi": satisfies_openapi,
}
