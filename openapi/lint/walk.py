"""The parts of a document that house rules check, each with its place."""

from collections.abc import Iterator
from typing import Any

from openapi.contract import ITEM_SCHEMA, Contract
from openapi.standards.json_pointer import member, parts_of

Parts = tuple[str, ...]
_KNOWN = (ITEM_SCHEMA, f"{ITEM_SCHEMA}s")


def nodes(node: Any, parts: Parts = ()) -> Iterator[tuple[Parts, Any]]:
    """Every node of a document (`Contract.read` bounds its depth)."""
    yield parts, node
    if isinstance(node, dict):
        for key, value in node.items():
            yield from nodes(value, (*parts, key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from nodes(value, (*parts, str(index)))


def is_data(parts: Parts) -> bool:
    """True if `parts` lead into an example, a value or an unknown extension, which are no part of the contract."""
    named = ("properties", "schemas", f"{ITEM_SCHEMA}s")
    return any(
        (part in ("example", "examples", "default", "enum") or (part.startswith("x-") and part not in _KNOWN))
        and (index == 0 or parts[index - 1] not in named)
        for index, part in enumerate(parts[:-1])
    )


def links(contract: Contract) -> Iterator[tuple[Parts, dict[str, Any]]]:
    """Each link of the document with its place: those of components, and those that stand in a response."""
    for parts, node in nodes(contract.document):
        is_component = parts[:2] == ("components", "links") and len(parts) == 3
        is_in_response = parts[-2:-1] == ("links",) and parts[-4:-3] == ("responses",)
        if isinstance(node, dict) and (is_component or is_in_response) and not is_data(parts):
            yield parts, node


def place(contract: Contract, parts: Parts) -> Parts:
    """The place of the value that `Contract.at` finds at `parts`, after every reference on the way."""
    where: Parts = ()
    for part in parts:
        where = (*where, part)
        node: Any = contract.document
        for name in where:
            node = member(node, name)
        while isinstance(node, dict) and isinstance(node.get("$ref"), str):
            where = parts_of(node["$ref"])
            node = contract.at(where[:-1])[where[-1]]
    return where


def leads_back(contract: Contract, start: Any) -> bool:
    """True if the references from `start` lead back to it."""
    waiting, seen = [start], set[int]()
    while waiting:
        for _, node in nodes(waiting.pop()):
            if isinstance(node, dict) and isinstance(node.get("$ref"), str):
                target = contract.resolve(node)
                if target is start:
                    return True
                if id(target) not in seen:
                    seen.add(id(target))
                    waiting.append(target)
    return False


def is_component(parts: Parts) -> bool:
    """True if `parts` lead to a named schema, also one of lines: some tools follow no reference to it."""
    return parts[:2] in (("components", "schemas"), ("components", f"{ITEM_SCHEMA}s")) and len(parts) == 3


def media_types(contract: Contract) -> Iterator[Parts]:
    """The place of each media type of every request and response; behind a reference, the place of the reference."""
    for operation in contract.operations:
        node = contract.at(operation.pointer)
        bodies: list[Parts] = [("requestBody",)] if "requestBody" in node else []
        bodies += [("responses", status) for status in node.get("responses", {})]
        for body in bodies:
            where = (*operation.pointer, *body)
            yield from ((*where, "content", media_type) for media_type in contract.at(where).get("content", {}))


def body_schemas(contract: Contract) -> Iterator[Parts]:
    """The place of each schema of every request and response, also of lines."""
    for parts in media_types(contract):
        yield from ((*parts, key) for key in ("schema", ITEM_SCHEMA) if key in contract.at(parts))


def item_schemas(document: Any) -> Iterator[tuple[Parts, Any]]:
    """Each schema of lines in `document`, which may be any, with its place."""
    for parts, node in nodes(document):
        is_component = parts[:2] == ("components", f"{ITEM_SCHEMA}s") and len(parts) == 3
        if (is_component or (parts[-1:] == (ITEM_SCHEMA,) and parts[-3:-2] == ("content",))) and not is_data(parts):
            yield parts, node


def examples(contract: Contract, parts: Parts) -> dict[Parts, Any]:
    """The examples of the media type at `parts`, by their place in it."""
    media_type = contract.at(parts)
    values: dict[Parts, Any] = {
        ("examples", name): contract.resolve(example).get("value")
        for name, example in media_type.get("examples", {}).items()
    }
    return values | ({("example",): media_type["example"]} if "example" in media_type else {})


def described_parts(
    contract: Contract, where: Parts, operation: dict[str, Any]
) -> Iterator[tuple[Parts, dict[str, Any]]]:
    """The parts of an operation that need a description."""
    if "requestBody" in operation:
        yield (*where, "requestBody"), contract.resolve(operation["requestBody"])
    for index, parameter in enumerate(operation.get("parameters", [])):
        yield (*where, "parameters", str(index)), contract.resolve(parameter)
    for status, response in operation["responses"].items():
        resolved = contract.resolve(response)
        yield (*where, "responses", status), resolved
        for name, header in resolved.get("headers", {}).items():
            yield (*where, "responses", status, "headers", name), contract.resolve(header)


def schemas(contract: Contract) -> Iterator[tuple[Parts, dict[str, Any]]]:
    """Every schema of the document: in components, and inline in media types, headers and parameters."""
    for parts, node in nodes(contract.document):
        if not isinstance(node, dict) or "$ref" in node or is_data(parts):
            continue
        parent = parts[-2:-1]
        is_schema = (
            parts[-1:] in (("schema",), (ITEM_SCHEMA,), ("items",), ("additionalProperties",), ("not",))
            or parent in (("properties",), ("allOf",), ("anyOf",), ("oneOf",))
            or is_component(parts)
        )
        if is_schema:
            yield parts, node
