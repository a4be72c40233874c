"""The text of a document with another value: what stays the same keeps its layout and its comments."""

import json
from typing import Any

import yaml

from openapi import document_text
from openapi.contract import Document
from openapi.overlays.alignment import aligned

Node = Any
"""A node of PyYAML, which ships no types."""


def rewritten(base: Document, new: dict[str, Any]) -> str:
    """The text of `base`, changed so that it holds `new`.

    If the layout cannot be kept, as of some rare forms of YAML, the whole is written anew.
    """
    text = base.text
    if base.is_json:
        return _as_json(text, new)
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n")
    edited = _Editor(lines if lines.endswith("\n") else lines + "\n").edited(base.document, new)
    if edited is None or not _holds(edited, new):
        edited = document_text.write(new)
    return edited.replace("\n", "\r\n") if "\r\n" in text else edited


def _as_json(text: str, value: Any) -> str:
    """`value` as JSON with the indentation, the escapes and the end of `text`."""
    second = text.split("\n", 2)[1] if "\n" in text.strip() else ""
    indent = second[: len(second) - len(second.lstrip())]
    written = json.dumps(value, indent=indent or None, ensure_ascii=text.isascii())
    return written + text[len(text.rstrip()) :]


def _holds(text: str, value: Any) -> bool:
    try:
        return _same(document_text.read(text, len(text.encode()) + 1), value)
    except document_text.TextError:
        return False


def _same(value: Any, other: Any) -> bool:
    """True if two values are the same JSON; for Python 1 is true."""
    return json.dumps(value, sort_keys=True) == json.dumps(other, sort_keys=True)


class _UnusualError(Exception):
    """A form of YAML that is not edited."""


