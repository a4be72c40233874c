"""The parts of a document that house rules check, each with its place."""

from collections.abc import Iterator
from typing import Any

from openapi.contract import Contract

Parts = tuple[str, ...]


def nodes(node: Any, parts: Parts = ()) -> Iterator[tuple[Parts, Any]]:
    """Every node of a document (`Contract.read` bounds its depth)."""
    yield parts, node
    if isinstance(node, dict):
        for key, value in node.items():
            yield from nodes(value, (*parts, key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from nodes(value, (*parts, str(index)))


def is_within_example(parts: Parts) -> bool:
    """True if `parts` lead into an example or a value, which is no part of the contract."""
    return (
        any(part in ("example", "examples", "default", "enum") for part in parts[:-1])
        and "properties" not in parts[-2:]
    )


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


def media_types(contract: Contract) -> Iterator[Parts]:
    """The place of each media type of every request and response; behind a reference, the place of the reference."""
    for operation in contract.operations:
        node = contract.at(operation.pointer)
        bodies: list[Parts] = [("requestBody",)] if "requestBody" in node else []
        bodies += [("responses", status) for status in node.get("responses", {})]
        for body in bodies:
            where = (*operation.pointer, *body)
            yield from ((*where, "content", media_type) for media_type in contract.at(where).get("content", {}))


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
        if not isinstance(node, dict) or "$ref" in node or is_within_example(parts):
            continue
        parent = parts[-2:-1]
        is_schema = (
            parts[-1:] in (("schema",), ("items",), ("additionalProperties",), ("not",))
            or parent in (("properties",), ("allOf",), ("anyOf",), ("oneOf",))
            or (parts[:2] == ("components", "schemas") and len(parts) == 3)
        )
        if is_schema:
            yield parts, node
