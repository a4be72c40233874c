"""The changes in the responses of one operation: statuses, bodies, headers and links."""

import re
from collections.abc import Iterator
from typing import Any

from openapi.diff.comparison import messages, schema_changes
from openapi.diff.comparison.changes import Change
from openapi.diff.comparison.messages import Carriage
from openapi.diff.comparison.operations import Content, Operation, Parameter, covers
from openapi.diff.comparison.schema_changes import Place
from openapi.schemas.conversion import Node, Parts
from openapi.schemas.directions import Direction
from openapi.schemas.engine import Engine
from openapi.standards.json_pointer import pointer

ERRORS = ("4", "5", "d")
"""The first characters of error statuses, including `default`."""


class Responses:
    """The responses of an operation in both documents."""

    def __init__(self, old: Operation, new: Operation, engine: Engine, precedents: list[Content]) -> None:
        """`precedents` are the error bodies in the old document."""
        self._old, self._new, self._engine, self._precedents = old, new, engine, precedents

    def changes(self) -> Iterator[Change]:
        """Every change of the responses."""
        compared = set()
        for status in statuses(self._old, self._new):
            old_key, new_key = _of(self._old, status), _of(self._new, status)
            if old_key is None and new_key is not None:
                yield self._added(status, new_key)
            elif new_key is None and old_key is not None:
                yield self._removed(status, old_key)
            elif old_key and new_key and (old_key, new_key) not in compared:
                compared.add((old_key, new_key))
                yield from self._media_types(old_key, new_key)
                yield from self._headers(old_key, new_key)
                yield from self._links(old_key, new_key)

    def _change(self, rule: str, parts: Parts, subject: str, **more: Any) -> Change:
        is_in_new = more.pop("is_in_new", True)
        return Change(rule, pointer(*parts), is_in_new, Direction.RESPONSE, (self._new.name,), subject, **more)

    def _added(self, status: str, new_key: str) -> Change:
        where, subject = self._new.response_parts(new_key), f"response {status}"
        if new_key.startswith(ERRORS):
            is_common = self._is_common(
                self._new.response_contents(new_key), self._engine.new.at, self._precedents, self._engine.old.at
            )
            return self._change(
                "error-status-added" if is_common else "error-status-added-with-another-body", where, subject
            )
        is_asked_for = self._is_asked_for(new_key)
        rule = "success-status-added-on-request" if is_asked_for else "success-status-added"
        return self._change(rule, where, subject, is_break=not is_asked_for)

    def _is_asked_for(self, status: str) -> bool:
        """True if the response answers a preference (RFC 7240) that clients of the old document do not send."""
        prefer = ("header", "prefer")
        is_new = prefer in self._new.parameters and prefer not in self._old.parameters
        return is_new and "preference-applied" in self._new.headers(status)

    def _removed(self, status: str, old_key: str) -> Change:
        where, subject = self._old.response_parts(old_key), f"response {status}"
        if not old_key.startswith(ERRORS):
            return self._change("success-status-removed", where, subject, is_in_new=False)
        contents = self._old.response_contents(old_key)
        remaining = [
            content
            for key in self._new.responses
            if key.startswith(ERRORS)
            for content in self._new.response_contents(key).values()
        ]
        is_common = (
            bool(contents)
            and bool(remaining)
            and self._is_common(contents, self._engine.old.at, remaining, self._engine.new.at)
        )
        rule = "error-status-removed" if is_common else "error-status-removed-with-another-body"
        return self._change(rule, where, subject, is_in_new=False)

    def _is_common(self, contents: dict[str, Content], at: Any, precedents: list[Content], precedent_at: Any) -> bool:
        """True if one of `precedents` accepts each of `contents`, or if there are no precedents."""
        return not precedents or all(
            any(
                precedent.media_type.lower() == content.media_type.lower()
                and not any(
                    fault.is_break for fault in self._engine.faults(_node(content, at), _node(precedent, precedent_at))
                )
                for precedent in precedents
            )
            for content in contents.values()
        )

    def _media_types(self, old_key: str, new_key: str) -> Iterator[Change]:
        old, new = self._old.response_contents(old_key), self._new.response_contents(new_key)
        subject = f"response {new_key}"
        for name, content in old.items():
            within = [name] if name in new else [narrow for narrow in new if covers(name, narrow)]
            if name not in new:
                yield self._change(
                    "response-media-type-removed",
                    content.parts,
                    subject,
                    is_in_new=False,
                    old=content.media_type,
                    is_break=not within,
                )
            for narrow in within:
                place = self._place(new_key, media_type=new[narrow].media_type)
                yield from schema_changes.compare(self._engine, content.schema, new[narrow].schema, place)
        for name in sorted(new.keys() - old.keys()):
            yield self._change("response-media-type-added", new[name].parts, subject, new=new[name].media_type)

    def _headers(self, old_key: str, new_key: str) -> Iterator[Change]:
        old, new = self._old.headers(old_key), self._new.headers(new_key)
        for name, header in old.items():
            subject = f"response {new_key} header {header.name}"
            if name not in new:
                rule = "response-header-removed"
                yield self._change(rule, header.parts, subject, is_in_new=False, is_break=header.is_required)
                continue
            if header.is_required != new[name].is_required:
                rule = "response-header-required" if new[name].is_required else "response-header-optional"
                yield self._change(rule, new[name].parts, subject, is_break=header.is_required)
            yield from schema_changes.compare(
                self._engine, _schema(header), _schema(new[name]), self._place(new_key, header=new[name])
            )
        for name in sorted(new.keys() - old.keys()):
            yield self._change("response-header-added", new[name].parts, f"response {new_key} header {new[name].name}")

    def _links(self, old_key: str, new_key: str) -> Iterator[Change]:
        old, new = (operation.links(key) for operation, key in ((self._old, old_key), (self._new, new_key)))
        for name in sorted(new.keys() - old.keys()):
            yield self._change(
                "link-added", (*self._new.response_parts(new_key), "links", name), f"response {new_key} link {name}"
            )
        for name in sorted(old.keys() - new.keys()):
            where = (*self._old.response_parts(old_key), "links", name)
            yield self._change("link-removed", where, f"response {new_key} link {name}", is_in_new=False)

    def _place(self, status: str, media_type: str | None = None, header: Parameter | None = None) -> Place:
        subject = f"response {status} header {header.name}" if header else f"response {status}"
        return Place(
            subject,
            self._new.name,
            Direction.RESPONSE,
            lambda value, paths: messages.response(status, value, media_type, header, paths),
            carriage=lambda value: messages.header_carriage(header, value) if header else Carriage.CLEAR,
        )


def statuses(old: Operation, new: Operation) -> list[str]:
    """Every distinct status: three digits, a range for the rest of that range, or `default` for all others."""
    return sorted(old.responses.keys() | new.responses.keys())


def _of(operation: Operation, status: str) -> str | None:
    """The key of the response of `operation` for `status`; None if absent."""
    keys = [status, f"{status[0]}XX"] if re.fullmatch("[1-5][0-9]{2}", status) else [status]
    keys += ["default"] if status.startswith(ERRORS) else []
    return next((key for key in keys if key in operation.responses), None)


def _node(content: Content, at: Any) -> Node:
    return Node((at(content.schema) if content.schema else True,))


def _schema(header: Parameter) -> Parts | None:
    contents = list(header.content.values())
    return contents[0].schema if contents else header.schema
