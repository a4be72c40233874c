"""The changes in the requests of one operation: parameters, body and authentication."""

import json
from collections.abc import Callable, Iterator, Set
from functools import partial
from typing import Any

from openapi.diff.comparison import messages, schema_changes
from openapi.diff.comparison.changes import Change
from openapi.diff.comparison.messages import BODY, Carriage
from openapi.diff.comparison.operations import Content, Operation, Parameter, covers
from openapi.diff.comparison.schema_changes import Place
from openapi.schemas.conversion import Parts
from openapi.schemas.directions import Direction
from openapi.schemas.engine import Engine
from openapi.standards.json_pointer import pointer

LIMIT, CODINGS = "x-body-limit-bytes", "x-content-codings"
_OF_ONE_VALUE = ("boolean", "integer", "number", "string")
_ENCODED = ("multipart/", "application/x-www-form-urlencoded")


class Requests:
    """The requests of an operation in both documents."""

    def __init__(self, old: Operation, new: Operation, engine: Engine) -> None:
        self._old, self._new, self._engine = old, new, engine

    def changes(self) -> Iterator[Change]:
        """Every change of the requests."""
        yield from self._parameters()
        yield from self._body()
        yield from self._security()

    def _change(self, rule: str, parts: Parts, subject: str, **more: Any) -> Change:
        is_in_new = more.pop("is_in_new", True)
        return Change(rule, pointer(*parts), is_in_new, Direction.REQUEST, (self._new.name,), subject, **more)

    def _parameters(self) -> Iterator[Change]:
        old, new = self._old.parameters, self._new.parameters
        for key, parameter in old.items():
            if key in new:
                yield from self._parameter(key, parameter, new[key])
                continue
            moved = next((other for other in new if other not in old and _is_moved(key, other)), None)
            yield self._change(
                "parameter-moved" if moved else "parameter-removed",
                parameter.parts,
                _subject(parameter),
                is_in_new=False,
                old=parameter.location,
                new=moved and moved[0],
            )
        for key in sorted(new.keys() - old.keys()):
            rule = "parameter-added-required" if new[key].is_required else "parameter-added"
            yield self._change(rule, new[key].parts, _subject(new[key]), is_break=new[key].is_required)

    def _parameter(self, key: tuple[str, str], old: Parameter, new: Parameter) -> Iterator[Change]:
        def change(rule: str, old_value: Any = None, new_value: Any = None, is_break: bool = False) -> Change:
            return self._change(rule, new.parts, _subject(new), old=old_value, new=new_value, is_break=is_break)

        if old.is_required != new.is_required:
            yield change("parameter-required" if new.is_required else "parameter-optional", is_break=new.is_required)
        if bool(old.raw.get("deprecated")) != bool(new.raw.get("deprecated")):
            yield change(
                "parameter-deprecated-changed", bool(old.raw.get("deprecated")), bool(new.raw.get("deprecated"))
            )
        takes_empty = [
            parameter.location == "query" and parameter.raw.get("allowEmptyValue") is True for parameter in (old, new)
        ]
        if takes_empty[0] != takes_empty[1]:
            rule = "parameter-empty-value-allowed" if takes_empty[1] else "parameter-empty-value-refused"
            yield change(rule, is_break=takes_empty[0])
        old_types, new_types = list(old.content), list(new.content)
        if old_types != new_types:
            yield change("parameter-content-changed", old_types, new_types, is_break=True)
            return
        is_written_otherwise = False
        if not old_types and old.serialization != new.serialization:
            is_written_otherwise = not self._is_written_the_same(old, new)
            yield change("parameter-serialization-changed", old.serialization, new.serialization, is_written_otherwise)
        schemas = (
            (old.content[old_types[0]].schema, new.content[new_types[0]].schema)
            if old_types
            else (old.schema, new.schema)
        )
        place = Place(
            _subject(new),
            self._new.name,
            Direction.REQUEST,
            lambda value, paths: messages.request(self._old, self._engine, {key: value}, paths),
            is_text=not old_types,
            carriage=lambda value: (
                Carriage.NEVER
                if is_written_otherwise and isinstance(value, list | dict)
                else messages.carriage(self._old, key, value)
            ),
            is_required=old.is_required,
        )
        yield from schema_changes.compare(self._engine, *schemas, place)

    def _is_written_the_same(self, old: Parameter, new: Parameter) -> bool:
        """True if only `explode` differs, and both documents have a single value (OpenAPI 3.0.3, Style Examples)."""
        schemas = [
            operation.document.at(parameter.schema) if parameter.schema else None
            for operation, parameter in ((self._old, old), (self._new, new))
        ]
        return {**old.serialization, "explode": None} == {**new.serialization, "explode": None} and all(
            map(_is_of_one_value, schemas)
        )

    def _body(self) -> Iterator[Change]:
        old, new = self._old.body, self._new.body
        where = self._new.body_place
        if old is None or new is None:
            if new is not None:
                is_required = new.get("required") is True
                yield self._change(
                    "body-added-required" if is_required else "body-added", where, "body", is_break=is_required
                )
            elif old is not None:
                yield self._change("body-removed", self._old.body_place, "body", is_in_new=False, is_break=True)
            return
        was_required, is_required = old.get("required") is True, new.get("required") is True
        if was_required != is_required:
            yield self._change("body-required" if is_required else "body-optional", where, "body", is_break=is_required)
        yield from self._codings(old.get(CODINGS), new.get(CODINGS), where)
        yield from self._media_types()

    def _codings(self, old: Any, new: Any, where: Parts) -> Iterator[Change]:
        """The changes of content codings, which an extension of this project declares."""
        old_codings, new_codings = (
            set(map(str, codings)) if isinstance(codings, list) else set() for codings in (old, new)
        )
        for coding in sorted(old_codings ^ new_codings):
            rule = "content-coding-removed" if coding in old_codings else "content-coding-added"
            yield self._change(rule, where, "body", old=coding, new=coding, is_break=coding in old_codings)

    def _media_types(self) -> Iterator[Change]:
        old, new = self._old.body_contents, self._new.body_contents
        matched = set()
        for name, content in old.items():
            counterpart = new.get(name) or next((new[wide] for wide in new if covers(wide, name)), None)
            if counterpart is None:
                yield self._change(
                    "request-media-type-removed",
                    content.parts,
                    "body",
                    is_in_new=False,
                    old=content.media_type,
                    is_break=True,
                )
                continue
            matched.add(name)
            yield from self._content(content, counterpart)
        for name in sorted(new.keys() - matched):
            yield self._change("request-media-type-added", new[name].parts, "body", new=new[name].media_type)

    def _content(self, old: Content, new: Content) -> Iterator[Change]:
        encodings = [content.raw.get("encoding") or {} for content in (old, new)]
        if encodings[0] != encodings[1] and old.media_type.lower().startswith(_ENCODED):
            yield self._change(
                "body-encoding-changed", new.parts, "body", old=encodings[0], new=encodings[1], is_break=True
            )
        limits = [_limit(content, body) for content, body in ((old, self._old.body), (new, self._new.body))]
        if limits[0] != limits[1] and None not in limits:
            is_lower = limits[1] < limits[0]
            rule = "body-limit-lowered" if is_lower else "body-limit-raised"
            yield self._change(rule, new.parts, "body", old=limits[0], new=limits[1], is_break=is_lower)
        place = Place(
            "body",
            self._new.name,
            Direction.REQUEST,
            lambda value, paths: messages.request(self._old, self._engine, {BODY: (old.media_type, value)}, paths),
            carriage=lambda value: messages.carriage(self._old, BODY, (old.media_type, value)),
            is_required=(self._old.body or {}).get("required") is True,
            is_form=old.media_type.lower().startswith(_ENCODED),
            encoded=frozenset(name for encoding in encodings if isinstance(encoding, dict) for name in encoding),
        )
        yield from schema_changes.compare(self._engine, old.schema, new.schema, place)

    def _security(self) -> Iterator[Change]:
        old, new = self._old.security, self._new.security
        if old == new:
            return
        refused = [way for way in old if not any(_suffices(way, other) for other in new)]
        parts = (*self._new.place, "security") if "security" in self._new.raw else ("security",)
        if scheme := self._changed_scheme():
            parts = ("components", "securitySchemes", scheme)
        rule = "security-narrowed" if refused else "security-widened"
        old_words, new_words = (_in_words(ways, _short) for ways in (old, new))
        if old_words == new_words:
            members = [set(_members(scheme)) for way in old | new for scheme, _ in way]
            distinct = partial(_distinct, set.intersection(*members) if members else set())
            old_words, new_words = (_in_words(ways, distinct) for ways in (old, new))
        yield self._change(rule, parts, "authentication", old=old_words, new=new_words, is_break=bool(refused))

    def _changed_scheme(self) -> str | None:
        """The name of a scheme that changed, if the operation demands the same schemes as before."""
        sides = self._old, self._new
        old, new = (side.raw.get("security", side.document.document.get("security")) for side in sides)
        if old != new or not isinstance(new, list):
            return None
        names = (name for way in new if isinstance(way, dict) for name in way)
        return next((name for name in names if len({side.scheme(name) for side in sides}) > 1), None)


