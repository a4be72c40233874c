"""Callbacks and webhooks: requests that the server sends, compared the other way round."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from openapi.diff.comparison.changes import Change
from openapi.diff.comparison.operations import Callback, Operation
from openapi.schemas.directions import Direction
from openapi.standards.json_pointer import parts_of, pointer

_FROM_REQUEST = re.compile(r"\$request\.(?:(query|header)\.([^{}]+)|body(#/[^{}]+))")
_MEANINGLESS = ("content-coding", "body-limit", "link-")
"""The beginnings of rules for what only servers have."""
_OTHER = {Direction.REQUEST: Direction.RESPONSE, Direction.RESPONSE: Direction.REQUEST}
_OPPOSITES = dict(
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


@dataclass(frozen=True, slots=True)
class PairedCallback:
    """A callback in both documents; `operation` names the operation that has it."""

    key: Callback
    operation: str
    old: Operation
    new: Operation
    is_turned: bool
    """True if the server sends its requests, False for a callback within a callback."""

    def told(self, change: Change) -> Iterator[Change]:
        """`change` as one of the callback; none if it means nothing there."""
        change = replace(
            change, subject=f"{self.key.kind} {self.key.name} {change.subject}", operations=(self.operation,)
        )
        if not self.is_turned:
            yield change
        elif not change.rule.startswith(_MEANINGLESS):
            turned = replace(change, old=change.new, new=change.old, is_in_new=not change.is_in_new)
            if change.direction:
                turned = replace(turned, direction=_OTHER[change.direction])
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
    return f"{_OTHER[Direction(direction)]}-{kind}-{_OPPOSITES.get(end, end)}"


def paired(pairs: Iterable[tuple[Operation, Operation]]) -> Iterator[PairedCallback]:
    """The callbacks that operations have in both documents, and those within callbacks: each once an operation."""
    for old, new in pairs:
        yield from _within(old, new, new.name, is_turned=True)


def paired_webhooks(old: dict[Callback, Operation], new: dict[Callback, Operation]) -> Iterator[PairedCallback]:
    """The webhooks of both documents, and the callbacks within them."""
    for key, other in old.items():
        if key in new:
            yield PairedCallback(key, f"webhook {key.name}", other, new[key], is_turned=True)
            yield from _within(other, new[key], f"webhook {key.name}", is_turned=False)


def _within(old: Operation, new: Operation, operation: str, is_turned: bool) -> Iterator[PairedCallback]:
    """The callbacks of two operations, and those within them, each once; `is_turned` is for the outermost."""
    seen = {(old.parts, new.parts)}
    waiting = [(old, new, is_turned)]
    while waiting:
        old, new, is_turned = waiting.pop()
        for key, other in old.callbacks.items():
            counterpart = new.callbacks.get(key)
            if counterpart and (other.parts, counterpart.parts) not in seen:
                seen.add((other.parts, counterpart.parts))
                waiting.append((other, counterpart, not is_turned))
                yield PairedCallback(key, operation, other, counterpart, is_turned)


def added_and_removed(old: Operation, new: Operation) -> Iterator[Change]:
    """The callbacks that only one of two operations has."""
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


def webhooks_added_and_removed(old: dict[Callback, Operation], new: dict[Callback, Operation]) -> Iterator[Change]:
    """The webhooks that only one of two documents has."""
    for is_in_new, these, others in ((False, old, new), (True, new, old)):
        for key, webhook in these.items():
            if key not in others:
                rule = "webhook-added" if is_in_new else "webhook-removed"
                name = f"webhook {key.name}"
                where = pointer(*webhook.parts)
                yield Change(rule, where, is_in_new, None, (name,), name, is_break=not is_in_new)


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
