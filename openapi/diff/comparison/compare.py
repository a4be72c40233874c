"""The changes between two documents: facts. `rules` judges them, and `report` renders the judgements."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from openapi.contract import Document
from openapi.diff.comparison import callbacks, dialects, matching, sunsets, text_changes
from openapi.diff.comparison.callbacks import PairedCallback
from openapi.diff.comparison.changes import Change
from openapi.diff.comparison.operations import Content, Operation, Parameter, operations, webhooks
from openapi.diff.comparison.request_changes import Requests
from openapi.diff.comparison.response_changes import ERRORS, Responses
from openapi.schemas.conversion import Node, Parts, Schemas
from openapi.schemas.directions import Direction
from openapi.schemas.engine import Engine
from openapi.schemas.forms import TooMuchError
from openapi.standards.json_pointer import pointer


def compare(old: Document, new: Document) -> list[Change]:
    """Every change from `old` to `new`, each once, with all the operations that it concerns.

    Raises ContractError if a document is neither OpenAPI 3.0 nor 3.1, or has a dangling reference.
    """
    old, new = dialects.compared(old, "old"), dialects.compared(new, "new")
    merged: dict[tuple[Any, ...], Change] = {}
    for change in _Comparison(old, new).changes():
        known = merged.get(change.key)
        if known is None:
            merged[change.key] = change
        else:
            names = tuple(dict.fromkeys((*known.operations, *change.operations)))
            merged[change.key] = replace(known, operations=names, is_cut=known.is_cut or change.is_cut)
    return list(_proved(sunsets.with_deprecations(merged.values(), old)))


def _proved(changes: Iterable[Change]) -> Iterator[Change]:
    """`changes`, with a witness for each that breaks a schema; without one if none is found."""
    for change in changes:
        if change.find_witness is None:
            yield change
            continue
        try:
            yield replace(change, witness=change.find_witness(), find_witness=None)
        except TooMuchError:
            yield replace(change, find_witness=None, is_cut=True)


class _Comparison:
    def __init__(self, old: Document, new: Document) -> None:
        self._documents = old, new
        self._old, self._new = operations(old), operations(new)
        self._webhooks = webhooks(old), webhooks(new)
        self._requests = Engine(old, new, Direction.REQUEST)
        self._responses = Engine(old, new, Direction.RESPONSE)
        self._sent, self._answered = Engine(new, old, Direction.REQUEST), Engine(new, old, Direction.RESPONSE)

    def changes(self) -> Iterator[Change]:
        pairs, removed, added = matching.matched(self._old, self._new)
        renamed = matching.renamed(removed, added)
        for operation in removed:
            successor = renamed[operation.parts].name if operation.parts in renamed else None
            yield _of_operation("operation-removed", operation, is_in_new=False, is_break=True, new=successor)
        templates = [(operation, matching.shadowed(operation, self._old)) for operation in added]
        paired_callbacks = [*callbacks.paired(pairs), *callbacks.paired_webhooks(*self._webhooks)]
        for old, new in pairs:
            self._convert(old, new)
        for operation, shadowed in templates:
            for template in shadowed:
                self._convert(template, operation)
        for callback in paired_callbacks:
            self._convert(callback.old, callback.new, callback.is_turned)
        precedents = self._precedents()
        for operation, shadowed in templates:
            yield self._added(operation, shadowed)
        for old, new in pairs:
            yield from _servers(old, new)
            yield from _descriptions(old, new)
            yield from Requests(old, new, self._requests).changes()
            yield from Responses(old, new, self._responses, list(_error_bodies(old)) or precedents).changes()
            yield from callbacks.added_and_removed(old, new)
        for callback in paired_callbacks:
            yield from self._callback(callback)
        yield from callbacks.webhooks_added_and_removed(*self._webhooks)
        yield from sunsets.compare(*self._documents)
        yield from text_changes.compare(*self._documents)

    def _convert(self, old: Operation, new: Operation, is_turned: bool = False) -> None:
        """Convert every schema of two operations; with `is_turned` for a comparison the other way round."""
        if is_turned:
            old, new, requests, responses = new, old, self._sent, self._answered
        else:
            requests, responses = self._requests, self._responses
        _convert(old, requests.old, responses.old)
        _convert(new, requests.new, responses.new)

    def _precedents(self) -> list[Content]:
        """The error bodies of the old document, with their schemas converted."""
        precedents = [content for operation in self._old for content in _error_bodies(operation)]
        for content in precedents:
            if content.schema:
                self._responses.old.at(content.schema)
        return precedents

    def _added(self, operation: Operation, shadowed: list[Operation]) -> Change:
        """The change that `operation` is new, which may take requests that one of `shadowed` answered."""
        template = next((old for old in shadowed if self._is_otherwise(old, operation)), None)
        if template is None:
            return _of_operation("operation-added", operation)
        return _of_operation("operation-added-over-template", operation, is_break=True, old=template.name)

    def _is_otherwise(self, template: Operation, operation: Operation) -> bool:
        """True if requests that `template` answered can fail, or be answered otherwise, when `operation` takes them."""
        texts = [
            re.fullmatch(matching.pattern_of(base + template.path), operation.bases[0] + operation.path)
            for base in template.bases
        ]
        values = next((found.groups() for found in texts if found), ())
        for index, value in enumerate(values):
            schema = (parameter := template.parameters.get(("path", str(index)))) and parameter.schema
            if schema and not self._takes(schema, unquote(value)):
                return False
        responses = Responses(template, operation, self._responses, list(_error_bodies(template)))
        changes = (*Requests(template, operation, self._requests).changes(), *responses.changes())
        return any(change.is_break for change in changes)

    def _takes(self, schema: Parts, text: str) -> bool:
        """True if the old `schema` accepts `text`, or the number that it stands for."""
        old = Node((self._requests.old.at(schema),))
        readings: list[dict[str, Any]] = [{"type": "string", "enum": [text]}]
        if text.isdecimal():
            readings.append({"type": "integer", "enum": [int(text)]})
        faults = (self._requests.faults(Node((reading,)), old) for reading in readings)
        return any(not any(fault.is_break for fault in found) for found in faults)

    def _callback(self, callback: PairedCallback) -> Iterator[Change]:
        """The changes of what the server sends to clients, and of what they may answer.

        A client is the server of a callback, and knows only the old document: it is as if the documents had changed
        places. So they are compared the other way round, and the changes are turned.
        """
        old, new = callback.old, callback.new
        requests, responses = self._requests, self._responses
        if callback.is_turned:
            old, new, requests, responses = new, old, self._sent, self._answered
        has_security = "security" in {**old.raw, **new.raw}
        for change in Requests(old, new, requests).changes():
            if has_security or not change.rule.startswith("security"):
                yield from callback.told(change)
        for change in Responses(old, new, responses, list(_error_bodies(old))).changes():
            yield from callback.told(change)


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
    where = pointer(*operation.place)
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
    """Changes of operationId and deprecation."""
    old_id, new_id = old.raw.get("operationId"), new.raw.get("operationId")
    if old_id != new_id:
        yield _of_operation("operation-id-changed", new, old=old_id, new=new_id)
    was_deprecated, is_deprecated = bool(old.raw.get("deprecated")), bool(new.raw.get("deprecated"))
    if was_deprecated != is_deprecated:
        yield _of_operation("operation-deprecated-changed", new, old=was_deprecated, new=is_deprecated)
