"""The body that an operation declares: its media types, their limits, and its content codings."""

import re

from openapi.contract import Contract, ContractError, schema_key
from openapi.requests.body import DEFAULT_BODY_BYTES, MAX_BODY_BYTES, MAX_STREAM_BYTES, Body, MediaType
from openapi.requests.content import DECODERS
from openapi.schemas.validation import Schemas
from openapi.standards.media_types import JSON, NDJSON

_JSON = re.compile(r"application/(?:[a-z0-9.-]+\+)?json", re.IGNORECASE)


def declared_body(contract: Contract, pointer: tuple[str, ...], schemas: Schemas, timeout: float) -> Body | None:
    """The Body of the operation at `pointer`, None if absent; ContractError if it is not served."""
    operation = contract.at(pointer)
    declared, name = contract.resolve(operation.get("requestBody")), operation["operationId"]
    if not declared:
        return None
    if not declared.get("required"):
        raise ContractError(f"{name}: an optional body is not served by this release")
    codings = declared.get("x-content-codings", [])
    if not isinstance(codings, list) or not DECODERS.keys() >= set(codings):
        raise ContractError(f"{name}: x-content-codings is not a list of {' and '.join(DECODERS)}")
    if not declared["content"]:
        raise ContractError(f"{name}: the body has no media type")
    media_types = {
        media_type.lower(): media_type_at(
            name, media_type, contract, schemas, (*pointer, "requestBody", "content", media_type)
        )
        for media_type in declared["content"]
    }
    return Body(media_types, timeout, frozenset(codings))


def media_type_at(
    name: str, media_type: str, contract: Contract, schemas: Schemas, pointer: tuple[str, ...]
) -> MediaType:
    """The MediaType at `pointer`; ContractError if the service does not support it."""
    is_lines = media_type.lower() == NDJSON
    if not is_lines and not _JSON.fullmatch(media_type):
        raise ContractError(f"{name}: a body is served as {JSON}, a type in +json, or {NDJSON}")
    node, body = contract.at(pointer), contract.at(pointer[:-2])
    key = schema_key(media_type, node)
    if key not in node:
        raise ContractError(f"{name}: {media_type} has no schema")
    limit = node.get("x-body-limit-bytes", body.get("x-body-limit-bytes", DEFAULT_BODY_BYTES))
    highest = MAX_STREAM_BYTES if is_lines else MAX_BODY_BYTES
    if type(limit) is not int or not 1 <= limit <= highest:
        raise ContractError(f"{name}: x-body-limit-bytes is not an integer from 1 to {highest}")
    schema = schemas.compile(*pointer, key)
    declared = contract.at((*pointer, key))
    if is_lines:
        return MediaType(schema, limit, items=schema, is_lines=True)
    if declared.get("type") != "array":
        return MediaType(schema, limit)
    if type(declared.get("maxItems")) is not int:
        raise ContractError(f"{name}: the array has no maxItems")
    return MediaType(schema, limit, schemas.compile(*pointer, "schema", "items"), declared["maxItems"])
