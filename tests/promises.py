"""Checks of a response against the contract, with other libraries than the service uses."""

import json
import re
from typing import Any

import httpx
from openapi_schema_validator import OAS30Validator, oas30_format_checker

from openapi.contract import Contract, schema_key

ERROR = {"type": "object", "required": ["error", "help"], "additionalProperties": False}
BEYOND_OPERATIONS = {404, 405, 410}
"""The statuses where the contract has no operation or is retired, in the shape of its errors."""
_VALIDATORS: dict[tuple[str, str], OAS30Validator] = {}
"""By the digest of a contract and a schema in it."""
CUT_OVER = 403
"""Another such status, for hubs that must move to another version; contracts with scopes document it themselves."""


def check(response: httpx.Response, contract: Contract) -> None:
    """Raise AssertionError unless `contract` documents status, headers and body of `response` for its request."""
    assert response.headers["x-request-id"]
    operation = _operation(response.request, contract)
    beyond = BEYOND_OPERATIONS if contract.scopes else {*BEYOND_OPERATIONS, CUT_OVER}
    if operation is None or response.status_code in beyond:
        assert response.status_code in beyond, f"{response.status_code} where there is no operation"
        _check_beyond(response, contract)
        return
    documented = operation["responses"].get(str(response.status_code))
    assert documented, f"the status {response.status_code} is not documented"
    promised = contract.resolve(documented)
    for name, header in promised.get("headers", {}).items():
        _check_header(response, name, contract.resolve(header))
    media_type = response.headers["content-type"].split(";")[0]
    assert media_type in promised["content"], f"the media type {media_type} is not documented"
    schema = promised["content"][media_type][schema_key(media_type, promised["content"][media_type])]
    if media_type == "application/x-ndjson":
        for line in response.content.split(b"\n"):
            if line.strip():
                _validate(json.loads(line), schema, contract)
    else:
        _validate(response.text if media_type == "text/csv" else response.json(), schema, contract)


def _check_beyond(response: httpx.Response, contract: Contract) -> None:
    """Check that a response that no operation documents has the shape of a documented error."""
    if "Problem" in contract.document["components"]["schemas"]:
        assert response.headers["content-type"] == "application/problem+json"
        _validate(response.json(), {"$ref": "#/components/schemas/Problem"}, contract)
    else:
        assert response.json().keys() == {"error", "help"}


def _operation(request: httpx.Request, contract: Contract) -> dict[str, Any] | None:
    path = request.url.path.removeprefix(contract.document["servers"][0]["url"])
    paths = contract.document["paths"]
    templates = [template for template in paths if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path)]
    item = paths.get(path) or paths.get(next(iter(templates), ""), {})
    operation: dict[str, Any] | None = item.get(request.method.lower())
    return operation


def _check_header(response: httpx.Response, name: str, promised: dict[str, Any]) -> None:
    value: Any = response.headers.get(name)
    assert value or not promised.get("required"), f"the header {name} is missing"
    if value is not None:
        schema = promised["schema"]
        OAS30Validator(schema).validate(int(value) if schema["type"] == "integer" else value)


def _validate(value: Any, schema: dict[str, Any], contract: Contract) -> None:
    key = contract.digest, json.dumps(schema)
    if key not in _VALIDATORS:
        _VALIDATORS[key] = OAS30Validator({**contract.document, **schema}, format_checker=oas30_format_checker)
    _VALIDATORS[key].validate(value)
