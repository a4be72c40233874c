"""The types of a document: its schemas, and the parameters and bodies of its operations."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from openapi.contract import Document, Operation, schema_key
from openapi.generate.names import pascal
from openapi.generate.outside_profile import OutsideProfile, readable
from openapi.generate.schema_types import SchemaTypes, text_of
from openapi.generate.types import Declaration, ObjectType, Property, Type

LOCATIONS = {"path": "Path", "query": "Query", "header": "Headers", "cookie": "Cookies"}


@dataclass(frozen=True, slots=True)
class OperationTypes:
    """The types of an operation: of its parameters by location, and of its bodies by media type.

    The type of NDJSON is that of one line. `responses` has the statuses as the document writes them.
    """

    operation: Operation
    parameters: Mapping[str, tuple[Property, ...]]
    request: Mapping[str, Type]
    responses: Mapping[str, Mapping[str, Type]]


@dataclass(frozen=True, slots=True)
class DocumentTypes:
    """All types of a document, in its order."""

    declarations: list[Declaration]
    operations: list[OperationTypes]


def declarations(document: Document) -> list[Declaration]:
    """The types of `document`; OutsideProfile, or ContractError, if one cannot be made."""
    return document_types(document).declarations


def document_types(document: Document) -> DocumentTypes:
    """The types of `document`, and what its operations use them for; raises as `declarations` does."""
    with readable():
        version = str(document.document.get("openapi", ""))
        if not version.startswith("3.0."):
            raise OutsideProfile(("openapi",), f"it is {version[:20]!r}, and only 3.0 is known")
        schemas = SchemaTypes(document)
        schemas.begin()
        operations = [_operation(document, schemas, operation) for operation in document.operations]
        return DocumentTypes(schemas.finish(), operations)


def _operation(document: Document, schemas: SchemaTypes, operation: Operation) -> OperationTypes:
    """The types of an operation; its parameters by location are types of their own."""
    name = pascal(operation.name)
    node = document.at(operation.pointer)
    listed = document.parameters(operation.pointer)
    parameters = {}
    for location, suffix in LOCATIONS.items():
        if chosen := [parameter for parameter in listed if parameter["in"] == location]:
            place = (*operation.pointer, "parameters", location)
            own = name + suffix
            parameters[location] = tuple(_parameter(schemas, place, each, own) for each in chosen)
            schemas.declare_object(place, own, ObjectType(parameters[location], None))
    responses = {
        str(status): _bodies(document, schemas, operation, body, f"{name}Response{pascal(str(status))}")
        for status, body in node.get("responses", {}).items()
    }
    request = _bodies(document, schemas, operation, node.get("requestBody", {}), f"{name}Request")
    return OperationTypes(operation, parameters, request, responses)


def _bodies(document: Document, schemas: SchemaTypes, operation: Operation, body: Any, name: str) -> Mapping[str, Type]:
    """The type of each media type of a body."""
    return {
        media_type: schemas.type_of(
            (*operation.pointer, name, media_type), declared.get(schema_key(media_type, declared), {}), name
        )
        for media_type, declared in document.resolve(body).get("content", {}).items()
    }


def _parameter(schemas: SchemaTypes, place: tuple[str, ...], parameter: dict[str, Any], name: str) -> Property:
    declared = next(iter(parameter.get("content", {}).values()), parameter)  # one media type, or a schema
    own = parameter["name"]
    kind = schemas.type_of((*place, own), declared.get("schema", {}), name + pascal(own))
    is_required = parameter["in"] == "path" or parameter.get("required") is True
    return Property(own, kind, is_required, text_of(parameter))
