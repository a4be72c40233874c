"""The text of one file of a document, in YAML or JSON: its value, and where in the text a value stands."""

import json
import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from openapi.contract import ContractError
from openapi.document_text import MAX_DEPTH, TOO_DEEP, Parts, TextError, is_deeper, once_each
from openapi.sources import json_places
from openapi.sources.yaml_nodes import Node, TextFault, compose


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a file; lines and columns begin at 1, and columns count characters (code points)."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class SourceText:
    """A text and its value; `name` is the name of its file, for people."""

    name: str
    text: str = field(repr=False)
    value: Any = field(repr=False)
    is_json: bool

    @classmethod
    def read(cls, name: str, content: bytes) -> "SourceText":
        """The text `content` of the file `name`. ContractError, with file, line and column, if it cannot be read."""
        try:
            text = _text(content)
            value, is_json = _value(text)
            json.dumps(value, allow_nan=False).encode("utf-8")
        except TextFault as fault:
            raise ContractError(f"{Position(name, fault.line, fault.column)}: {fault}") from None
        except (TextError, ValueError) as error:  # a number that is not finite, or half of a surrogate pair
            raise ContractError(f"{name}: {error}") from None
        return cls(name, text, value, is_json)

    def positions(self, wanted: Iterable[Parts]) -> dict[Parts, Position]:
        """The place of each value of `wanted` or, if it is absent, of the innermost value around it."""
        return self._of_json(list(wanted)) if self.is_json else self._of_yaml(wanted)

    def _of_yaml(self, wanted: Iterable[Parts]) -> dict[Parts, Position]:
        root = compose(self.text)
        return {parts: Position(self.name, *_innermost(root, parts)) for parts in wanted}

    def _of_json(self, wanted: list[Parts]) -> dict[Parts, Position]:
        places = json_places.places(self.text, wanted)
        lines = [0, *(match.end() for match in re.finditer("\n", self.text))]
        positions = {}
        for parts in wanted:
            place = next(places[parts[:end]] for end in range(len(parts), -1, -1) if parts[:end] in places)
            line = bisect_right(lines, place)
            positions[parts] = Position(self.name, line, place - lines[line - 1] + 1)
        return positions


def _innermost(node: Node, parts: Parts) -> tuple[int, int]:
    line, column = node.line, node.column
    for part in parts:
        member = node.members.get(part)
        if member is None:
            break
        line, column, node = member.line, member.column, member.node
    return line, column


def _text(content: bytes) -> str:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _fault_at(content[: error.start].decode("utf-8"), "it is not a text in UTF-8") from None
    if "\0" in text:
        raise _fault_at(text[: text.index("\0")], "it is not a text: it has a byte 0")
    return text.removeprefix("\ufeff")


def _fault_at(before: str, reason: str) -> TextFault:
    return TextFault(reason, before.count("\n") + 1, len(before) - before.rfind("\n"))


def _value(text: str) -> tuple[Any, bool]:
    """The value of `text`, and True if it is JSON; YAML may begin like JSON, too."""
    if not text.lstrip().startswith(("{", "[")):
        return compose(text).value, False
    try:
        value = json.loads(text, object_pairs_hook=once_each)
    except json.JSONDecodeError as error:
        return _of_yaml_like_json(text, error), False
    except TextError:
        compose(text)  # says where
        raise
    except RecursionError:
        raise TextFault(TOO_DEEP) from None
    if is_deeper(value, MAX_DEPTH):
        raise TextFault(TOO_DEEP)
    return value, True


def _of_yaml_like_json(text: str, error: json.JSONDecodeError) -> Any:
    """The value of `text`, which `error` says is not JSON. If it is not YAML either, its author meant JSON."""
    try:
        return compose(text).value
    except TextFault as fault:
        if (fault.line, fault.column) != (1, 1) and str(fault).startswith("it is not YAML"):
            reason = f"it is neither JSON nor YAML: {error.msg}"
            raise TextFault(reason, error.lineno, error.colno) from None
        raise
