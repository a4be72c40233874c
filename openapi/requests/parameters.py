"""The parameters of a request, in path, query and header fields, as the contract declares them."""

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl

from starlette.types import Scope

from openapi.contract import ContractError
from openapi.problems import Problem
from openapi.schemas.field_errors import PARAMETERS, field_name
from openapi.schemas.validation import Schema, as_draft4
from openapi.standards.header_fields import field_text, field_values
from openapi.standards.ijson import UNSTORABLE

MAX_IN_QUERY = 50
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,18})")
_SCALARS = {"string", "integer", "boolean"}
_IGNORED = {"accept", "content-type", "authorization"}
"""Header fields that OpenAPI 3.0 leaves to other parts of the document."""
_LISTS = {b"prefer"}
"""Header fields that are lists: a request may split one into several lines (RFC 9110 section 5.3)."""


class Parameters:
    """The parameters of one operation, each a string, an integer or a boolean."""

    def __init__(self, declared: Sequence[dict[str, Any]]) -> None:
        """`declared` are parameter objects without references; ContractError if one is not served."""
        served = [parameter for parameter in declared if not _is_ignored(parameter)]
        for parameter in served:
            _check(parameter)
        if len({parameter["name"].lower() for parameter in served}) < len(served):
            raise ContractError("two parameters have the same name, which this release cannot distinguish")
        names = {
            place: [parameter["name"] for parameter in served if parameter["in"] == place]
            for place in ("path", "query", "header")
        }
        self._types = {parameter["name"]: parameter["schema"]["type"] for parameter in served}
        self._in_header = [(name, name.lower().encode("ascii")) for name in names["header"]]
        self._header_names = frozenset(names["header"])
        self._has_query = bool(names["query"])
        schemas = {parameter["name"]: as_draft4(parameter["schema"]) for parameter in served}
        self._in_path = {name: Schema(schemas.pop(name)) for name in names["path"]}
        self._required = [
            parameter["name"] for parameter in served if parameter["in"] != "path" and parameter.get("required")
        ]
        required = {"required": self._required} if self._required else {}
        self._schema = Schema({"type": "object", "properties": schemas, "additionalProperties": False} | required)

    def read(self, scope: Scope) -> dict[str, Any]:
        """Return the sent values by name.

        Raises Problem `not_found` for an invalid path parameter, `invalid_parameters` for every other. If the contract
        declares no query parameters, any query is accepted.
        """
        values = {}
        for name, field in self._in_header:
            if lines := field_values(scope, field):
                texts = [field_text(line).strip(" \t") for line in lines]
                values[name] = self._single(name, [", ".join(texts)] if field in _LISTS else texts)
        if self._has_query:
            values |= self._query(scope["query_string"])
        if (values or self._required) and (problem := self._schema.problem(values, "invalid_parameters")):
            problem.faults = ()  # their pointers refer to no body
            raise problem
        for name, schema in self._in_path.items():
            text = scope["path_params"][name]
            values[name] = _typed(text, self._types[name])
            if UNSTORABLE.search(text) or not schema.is_valid(values[name]):
                raise Problem("not_found")
        return values

    def _query(self, query: bytes) -> dict[str, Any]:
        texts: dict[str, list[str]] = {}
        try:
            text = query.decode("ascii")
            pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MAX_IN_QUERY)
        except UnicodeDecodeError:
            raise _invalid("malformed_query") from None
        except ValueError:
            raise _invalid("too_many", limit=MAX_IN_QUERY) from None
        for name, value in pairs:
            if name in self._header_names:
                raise _invalid("not_in_query", name=name)
            texts.setdefault(name, []).append(value)
        return {name: self._single(name, values) for name, values in texts.items()}

    def _single(self, name: str, values: list[str]) -> Any:
        if len(values) > 1:
            raise _invalid("repeated", name=field_name(name), count=len(values))
        if UNSTORABLE.search(values[0]):
            raise _invalid("unstorable", name=field_name(name))
        return _typed(values[0], self._types.get(name))


def _is_ignored(parameter: dict[str, Any]) -> bool:
    return parameter["in"] == "header" and parameter["name"].lower() in _IGNORED


def _check(parameter: dict[str, Any]) -> None:
    """Raise ContractError unless this release can read the parameter."""
    where = f"parameter {parameter['name']} in {parameter['in']}"
    usual = {"path": "simple", "query": "form", "header": "simple"}.get(parameter["in"])
    if usual is None or parameter.get("style", usual) != usual or "content" in parameter:
        raise ContractError(f"{where} is not in a form that this release serves")
    schema = parameter["schema"]
    if schema.get("type") not in _SCALARS or schema.get("nullable") or "default" in schema:
        raise ContractError(f"{where} is not a string, integer or boolean without default, as this release serves")


def _typed(text: str, type_: str | None) -> Any:
    """`text` as an integer or boolean if `type_` is that, else unchanged, so that the schema rejects a wrong type."""
    if type_ == "integer" and _INTEGER.fullmatch(text):
        return int(text)
    if type_ == "boolean" and text in ("true", "false"):
        return text == "true"
    return text


def _invalid(fault: str, **values: Any) -> Problem:
    error, remedy = PARAMETERS[fault]
    return Problem("invalid_parameters", errors=error.format(**values), remedies=remedy.format(**values))
