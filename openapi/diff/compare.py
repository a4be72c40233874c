"""The changes between two documents: facts. `rules` judges them, and `report` renders the judgements."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from openapi.contract import ContractError, Document
from openapi.diff import text_changes
from openapi.diff.changes import Change
from openapi.diff.operations import Content, Operation, Parameter, blank, operations
from openapi.diff.request_changes import Requests
from openapi.diff.response_changes import ERRORS, Responses
from openapi.schemas.conversion import Schemas
from openapi.schemas.directions import Direction
from openapi.schemas.engine import Engine
from openapi.standards.json_pointer import pointer

MOST_PROVED = 200
"""Limit on the changes of one comparison that receive a witness."""


def compare(old: Document, new: Document) -> list[Change]:
    """Every change from `old` to `new`, each once, with all the operations that it concerns.

    Raises ContractError if a document is not OpenAPI 3.0, or has a dangling reference.
    """
    for name, document in (("old", old), ("new", new)):
        if not str(document.document.get("openapi")).startswith("3.0"):
            raise ContractError(f"the {name} document is not OpenAPI 3.0")
    merged: dict[tuple[Any, ...], Change] = {}
    for change in _Comparison(old, new).changes():
        known = merged.get(change.key)
        if known is None:
            merged[change.key] = change
        else:
            names = tuple(dict.fromkeys((*known.operations, *change.operations)))
            merged[change.key] = replace(known, operations=names)
    return list(_proved(merged.values()))


def _proved(changes: Iterable[Change]) -> Iterator[Change]:
    """`changes`, with a witness for the first MOST_PROVED that break a schema; None if no witness is found."""
    remaining = MOST_PROVED
    for change in changes:
        if change.find_witness and remaining:
            remaining -= 1
            yield replace(change, witness=change.find_witness(), find_witness=None)
        else:
            yield change


class _Comparison:
    def __init__(self, old: Document, new: Document) -> None:
        self._documents = old, new
        self._old, self._new = operations(old), operations(new)
        self._requests = Engine(old, new, Direction.REQUEST)
        self._responses = Engine(old, new, Direction.RESPONSE)

    def changes(self) -> Iterator[Change]:
        pairs, removed, added = _matched(self._old, self._new)
        for operation in removed:
            yield _of_operation("operation-removed", operation, is_in_new=False, is_break=True)
        for operation in added:
            yield _of_operation("operation-added", operation)
        for old, new in pairs:
            for operation, requests, responses in (
                (old, self._requests.old, self._responses.old),
                (new, self._requests.new, self._responses.new),
            ):
                _convert(operation, requests, responses)
        precedents = [content for operation in self._old for content in _error_bodies(operation)]
        for content in precedents:
            if content.schema:
                self._responses.old.at(content.schema)
        for old, new in pairs:
            yield from _servers(old, new)
            yield from _descriptions(old, new)
            yield from Requests(old, new, self._requests).changes()
            yield from Responses(old, new, self._responses, list(_error_bodies(old)) or precedents).changes()
        yield from text_changes.compare(*self._documents)


def _matched(
    old: list[Operation], new: list[Operation]
) -> tuple[list[tuple[Operation, Operation]], list[Operation], list[Operation]]:
    """Pairs of operations with a common URL, or else a common path below the server; those only in `old` or `new`."""
    pairs = []
    for keys_of in (_urls, _blank_urls, _blank_paths):
        index = {key: operation for operation in reversed(new) for key in keys_of(operation)}
        rest = []
        for operation in old:
            counterpart = next((index[key] for key in sorted(keys_of(operation)) if key in index), None)
            if counterpart in new:
                pairs.append((operation, counterpart))
                new = [other for other in new if other is not counterpart]
                index = {key: other for key, other in index.items() if other is not counterpart}
            else:
                rest.append(operation)
        old = rest
    return pairs, old, new


def _urls(operation: Operation) -> frozenset[tuple[str, str]]:
    return frozenset((operation.method, base + operation.path) for base in operation.bases)


def _blank_urls(operation: Operation) -> frozenset[tuple[str, str]]:
    return operation.keys


def _blank_paths(operation: Operation) -> frozenset[tuple[str, str]]:
    return frozenset({(operation.method, blank(operation.path))})


def _convert(operation: Operation, requests: Schemas, responses: Schemas) -> None:
    """Convert every schema of `operation`."""
    in_requests: list[Content | Parameter] = [*operation.body_contents.values()]
    for parameter in operation.parameters.values():
        in_requests += [parameter, *parameter.content.values()]
    in_responses: list[Content | Parameter] = []
    for status in operation.responses:
        in_responses += operation.response_contents(status).values()
        for header in operation.headers(status).values():
            in_responses += [header, *header.content.values()]
    for holders, schemas in ((in_requests, requests), (in_responses, responses)):
        for holder in holders:
            if holder.schema:
                schemas.at(holder.schema)


def _error_bodies(operation: Operation) -> Iterable[Content]:
    for status in operation.responses:
        if status.startswith(ERRORS):
            yield from operation.response_contents(status).values()


def _of_operation(
    rule: str, operation: Operation, is_in_new: bool = True, is_break: bool = False, **more: Any
) -> Change:
    where = pointer(*operation.parts)
    return Change(rule, where, is_in_new, None, (operation.name,), operation.name, is_break=is_break, **more)


def _servers(old: Operation, new: Operation) -> Iterator[Change]:
    """The change of the server paths of the operation, taken from all its URLs together."""
    if old.keys == new.keys:
        if old.bases[0] != new.bases[0] and old.defaults != new.defaults and set(old.bases) == set(new.bases):
            yield Change(
                "server-default-changed", "/servers", True, None, (new.name,), "servers", old.bases[0], new.bases[0]
            )
        return
    is_gone = bool(old.keys - new.keys)
    rule = "server-path-changed" if is_gone else "server-path-added"
    yield Change(rule, "/servers", True, None, (new.name,), "servers", list(old.bases), list(new.bases), is_gone)


def _descriptions(old: Operation, new: Operation) -> Iterator[Change]:
    """Changes of operationId, deprecation and callbacks."""
    old_id, new_id = old.raw.get("operationId"), new.raw.get("operationId")
    if old_id != new_id:
        yield _of_operation("operation-id-changed", new, old=old_id, new=new_id)
    was_deprecated, is_deprecated = bool(old.raw.get("deprecated")), bool(new.raw.get("deprecated"))
    if was_deprecated != is_deprecated:
        yield _of_operation("operation-deprecated-changed", new, old=was_deprecated, new=is_deprecated)
    if old.raw.get("callbacks") != new.raw.get("callbacks"):
        yield _of_operation("callbacks-undecided", new, is_break=True)
