"""Beginnings of handlers: a module and a failing test for operations that no handler serves yet."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from openapi.contract import Document
from openapi.generate import comments, template_files
from openapi.generate.client_model import ClientOperation
from openapi.generate.client_operations import client_model
from openapi.generate.languages.python_client import identifier
from openapi.generate.languages.python_types import literal
from openapi.generate.names import snake
from openapi.generate.outside_profile import readable

_MODULE, _TEST = "handlers/{}.py", "tests/handlers/test_{}.py"
_HIDING = {"Answer", "Request", "BodyField", "takes", "pytest"}


@dataclass(frozen=True, slots=True)
class Beginnings:
    """Texts by file name, and the rows that the operation table needs for them."""

    files: Mapping[str, str]
    rows: tuple[str, ...]


def beginnings(document: Document, served: Collection[str], existing: Mapping[str, str]) -> Beginnings:
    """Handlers for the operations of `document` whose operationId is not in `served`.

    `existing` has the texts of the files that are there by name: none of them is written, and what one of them has
    begun is left out. A handler is in the module of its resource or, if that is there, in a module of its own.
    ContractError if one cannot be made.
    """
    files: dict[str, str] = {}
    rows: list[str] = []
    for module, operations in _modules(document, served, existing).items():
        handlers = [_Handler(document, operation) for operation in operations]
        rows += [f"{handler.operation_id}: {module}.{handler.name}," for handler in handlers]
        for name, template in ((_MODULE, "module"), (_TEST, "test")):
            if name.format(module) not in existing:
                values = {"module": module, "handlers": handlers}
                files[name.format(module)] = template_files.render(f"handlers/{template}.py.jinja", values)
    return Beginnings(files, tuple(rows))


def _modules(
    document: Document, served: Collection[str], existing: Mapping[str, str]
) -> Mapping[str, list[ClientOperation]]:
    """The operations of each new module."""
    modules: dict[str, list[ClientOperation]] = {}
    for operation in client_model(document).operations:
        is_begun = any(f"NotImplementedError({literal(operation.name)})" in text for text in existing.values())
        if operation.name not in served and not is_begun:
            module = identifier(operation.resource, set())
            if _MODULE.format(module) in existing:
                module = identifier(f"{operation.resource}_{operation.verb}", set())
            modules.setdefault(module, []).append(operation)
    return modules


class _Handler:
    """The code of a handler."""

    def __init__(self, document: Document, operation: ClientOperation) -> None:
        self.name = identifier(operation.verb, {*_HIDING, "list"})
        self.test = identifier(snake(operation.name), set())
        self.operation_id = literal(operation.name)
        self.about = comments.docstring(operation.summary or operation.name, "    ")
        self.request = comments.docstring(f"{operation.method} {operation.path}", "    ")
        with readable():
            self.fields = _fields(document, operation)


def _fields(document: Document, operation: ClientOperation) -> list[str]:
    """The properties of a body, or of the items of one, as arguments of `takes`."""
    if operation.body is None:
        return []
    node = next(each for each in document.operations if each.name == operation.name)
    body = document.resolve(document.at(node.pointer)["requestBody"])
    schema: Any = document.resolve(body["content"][operation.body_media_type].get("schema", {}))
    schema = document.resolve(schema.get("items", schema))
    required = schema.get("required", [])
    fields = []
    for name, declared in schema.get("properties", {}).items():
        kind = document.resolve(declared)
        if name == identifier(name, set()) and isinstance(kind.get("type"), str):
            arguments = [literal(kind["type"])]
            arguments += [literal(str(kind["format"]))] if "format" in kind else []
            arguments += ["required=True"] if name in required else []
            fields.append(f"{name}=BodyField({', '.join(arguments)})")
    return fields
