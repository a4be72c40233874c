"""The house rules for a contract document, beyond those of OpenAPI itself: one function each."""

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from openapi.contract import ITEM_SCHEMA, Contract, ContractError, Document, schema_key
from openapi.lint import client_rules, walk
from openapi.lint.foundations import FOUNDATIONS, Rule, faults
from openapi.lint.records import unsayable
from openapi.lint.walk import Parts
from openapi.oauth.token_requests import GRANT_TYPES
from openapi.schemas import conversion
from openapi.schemas.conversion import Node
from openapi.schemas.directions import Direction
from openapi.schemas.forms import ABOUT
from openapi.schemas.validation import Schemas
from openapi.schemas.validators import Validators
from openapi.serving.operations import OperationTable
from openapi.standards import ijson
from openapi.standards.json_pointer import pointer

_BOUNDED_PATTERN = re.compile(r"\^\[[^\[\]]+\]\{[0-9]+(,[0-9]+)?\}\$")
"""A pattern of one class of characters, so many times: it bounds the length of a string as maxLength does."""

UNBOUNDED_FORMATS = ("uuid", "binary")
"""Formats of strings that need no maxLength: one bounds the length itself, the other is for streams."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that a document breaks, and the place (RFC 6901).

    The service can serve a document with warnings, but client generators do badly with it.
    """

    rule: str
    pointer: str
    message: str
    severity: str = "error"


def lint(contract: Contract, operations: OperationTable) -> list[Finding]:
    """Every broken rule; `operations` has the handlers. The house rules apply only to a sound document."""
    house_rules: dict[str, Rule] = {
        "operations": partial(names_operations, operations),
        **RULES,
        "sayable": partial(reads_what_it_accepts, operations),
    }
    if findings := _findings(contract, FOUNDATIONS, "error"):
        return findings
    return _findings(contract, house_rules, "error") + _findings(contract, client_rules.RULES, "warning")


def lint_any(document: Document) -> list[Finding]:
    """What is wrong with a document of OpenAPI 3.0 or 3.1 that another service may serve: OpenAPI's own rules."""
    return [Finding("openapi", pointer(*parts), message) for parts, message in faults(document)]


def _findings(contract: Contract, rules: dict[str, Rule], severity: str) -> list[Finding]:
    return [
        Finding(name, pointer(*parts), message, severity)
        for name, rule in rules.items()
        for parts, message in rule(contract)
    ]


def names_operations(operations: OperationTable, contract: Contract) -> Iterator[tuple[Parts, str]]:
    """Each operationId is present, unique, and in the operation table; links name operations of the document."""
    seen: set[str] = set()
    for operation in contract.operations:
        where = (*operation.pointer, "operationId")
        if operation.operation_id in seen:
            yield where, f"operationId {operation.operation_id!r} is not unique"
        seen.add(operation.operation_id)
        try:
            operations.handler(operation.operation_id)
        except ContractError as error:
            yield where, str(error)
    for parts, link in walk.links(contract):
        if str(link.get("operationId", "")) not in {"", *seen}:
            name = str(link["operationId"])[:100]
            yield (*parts, "operationId"), f"the link names {name!r}, which is not an operation"


def names_no_code_but_handlers(contract: Contract) -> Iterator[tuple[Parts, str]]:
    """No extension names code, which Connexion would import."""
    for parts, node in walk.nodes(contract.document):
        if isinstance(node, dict) and not walk.is_data(parts):
            for key in node:
                if re.fullmatch(r"x-(\w+Info(Func|Url)|scopeValidateFunc|(openapi|swagger)-router-controller)", key):
                    yield (*parts, key), f"the extension {key} is not accepted"


def authenticates(contract: Contract) -> Iterator[tuple[Parts, str]]:
    """Every operation requires a key, or an access token with a scope."""
    schemes = contract.document.get("components", {}).get("securitySchemes", {})
    for name, scheme in schemes.items():
        if (scheme.get("type"), str(scheme.get("scheme")).lower()) != ("http", "bearer") and not _is_served(scheme):
            yield (
                ("components", "securitySchemes", name),
                f"the security scheme is neither http bearer nor oauth2 with only the flow {' or '.join(GRANT_TYPES)}",
            )
    for operation in contract.operations:
        required = contract.at(operation.pointer).get("security", contract.document.get("security"))
        if not required or not all(required):
            yield operation.pointer, "the operation can be called without authentication"
        named = [way for alternative in required or () for way in alternative.items()]
        yield from ((operation.pointer, message) for message in _wrong_ways(named, schemes, contract.scopes))


def has_no_idle_scopes(contract: Contract) -> Iterator[tuple[Parts, str]]:
    """Each scope is described, and required by an operation."""
    used = {
        scope
        for operation in contract.operations
        for alternative in contract.at(operation.pointer).get("security", contract.document.get("security", []))
        for scopes in alternative.values()
        for scope in scopes
    }
    for scope, description in contract.scopes.items():
        where = ("components", "securitySchemes")
        if not description:
            yield where, f"the scope {scope} has no description"
        if scope not in used:
            yield where, f"no operation requires the scope {scope}"


def compiles(contract: Contract) -> Iterator[tuple[Parts, str]]:
    """Each body schema compiles, and its patterns for a linear-time engine."""
    schemas = Schemas(contract)
    for parts in walk.body_schemas(contract):
        try:
            schemas.compile(*parts)
        except ValueError as error:
            yield parts, str(error).splitlines()[0][:300]