class _Editor:
    """Edits of a text: each one a first index, an end, and the new text between them."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._edits: list[tuple[int, int, str]] = []

    def edited(self, old: Any, new: Any) -> str | None:
        """The text with `new` in place of `old`; None if that takes more than edits."""
        root = yaml.compose(self._text, Loader=yaml.CSafeLoader)
        try:
            if not self._change(root, old, new):
                return None
        except _UnusualError:
            return None
        text = self._text
        order = sorted(enumerate(self._edits), key=lambda edit: (edit[1][:2], edit[0]), reverse=True)
        for _, (start, end, words) in order:  # at the same place, that of an outer collection stands behind
            text = text[:start] + words + text[end:]
        return text

    def _change(self, node: Node, old: Any, new: Any) -> bool:
        """Edit `node`, which holds `old`; False if it must be replaced as a whole."""
        if isinstance(old, dict | list) and type(old) is type(new) and old and new:
            change: Any = self._change_object if isinstance(old, dict) else self._change_array
            before = len(self._edits)
            if change(node, old, new):
                return True
            del self._edits[before:]
            return False
        return _same(old, new)

    def _change_object(self, node: Node, old: dict[str, Any], new: dict[str, Any]) -> bool:
        members = [(key, value, key.value) for key, value in node.value]
        added = {name: value for name, value in new.items() if name not in old}
        if not new.keys() & old.keys() or (node.flow_style and not old.keys() <= new.keys()):
            return False
        for index, (key, value, name) in enumerate(members):
            if name not in new:
                following = members[index + 1][0] if index + 1 < len(members) else None
                self._remove_member(key, value, following)
            elif not self._change(value, old[name], new[name]):
                self._replace_value(key, value, new[name], in_flow=node.flow_style)
        if added and node.flow_style:
            self._insert(self._end(members[-1][1]), ", " + document_text.write_line(added)[1:-1])
        elif added:
            self._insert_lines(self._line_end(self._end(members[-1][1])), added, members[0][0].start_mark.column)
        return True

    def _change_array(self, node: Node, old: list[Any], new: list[Any]) -> bool:
        steps = aligned(old, new)
        if steps is None or (node.flow_style and any(step.is_shift for step in steps)):
            return False
        for step in steps:
            for index, replacement in step.pairs:
                item = node.value[index]
                if not self._change(item, old[index], new[replacement]):
                    self._replace_item(node, item, new[replacement])
            for index in step.removed:
                self._remove_item(node, node.value[index])
            if step.added:
                self._insert_items(node, step.after, new[step.added.start : step.added.stop])
        return True

    def _replace_value(self, key: Node, value: Node, new: Any, in_flow: bool) -> None:
        """Write `new` after `key` and its colon."""
        if in_flow or _is_in_flow(value, new):
            words = " " + document_text.write_line([new])[1:-1]
        elif isinstance(new, str) and "\n" not in new and getattr(value, "style", None) == '"':
            words = " " + json.dumps(new, ensure_ascii=False)
        else:
            words = _indented(document_text.write_lines({"k": new}), key.start_mark.column)
            words = words.lstrip().removeprefix("k:")
        self._edits.append((key.end_mark.index, self._end(value), ":" + words))

    def _replace_item(self, array: Node, item: Node, new: Any) -> None:
        if array.flow_style or _is_in_flow(item, new):
            words = document_text.write_line([new])[1:-1]
            self._edits.append((item.start_mark.index, self._end(item), words))
            return
        words = _indented(document_text.write_lines([new]), array.start_mark.column)
        self._edits.append((self._dash(item), self._end(item), words.lstrip()))

    def _remove_member(self, key: Node, value: Node, following: Node | None) -> None:
        """Remove a member of a block, with the comment above it."""
        start = key.start_mark.index
        if self._begins_line(start):
            self._remove_lines(start, self._end(value))
        elif following:  # it stands behind the dash of an item
            self._edits.append((start, following.start_mark.index, ""))
        else:
            raise _UnusualError

    def _remove_item(self, array: Node, item: Node) -> None:
        dash = self._dash(item)
        if not self._begins_line(dash) or dash - self._line_start(dash) != array.start_mark.column:
            raise _UnusualError
        self._remove_lines(dash, self._end(item))

    def _insert_items(self, array: Node, after: int, items: list[Any]) -> None:
        """Insert `items` behind that with the index `after`, -1 for none."""
        if array.flow_style:
            self._insert(self._end(array.value[after]), ", " + document_text.write_line(items)[1:-1])
        elif after < 0:
            dash = self._dash(array.value[0])
            if not self._begins_line(dash):
                raise _UnusualError
            self._insert_lines(self._line_start(dash), items, array.start_mark.column)
        else:
            place = self._line_end(self._end(array.value[after]))
            self._insert_lines(place, items, array.start_mark.column)

    def _insert(self, place: int, words: str) -> None:
        self._edits.append((place, place, words))

    def _insert_lines(self, place: int, value: Any, column: int) -> None:
        self._insert(place, _indented(document_text.write_lines(value), column) + "\n")

    def _remove_lines(self, start: int, end: int) -> None:
        column = start - self._line_start(start)
        first = self._line_start(start)
        while first and self._text.startswith(" " * column + "#", self._line_start(first - 1)):
            first = self._line_start(first - 1)
        self._edits.append((first, self._line_end(end), ""))

    def _end(self, node: Node) -> int:
        """The index behind the last character of `node`, without the line ends and comments after it."""
        while not isinstance(node, yaml.ScalarNode) and node.value and not node.flow_style:
            node = node.value[-1] if isinstance(node, yaml.SequenceNode) else node.value[-1][1]
        start, end = int(node.start_mark.index), int(node.end_mark.index)
        if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):
            return start + len(self._text[start:end].rstrip())
        return end

    def _dash(self, item: Node) -> int:
        """The index of the dash before `item` of a block."""
        dash = self._text.rfind("-", 0, item.start_mark.index)
        if self._text[dash + 1 : item.start_mark.index].strip():
            raise _UnusualError
        return dash

    def _begins_line(self, place: int) -> bool:
        return not self._text[self._line_start(place) : place].strip()

    def _line_start(self, place: int) -> int:
        return self._text.rfind("\n", 0, place) + 1

    def _line_end(self, place: int) -> int:
        """The index behind the line end after `place`."""
        return self._text.index("\n", place) + 1


def _is_in_flow(node: Node, new: Any) -> bool:
    """True if `new` should be written like `node`, a collection on one line."""
    return isinstance(new, dict | list) and bool(new) and getattr(node, "flow_style", False) is True


def _indented(lines: list[str], column: int) -> str:
    return "\n".join(" " * column + line if line else line for line in lines)
