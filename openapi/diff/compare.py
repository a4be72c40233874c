"""The changes between two documents: facts. `rules` judges them, and `report` renders the judgements."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote

from openapi.contract import ContractError, Document
from openapi.diff import text_changes
from openapi.diff.changes import Change
from openapi.diff.operations import Callback, Content, Operation, Parameter, blank, operations
from openapi.diff.request_changes import Requests
from openapi.diff.response_changes import ERRORS, Responses
from openapi.schemas.conversion import Node, Parts, Schemas
from openapi.schemas.directions import Direction
from openapi.schemas.engine import Engine
from openapi.standards.json_pointer import parts_of, pointer

MOST_PROVED = 200
"""Limit on the changes of one comparison that receive a witness."""

_FROM_REQUEST = re.compile(r"\$request\.(?:(query|header)\.([^{}]+)|body(#/[^{}]+))")
MEANINGLESS = ("content-coding", "body-limit", "link-")
"""The beginnings of rules for what only servers have."""
OTHER = {Direction.REQUEST: Direction.RESPONSE, Direction.RESPONSE: Direction.REQUEST}
OPPOSITES = dict(
    pair
    for one, other in (("narrowed", "widened"), ("added", "removed"), ("required", "optional"))
    for pair in ((one, other), (other, one))
)
_WIDER, _NARROWER = "callback-sent-widened", "callback-sent-narrowed"
_ACCEPTED, _REFUSED = "callback-answer-widened", "callback-answer-narrowed"
TURNED = {
    "parameter-added": (_NARROWER, "is no longer sent"),
    "parameter-added-required": (_WIDER, "is no longer sent"),
    "parameter-removed": ("callback-parameter-added", ""),
    "parameter-moved": (_WIDER, "is sent elsewhere"),
    "parameter-required": (_WIDER, "may now be missing"),
    "parameter-optional": (_NARROWER, "is now always sent"),
    "parameter-empty-value-refused": (_WIDER, "may now be empty"),
    "parameter-empty-value-allowed": (_NARROWER, "is no longer empty"),
    "body-added": (_NARROWER, "is no longer sent"),
    "body-added-required": (_WIDER, "is no longer sent"),
    "body-removed": (_WIDER, "is sent now"),
    "body-required": (_WIDER, "may now be missing"),
    "body-optional": (_NARROWER, "is now always sent"),
    "request-media-type-added": (_NARROWER, "is no longer {}"),
    "request-media-type-removed": (_WIDER, "may now be {}"),
    "success-status-added": (_REFUSED, "is no longer accepted"),
    "success-status-added-on-request": (_REFUSED, "is no longer accepted"),
    "success-status-removed": (_ACCEPTED, "is accepted now"),
    "error-status-added": (_ACCEPTED, "is no longer documented"),
    "error-status-added-with-another-body": (_REFUSED, "is no longer documented"),
    "error-status-removed": (_ACCEPTED, "is accepted now"),
    "error-status-removed-with-another-body": (_ACCEPTED, "is accepted now"),
    "response-media-type-added": (_REFUSED, "may no longer be {}"),
    "response-media-type-removed": (_ACCEPTED, "may now be {}"),
    "response-header-added": (_ACCEPTED, "need no longer be sent"),
    "response-header-removed": (_REFUSED, "is expected now"),
    "response-header-required": (_ACCEPTED, "may now be missing"),
    "response-header-optional": (_REFUSED, "must now be sent"),
}
"""What a change of messages is for whom the documents have changed places: its rule, and the rest of its sentence."""


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
        self._sent, self._answered = Engine(new, old, Direction.REQUEST), Engine(new, old, Direction.RESPONSE)

    def changes(self) -> Iterator[Change]:
        pairs, removed, added = _matched(self._old, self._new)
        for operation in removed:
            yield _of_operation("operation-removed", operation, is_in_new=False, is_break=True)
        templates = [(operation, _shadowed(operation, self._old)) for operation in added]
        callbacks = list(_callbacks(pairs))
        for old, new in pairs:
            self._convert(old, new)
        for operation, shadowed in templates:
            for template in shadowed:
                self._convert(template, operation)
        for callback in callbacks:
            self._convert(callback.old, callback.new, callback.is_turned)
        precedents = self._precedents()
        for operation, shadowed in templates:
            yield self._added(operation, shadowed)
        for old, new in pairs:
            yield from _servers(old, new)
            yield from _descriptions(old, new)
            yield from Requests(old, new, self._requests).changes()
            yield from Responses(old, new, self._responses, list(_error_bodies(old)) or precedents).changes()
            yield from _callbacks_added_and_removed(old, new)
        for callback in callbacks:
            yield from self._callback(callback)
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
            re.fullmatch(_pattern_of(base + template.path), operation.bases[0] + operation.path)
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

    def _callback(self, callback: "_Callback") -> Iterator[Change]:
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


@dataclass(frozen=True, slots=True)
class _Callback:
    """A callback in both documents; `operation` names the operation that has it."""

    key: Callback
    operation: str
    old: Operation
    new: Operation
    is_turned: bool
    """True if the server sends its requests, False for a callback within a callback."""

    def told(self, change: Change) -> Iterator[Change]:
        """`change` as one of the callback; none if it means nothing there."""
        change = replace(change, subject=f"callback {self.key.name} {change.subject}", operations=(self.operation,))
        if not self.is_turned:
            yield change
        elif not change.rule.startswith(MEANINGLESS):
            turned = replace(change, old=change.new, new=change.old, is_in_new=not change.is_in_new)
            if change.direction:
                turned = replace(turned, direction=OTHER[change.direction])
            if change.rule in TURNED:
                rule, words = TURNED[change.rule]
                words = words.format(change.new or change.old)
                is_break = turned.is_break or change.rule == "response-media-type-added"
                yield replace(turned, rule=rule, old=None, new=words or None, is_break=is_break)
            elif change.direction:
                rule = _turned_rule(change.rule) if change.rule.startswith(f"{change.direction}-") else change.rule
                yield replace(turned, rule=rule, is_break=turned.is_break and "-default-" not in rule)


def _turned_rule(rule: str) -> str:
    """The rule for the change of a schema, as it is for whom the documents have changed places."""
    direction, _, rest = rule.partition("-")
    kind, _, end = rest.rpartition("-")
    return f"{OTHER[Direction(direction)]}-{kind}-{OPPOSITES.get(end, end)}"


def _callbacks(pairs: Iterable[tuple[Operation, Operation]]) -> Iterator[_Callback]:
    """The callbacks that operations have in both documents, and those within callbacks: each once an operation."""
    for pair in pairs:
        seen = {(pair[0].parts, pair[1].parts)}
        waiting = [(*pair, True)]
        while waiting:
            old, new, is_turned = waiting.pop()
            for key, other in old.callbacks.items():
                counterpart = new.callbacks.get(key)
                if counterpart and (other.parts, counterpart.parts) not in seen:
                    seen.add((other.parts, counterpart.parts))
                    waiting.append((other, counterpart, not is_turned))
                    yield _Callback(key, pair[1].name, other, counterpart, is_turned)


def _callbacks_added_and_removed(old: Operation, new: Operation) -> Iterator[Change]:
    for is_in_new, operation, other in ((False, old, new), (True, new, old)):
        for key, callback in operation.callbacks.items():
            if key not in other.callbacks:
                is_asked_for = is_in_new and _is_asked_for(key.url, old, new)
                rule = "callback-added" if is_in_new else "callback-removed"
                yield Change(
                    "callback-added-on-request" if is_asked_for else rule,
                    pointer(*callback.parts),
                    is_in_new,
                    None,
                    (new.name,),
                    f"callback {key.name}",
                    is_break=not is_asked_for,
                )


def _is_asked_for(url: str, old: Operation, new: Operation) -> bool:
    """True if `url` comes from a part of the request that is new, and may be left out."""
    for location, name, path in _FROM_REQUEST.findall(url):
        if location:
            key = (location, name.lower() if location == "header" else name)
            if key not in old.parameters and key in new.parameters and not new.parameters[key].is_required:
                return True
        elif old.has_in_body(parts_of(path)) is None and new.has_in_body(parts_of(path)) is False:
            return True
    return False


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


def _shadowed(operation: Operation, old: Iterable[Operation]) -> list[Operation]:
    """The operations of the old document with a template for the path of `operation`, which is none itself."""
    if "{" in operation.path:
        return []
    urls = [base + operation.path for base in operation.bases]
    return [
        other
        for other in old
        if other.method == operation.method
        and "{" in other.path
        and any(re.fullmatch(_pattern_of(base + other.path), url) for base in other.bases for url in urls)
    ]


def _pattern_of(path: str) -> str:
    """A pattern for the paths that the template `path` takes."""
    return "([^/]+)".join(map(re.escape, blank(path).split("{}")))


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
    """Changes of operationId and deprecation."""
    old_id, new_id = old.raw.get("operationId"), new.raw.get("operationId")
    if old_id != new_id:
        yield _of_operation("operation-id-changed", new, old=old_id, new=new_id)
    was_deprecated, is_deprecated = bool(old.raw.get("deprecated")), bool(new.raw.get("deprecated"))
    if was_deprecated != is_deprecated:
        yield _of_operation("operation-deprecated-changed", new, old=was_deprecated, new=is_deprecated)
