"""YAML 1.2 with anchors, aliases and merge keys, and the place of each value.

An alias shares the value of its anchor; what it would add to a document that is written out is counted, and bounded.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from openapi.document_text import MAX_DEPTH, TOO_DEEP, plain_scalar

MOST_ADDED = 1_000_000
"""Limit on the values that the aliases of a text stand for, in all."""
LARGEST_FACTOR, ALWAYS_ADDED = 20, 10_000
"""They are at most so many times the values that are written, plus so many."""
_MERGE = "<<"


class TextFault(ValueError):
    """A text cannot be read: the reason, and its line and column, which begin at 1."""

    def __init__(self, reason: str, line: int = 1, column: int = 1) -> None:
        super().__init__(reason)
        self.line, self.column = line, column


@dataclass(slots=True)
class Node:
    """A value of a text, with its place; `size` counts the values in it as if no alias was used."""

    line: int
    column: int
    value: Any
    members: "dict[str, Member]" = field(default_factory=dict)
    """The values in it, by their name or index."""
    size: int = 1
    height: int = 0

    @property
    def is_object(self) -> bool:
        """True if it is a mapping."""
        return isinstance(self.value, dict)


@dataclass(frozen=True, slots=True)
class Member:
    """A value in another one; its line and column are those of its key, if it has one."""

    line: int
    column: int
    node: Node


@dataclass(slots=True)
class _Open:
    """A collection whose end has not been read."""

    node: Node
    anchor: str | None
    key: tuple[str, int, int] | None = None
    merged: list[Node] = field(default_factory=list)


def compose(text: str) -> Node:
    """The value of `text` with its places. Raises TextFault."""
    composer = _Composer()
    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            composer.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise TextFault(f"it is not YAML: {error.problem}", *_place(mark)) from None
    except yaml.reader.ReaderError as error:
        raise _unreadable(text, error) from None
    return composer.finished()


class _Composer:
    """Makes nodes of the events of PyYAML, each once. Not recursive."""

    def __init__(self) -> None:
        self._root: Node | None = None
        self._open: list[_Open] = []
        self._anchors: dict[str, Node | None] = {}  # None: its collection is open
        self._written, self._added = 0, 0
        self._last_alias = (1, 1)

    def take(self, event: yaml.Event) -> None:
        """Add what `event` stands for."""
        if isinstance(event, yaml.CollectionEndEvent):
            self._close()
        elif isinstance(event, yaml.DocumentStartEvent) and self._root:
            raise TextFault("a second document begins", *_place(event.start_mark))
        elif isinstance(event, yaml.NodeEvent):
            if getattr(event, "tag", None) is not None:
                raise TextFault("YAML tags are not accepted", *_place(event.start_mark))
            self._take_node(event)

    def finished(self) -> Node:
        """The value of the document; null for none."""
        if self._added > LARGEST_FACTOR * self._written + ALWAYS_ADDED:
            raise TextFault(_grown(LARGEST_FACTOR * self._written + ALWAYS_ADDED), *self._last_alias)
        return self._root or Node(1, 1, None)

    def _take_node(self, event: yaml.NodeEvent) -> None:
        place = _place(event.start_mark)
        parent = self._open[-1] if self._open else None
        if parent and parent.node.is_object and parent.key is None:
            if not isinstance(event, yaml.ScalarEvent):
                raise TextFault("a key is not a string", *place)
            is_merge = event.value == _MERGE and event.implicit[0]
            if event.value in parent.node.members or (is_merge and parent.merged):
                raise TextFault(f"the key {event.value!r} occurs twice", *place)
            parent.key = (_MERGE if is_merge else "=" + event.value, *place)
        elif isinstance(event, yaml.AliasEvent):
            self._add(self._aliased(event.anchor, place))
        elif isinstance(event, yaml.ScalarEvent):
            self._written += 1
            node = Node(*place, _scalar(event, place))
            if event.anchor:
                self._anchors[event.anchor] = node
            self._add(node)
        else:
            self._begin(event, place)

    def _begin(self, event: yaml.NodeEvent, place: tuple[int, int]) -> None:
        self._written += 1
        if len(self._open) >= MAX_DEPTH:
            raise TextFault(TOO_DEEP, *place)
        if event.anchor:
            self._anchors[event.anchor] = None
        is_object = isinstance(event, yaml.MappingStartEvent)
        self._open.append(_Open(Node(*place, {} if is_object else []), event.anchor))

    def _close(self) -> None:
        closed = self._open.pop()
        for source in closed.merged:
            for name, member in source.members.items():
                if name not in closed.node.members:
                    closed.node.members[name] = member
                    closed.node.value[name] = member.node.value
        if closed.anchor:
            self._anchors[closed.anchor] = closed.node
        self._add(closed.node)

    def _aliased(self, anchor: str | None, place: tuple[int, int]) -> Node:
        """The value of an alias; TextFault if there is none, or if it would add too much."""
        if anchor is None or anchor not in self._anchors:
            raise TextFault(f"the alias *{anchor} has no anchor before it", *place)
        node = self._anchors[anchor]
        if node is None:
            raise TextFault(f"the alias *{anchor} stands within its own anchor", *place)
        self._added += node.size
        self._last_alias = place
        if self._added > MOST_ADDED:
            raise TextFault(_grown(MOST_ADDED), *place)
        if len(self._open) + node.height > MAX_DEPTH:
            raise TextFault(TOO_DEEP, *place)
        return node

    def _add(self, node: Node) -> None:
        """Put `node` where the text is."""
        if not self._open:
            self._root = node
            return
        parent = self._open[-1]
        parent.node.size += node.size
        parent.node.height = max(parent.node.height, node.height + 1)
        if parent.key is None:
            parent.node.members[str(len(parent.node.value))] = Member(node.line, node.column, node)
            parent.node.value.append(node.value)
            return
        key, line, column = parent.key
        parent.key = None
        if key == _MERGE:
            parent.merged = list(_mappings(node, line, column))
        else:
            parent.node.members[key[1:]] = Member(line, column, node)
            parent.node.value[key[1:]] = node.value


def _mappings(node: Node, line: int, column: int) -> Iterator[Node]:
    """The mappings that `node`, the value of a merge key, names: one, or a list of them."""
    nodes = [node] if node.is_object else [member.node for member in node.members.values()]
    if not nodes or not all(each.is_object for each in nodes):
        raise TextFault("the merge key << needs a mapping, or a list of mappings", line, column)
    yield from nodes


def _scalar(event: yaml.ScalarEvent, place: tuple[int, int]) -> Any:
    try:
        return plain_scalar(event.value) if event.implicit[0] else event.value
    except ValueError:
        raise TextFault("a number is too long", *place) from None


def _place(mark: Any) -> tuple[int, int]:
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


def _grown(limit: int) -> str:
    return f"its YAML aliases stand for more than {limit:,} values"


def _unreadable(text: str, error: yaml.reader.ReaderError) -> TextFault:
    """The fault of a character that YAML does not allow."""
    code = error.character if isinstance(error.character, int) else ord(error.character)
    before = text[: max(text.find(chr(code)), 0)]
    reason = f"it is not YAML: the character U+{code:04X} is not allowed"
    return TextFault(reason, before.count("\n") + 1, len(before) - before.rfind("\n"))
