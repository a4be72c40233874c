"""Reads what a client offers: a method for each operation, by resources."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from openapi.contract import Document, essence, is_json
from openapi.generate.client_model import Argument, Batch, ClientModel, ClientOperation, Security
from openapi.generate.declarations import DocumentTypes, OperationTypes, document_types
from openapi.generate.names import snake, words
from openapi.generate.outside_profile import OutsideProfile, readable
from openapi.generate.types import ListOf, MapOf, Named, ObjectType, Type, either
from openapi.standards.media_types import JSON, NDJSON

KEY = "Idempotency-Key"
_MAX_ITEM_BYTES = 65_536
_MAX_BYTES = 3 * 1024 * 1024
_NO_RESOURCE = re.compile(r"api|v\d+(?:\.\d+)?")
"""Segments of a path that name no resource."""


def client_model(document: Document) -> ClientModel:
    """The client of `document`; OutsideProfile, or ContractError, if it cannot be made whole."""
    types = document_types(document)
    with readable():
        info = document.document["info"]
        reader = _Reader(document, types)
        return ClientModel(
            title=str(info.get("title", "")),
            version=str(info.get("version", "")),
            digest=document.digest,
            description=str(info.get("description", "")),
            security=_security(document),
            types=types.declarations,
            operations=_named([reader.operation(each) for each in types.operations]),
        )


class _Reader:
    """Reads operations."""

    def __init__(self, document: Document, types: DocumentTypes) -> None:
        self._document = document
        self._declared = {declaration.pointer: declaration.type for declaration in types.declarations}
        self._items_limits = {
            each.operation.path: self._request_body(each).get("x-body-limit-bytes", _MAX_ITEM_BYTES)
            for each in types.operations
            if each.operation.method == "post"
        }

    def operation(self, types: OperationTypes) -> ClientOperation:
        """One operation, with the short name of its method."""
        operation = types.operation
        node = self._document.at(operation.pointer)
        resource, verb = _names(operation.path, operation.method, operation.operation_id)
        arguments = self._arguments(types)
        media_type, body = self._body(types)
        accept, result, stream = self._success(types)
        security = node.get("security", self._document.document.get("security", []))
        request = self._request_body(types)
        return ClientOperation(
            name=operation.name,
            resource=resource,
            verb=verb,
            method=operation.method.upper(),
            path=self._document.server_path + operation.path,
            summary=str(node.get("summary", "")),
            description=str(node.get("description", "")),
            scopes=tuple(str(scope) for each in security for scopes in each.values() for scope in scopes),
            needs_credentials=any(security),
            arguments=tuple(each for each in arguments if each.property.name.lower() != KEY.lower()),
            body=body,
            body_media_type=media_type,
            body_is_required=request.get("required") is True,
            takes_key=any(each.property.name.lower() == KEY.lower() for each in arguments),
            takes_gzip="gzip" in request.get("x-content-codings", []),
            accept=accept,
            result=result,
            stream=stream,
            page_item=self._page_item(arguments, result),
            batch=self._batch(operation.path, request, body, result),
        )

    def _request_body(self, types: OperationTypes) -> Mapping[str, Any]:
        node = self._document.at(types.operation.pointer).get("requestBody", {})
        resolved: Mapping[str, Any] = self._document.resolve(node)
        return resolved

    def _arguments(self, types: OperationTypes) -> list[Argument]:
        place = types.operation.pointer
        if "cookie" in types.parameters:
            raise OutsideProfile(place, "a parameter in a cookie cannot be sent")
        arguments = [
            Argument(location, each)
            for location in ("path", "query", "header")
            for each in types.parameters.get(location, ())
        ]
        for parameter in self._document.parameters(place):
            usual = "form" if parameter["in"] == "query" else "simple"
            is_usual = parameter.get("style", usual) == usual and parameter.get("explode", usual == "form") == (
                usual == "form"
            )
            if not is_usual or "content" in parameter:
                raise OutsideProfile(place, f"the parameter {parameter['name']} has a style that cannot be sent")
        for each in arguments:
            if isinstance(self._resolved(each.property.type), ObjectType | MapOf):
                raise OutsideProfile(place, f"the parameter {each.property.name} is an object")
            if each.location != "query" and isinstance(self._resolved(each.property.type), ListOf):
                raise OutsideProfile(place, f"the parameter {each.property.name} is an array outside the query")
        return arguments

    def _body(self, types: OperationTypes) -> tuple[str, Type | None]:
        """The media type and the type of a body, JSON if there is a choice."""
        if not types.request:
            return "", None
        for media_type, body in types.request.items():
            if is_json(media_type):
                return media_type, body
        raise OutsideProfile(types.operation.pointer, f"no body of it is JSON, only {', '.join(types.request)}")

    def _success(self, types: OperationTypes) -> tuple[str, Type | None, Type | None]:
        """What a success is: the Accept field, the type of JSON, and that of a line if there is no JSON."""
        bodies = [
            (name, kind) for status, body in types.responses.items() if status[0] == "2" for name, kind in body.items()
        ]
        json = list(dict.fromkeys(kind for name, kind in bodies if is_json(name)))
        if json:
            return JSON, either(*json), None
        if not bodies:
            return JSON, None, None
        lines = [kind for name, kind in bodies if essence(name) == NDJSON]
        names = list(dict.fromkeys(name for name, _ in bodies))
        return ", ".join(names), None, lines[0] if lines else ListOf(bodies[0][1])

    def _page_item(self, arguments: Iterable[Argument], result: Type | None) -> Type | None:
        """The type of the items of a page that has a cursor."""
        page = self._resolved(result)
        if not isinstance(page, ObjectType) or not any(each.property.name == "cursor" for each in arguments):
            return None
        properties = {each.name: each.type for each in page.properties}
        items = self._resolved(properties.get("items"))
        return items.items if isinstance(items, ListOf) and {"next_cursor", "has_more"} <= properties.keys() else None

    def _batch(self, path: str, request: Mapping[str, Any], body: Type | None, result: Type | None) -> Batch | None:
        """What a batch is made of, if the operation takes one."""
        items, answer = self._resolved(body), self._resolved(result)
        if not isinstance(items, ListOf) or not isinstance(answer, ObjectType):
            return None
        results = self._resolved({each.name: each.type for each in answer.properties}.get("results"))
        outcome = self._resolved(results.items) if isinstance(results, ListOf) else None
        if not isinstance(outcome, ObjectType) or not {"index", "status"} <= {each.name for each in outcome.properties}:
            return None
        item = self._resolved(items.items)
        fields = {each.name for each in item.properties} if isinstance(item, ObjectType) else set()
        declared = request.get("content", {}).get(JSON, {})
        schema = self._document.resolve(declared.get("schema", {}))
        key_field = next((name for name in sorted(fields) if re.fullmatch(r"client_\w+_id", name)), "")
        return Batch(
            item=items.items,
            result=results.items,  # type: ignore[union-attr] # it has an outcome
            max_items=int(schema.get("maxItems", 1000)),
            max_bytes=min(_MAX_BYTES, int(declared.get("x-body-limit-bytes", _MAX_BYTES))),
            max_item_bytes=int(self._items_limits.get(path.rpartition("/")[0], _MAX_ITEM_BYTES)),
            key_field=key_field,
            time_field="occurred_at" if "occurred_at" in fields else "",
            sample=_sample(declared, key_field),
        )

    def _resolved(self, content: Type | None) -> Type | ObjectType | None:
        """A type that is no name of another one."""
        seen: set[Any] = set()
        resolved: Type | ObjectType | None = content
        while isinstance(resolved, Named) and resolved not in seen:
            seen.add(resolved)
            resolved = self._declared[resolved.pointer]
        return resolved


def _sample(declared: Mapping[str, Any], key_field: str) -> Mapping[str, Any] | None:
    """The first item of the first example of a list, without its key."""
    examples = [declared.get("example"), *(each.get("value") for each in declared.get("examples", {}).values())]
    items = (example[0] for example in examples if isinstance(example, list) and example)
    return next(({name: item[name] for name in item if name != key_field} for item in items), None)


def _names(path: str, method: str, operation_id: str) -> tuple[str, str]:
    """The resource and the short name of a method: what the path and the operationId alone say."""
    segments = [segment for segment in path.split("/") if segment and not segment.startswith("{")]
    named = [segment for segment in segments if not _NO_RESOURCE.fullmatch(segment)]
    resource = snake(named[0]) if named else "root"
    of_resource = {word.lower().removesuffix("s") for word in words(resource)}
    verb = [word.lower() for word in words(operation_id) if word.lower().removesuffix("s") not in of_resource]
    rest = [word.lower() for segment in named[1:] for word in words(segment)]
    verb += [word for word in rest if word not in verb]
    return resource or "root", "_".join(verb) or method


def _named(operations: list[ClientOperation]) -> list[ClientOperation]:
    """Operations whose short names are unique; of those with one name all but the first have their whole names."""
    taken: set[tuple[str, str]] = set()
    result = []
    for operation in operations:
        chosen = operation if (operation.resource, operation.verb) not in taken else None
        chosen = chosen or replace(operation, verb=snake(operation.name))
        taken.add((chosen.resource, chosen.verb))
        result.append(chosen)
    return result


def _security(document: Document) -> Security:
    """The first way to authenticate that the document names."""
    schemes = document.document.get("components", {}).get("securitySchemes", {})
    for scheme in map(document.resolve, schemes.values()):
        flow = scheme.get("flows", {}).get("clientCredentials")
        if scheme.get("type") == "oauth2" and flow:
            return Security("oauth2", token_url=str(flow.get("tokenUrl", "")), scopes=tuple(flow.get("scopes", {})))
        if scheme.get("type") == "http" and str(scheme.get("scheme", "")).lower() == "bearer":
            return Security("bearer")
        if scheme.get("type") == "apiKey" and scheme.get("in") == "header":
            return Security("header", header=str(scheme["name"]))
    return Security("none")