def has_examples(contract: Contract) -> Iterator[tuple[Parts, str]]:
    """Each body has an example, and each example satisfies its schema."""
    if next(compiles(contract), None) is not None:
        return
    schemas = Schemas(contract)
    for parts in walk.media_types(contract):
        examples = walk.examples(contract, parts)
        if not examples:
            yield parts, "the body has no example"
        key = schema_key(parts[-1], contract.at(parts))
        if key not in contract.at(parts):
            continue
        schema = schemas.compile(*parts, key)
        for name, value in examples.items():
            try:
                values = _lines(value) if key == ITEM_SCHEMA else [value]
            except (TypeError, ValueError) as fault:
                yield (*parts, *name), f"the example is not lines of JSON: {fault}"[:300]
                continue
            for error in (error for each in values for error in schema.errors(each)):
                yield (*parts, *name), f"the example does not satisfy its schema: {error}"


def _lines(example: Any) -> list[Any]:
    """The values of the lines of `example`; TypeError or ValueError if the service could not read them."""
    if not isinstance(example, str):
        raise TypeError("it is not a string")
    try:
        return [ijson.loads(line.encode()) for line in example.split("\n") if line.strip()]
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def describes(contract: Contract) -> Iterator[tuple[Parts, str]]:
    """Each part of the document has a description."""
    for operation in contract.operations:
        node = contract.at(operation.pointer)
        described = [(operation.pointer, node), *walk.described_parts(contract, operation.pointer, node)]
        if not node.get("summary"):
            yield operation.pointer, "the operation has no summary"
        yield from (((parts, "it has no description")) for parts, part in described if not part.get("description"))
    for parts, schema in walk.schemas(contract):
        for name, inner in schema.get("properties", {}).items():
            if "description" not in contract.resolve(inner):
                yield (*parts, "properties", name), "the field has no description"


def bounds(contract: Contract) -> Iterator[tuple[Parts, str]]:
    """Requests and responses are bounded."""
    for parts, schema in walk.schemas(contract):
        if (
            schema.get("type") == "string"
            and not {"maxLength", "enum"} & schema.keys()
            and not _BOUNDED_PATTERN.fullmatch(str(schema.get("pattern", "")))
            and schema.get("format") not in UNBOUNDED_FORMATS
        ):
            yield parts, "the string has no maxLength"
        if schema.get("type") == "array" and "maxItems" not in schema:
            yield parts, "the array has no maxItems"


def closes_objects(contract: Contract) -> Iterator[tuple[Parts, str]]:
    """Each object declares additionalProperties: by default it would accept any."""
    for parts, schema in walk.schemas(contract):
        if schema.get("type") == "object" and "additionalProperties" not in schema:
            yield parts, "the object does not declare additionalProperties"


def says_nothing_in_vain(contract: Contract) -> Iterator[tuple[Parts, str]]:
    """Each keyword applies to the type of its schema: other keywords could change without effect."""
    for parts, schema in walk.schemas(contract):
        kind = {"integer": "number"}.get(str(schema.get("type")), schema.get("type"))
        for other, keywords in ABOUT.items():
            for key in schema.keys() & set(keywords) if kind not in (None, other) else ():
                yield (*parts, key), f"{key} does not apply to type {schema['type']}"
        if schema.get("nullable") is True and "type" not in schema:
            yield (*parts, "nullable"), "nullable does not apply without a type"
        elif schema.get("nullable") is True and None not in schema.get("enum", [None]):
            yield (*parts, "nullable"), "nullable does not add null to the enum: list it there"


def can_be_satisfied(contract: Contract) -> Iterator[tuple[Parts, str]]:
    """Each schema accepts some value: a schema that accepts none could be changed to anything."""
    if next(compiles(contract), None) is not None:
        return
    schemas = conversion.Schemas(contract, Direction.RESPONSE, "urn:document")
    nodes = [(parts, Node((schemas.at(parts),))) for parts, _ in walk.schemas(contract)]
    validators = Validators(schemas)
    yield from ((parts, "no value satisfies the schema") for parts, node in nodes if validators.is_unsatisfiable(node))


def reads_what_it_accepts(operations: OperationTable, contract: Contract) -> Iterator[tuple[Parts, str]]:
    """What a submission accepts, its record can say."""
    yield from ((fault.accepted, str(fault)) for fault in unsayable(contract, contract, operations))


RULES: dict[str, Rule] = {
    "no-other-code": names_no_code_but_handlers,
    "authentication": authenticates,
    "scopes": has_no_idle_scopes,
    "compiles": compiles,
    "examples": has_examples,
    "descriptions": describes,
    "bounds": bounds,
    "closed-objects": closes_objects,
    "no-vain-keywords": says_nothing_in_vain,
    "satisfiable": can_be_satisfied,
}


def _is_served(scheme: dict[str, Any]) -> bool:
    """True if `scheme` is OAuth 2.0, and the token endpoint serves all of its flows."""
    flows = set(scheme.get("flows", {}))
    return scheme.get("type") == "oauth2" and bool(flows) and flows <= set(GRANT_TYPES)


def _wrong_ways(named: list[tuple[str, list[str]]], schemes: dict[str, Any], declared: Container[str]) -> Iterator[str]:
    """The reasons why an operation with these schemes and scopes cannot be served."""
    yield from (f"the security scheme {name!r} is not declared" for name, _ in named if name not in schemes)
    with_tokens = [scopes for name, scopes in named if schemes.get(name, {}).get("type") == "oauth2"]
    if with_tokens and len(named) > 1:
        yield "the operation accepts access tokens: it may name only one security scheme, once"
    for scopes in with_tokens:
        yield from _wrong_scopes(scopes, declared)


def _wrong_scopes(required: list[str], declared: Container[str]) -> Iterator[str]:
    if not required:
        yield "the operation requires no scope: it would accept any access token"
    yield from (f"the scope {scope!r} is not declared" for scope in required if scope not in declared)