def _is_of_one_value(schema: Any) -> bool:
    """True if every value of `schema` is a text, a number or a truth value; null is not sent."""
    named = schema.get("type") if isinstance(schema, dict) else None
    types = [each for each in named if each != "null"] if isinstance(named, list) else [named]
    return bool(types) and all(each in _OF_ONE_VALUE for each in types)


def _suffices(way: Any, other: Any) -> bool:
    """True if a client that authenticates by `way` also satisfies `other`."""
    return all(any(scheme == own and scopes <= granted for own, granted in way) for scheme, scopes in other)


def _in_words(ways: Any, name: Callable[[str], str]) -> str:
    """The alternatives for authentication, in words; `name` returns the name of a scheme."""
    ways_in_words = [
        sorted(name(scheme) + (f" with {' and '.join(sorted(scopes))}" if scopes else "") for scheme, scopes in way)
        for way in ways
    ]
    return " or ".join(sorted(" and ".join(way) or "nothing" for way in ways_in_words))


def _short(scheme: str) -> str:
    """A scheme in short: its type, scheme, location and name, as far as declared."""
    declared = json.loads(scheme)
    words = [declared.get(key) for key in ("type", "scheme", "in", "name")]
    return " ".join(word for word in words if isinstance(word, str)) or scheme


def _distinct(shared: Set[str], scheme: str) -> str:
    """A scheme in short, with those of its members that are not `shared` by all."""
    members = [member for member in _members(scheme) if member not in shared]
    return f"{_short(scheme)} ({', '.join(members)})" if members else _short(scheme)


def _members(scheme: str) -> list[str]:
    """The members of a scheme, such as `flows clientCredentials tokenUrl https://a.example/token`."""
    found: list[str] = []
    waiting: list[tuple[str, Any]] = [("", json.loads(scheme))]
    while waiting:
        place, node = waiting.pop(0)
        if isinstance(node, dict) and node:
            waiting += [(f"{place} {name}".strip(), inner) for name, inner in sorted(node.items())]
        else:
            found.append(f"{place} {node if isinstance(node, str) else json.dumps(node)}")
    return found


def _limit(content: Content, body: Any) -> Any:
    limit = content.raw.get(LIMIT, (body or {}).get(LIMIT))
    return limit if type(limit) is int else None


def _is_moved(key: tuple[str, str], other: tuple[str, str]) -> bool:
    """True if `other` has the name of `key` and another location."""
    return key[0] != other[0] and key[1].lower() == other[1].lower()


def _subject(parameter: Parameter) -> str:
    return f"{parameter.location} parameter {parameter.name}"
