"""The text of an OpenAPI document: YAML 1.2 or JSON, with only the types of JSON.

Only `sources/yaml_nodes` reads YAML, too: what is compared may have aliases.
"""

import json
import re
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping
from typing import Any

import yaml

Parts = tuple[str, ...]
_CONTROL = re.compile("[\x7f-\x9f\u2028\u2029\ufeff]")
MAX_DEPTH = 100


class TextError(ValueError):
    """A text is neither YAML 1.2 nor JSON with only the types of JSON; the message says where, and why."""


TOO_DEEP = f"the document is nested more than {MAX_DEPTH} levels deep"


def write(document: Any) -> str:
    """`document` as YAML."""
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


def write_lines(value: Any) -> list[str]:
    """`value`, an object or an array, as the lines of a block of YAML, which may be indented further."""
    text = yaml.dump(value, Dumper=_BlockDumper, sort_keys=False, allow_unicode=True, width=100)
    return text.removesuffix("\n").split("\n")


def write_line(value: Any) -> str:
    """`value`, an object or an array, as YAML on one line."""
    text = yaml.dump(
        value, Dumper=_FlowDumper, sort_keys=False, allow_unicode=True, width=2**31, default_flow_style=True
    )
    return text.removesuffix("\n")


def with_strings(text: str, strings: Mapping[Parts, str]) -> str:
    """`text`, YAML that `read` accepts, with other strings at the places of `strings`, and otherwise as it is."""
    text = text.removeprefix("\ufeff")  # PyYAML does not count it
    root = yaml.compose(text, Loader=yaml.CSafeLoader)
    nodes = sorted(
        ((node, strings[parts]) for parts, node in _scalars(root) if parts in strings), key=_start, reverse=True
    )
    for node, string in nodes:
        start, end = node.start_mark.index, node.end_mark.index
        scalar = text[start:end]
        following = scalar[len(scalar.rstrip()) :]  # a block scalar ends where the next line begins
        text = text[:start] + _quoted(string) + following + text[end:]
    return text


def _quoted(string: str) -> str:
    """`string` in double quotes, as YAML and JSON read it; libyaml accepts neither surrogates nor controls."""
    return _CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", json.dumps(string, ensure_ascii=False))


def _start(replacement: tuple[yaml.ScalarNode, str]) -> int:
    return int(replacement[0].start_mark.index)


def _scalars(node: yaml.Node | None, parts: Parts = ()) -> Iterator[tuple[Parts, yaml.ScalarNode]]:
    """Each scalar of a document that is no key, with its place."""
    if isinstance(node, yaml.ScalarNode):
        yield parts, node
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _scalars(value, (*parts, str(key.value)))
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _scalars(item, (*parts, str(index)))


class _Loader(yaml.CSafeLoader):
    """YAML with only the types of JSON: no dates, no octal numbers, no `yes`; and no duplicate keys."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 (PyYAML's own attribute)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        mapping: dict[Hashable, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "a key is not a string", key.start_mark)
            if key.value in mapping:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} occurs twice", key.start_mark
                )
            mapping[key.value] = self.construct_object(value, deep=deep)
        return mapping


class _Dumper(yaml.CSafeDumper):
    """YAML with quotes around each string that YAML 1.1 or `_Loader` would otherwise read as another type."""


class _BlockDumper(yaml.SafeDumper):
    """Likewise, with lists indented within objects, and texts of several lines as literal blocks."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002 (PyYAML's own)
        super().increase_indent(flow, indentless=False)


class _FlowDumper(yaml.SafeDumper):
    """Likewise, on one line."""


def _represent_in(style: str) -> Any:
    """A representer of texts, with `style` for those of several lines."""
    return lambda dumper, text: dumper.represent_scalar(
        "tag:yaml.org,2002:str", text, style=style if "\n" in text else None
    )


_BlockDumper.add_representer(str, _represent_in("|"))
_FlowDumper.add_representer(str, _represent_in('"'))


_INTEGER = r"-?(?:0|[1-9][0-9]*)"
_NUMBER = _INTEGER + r"(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?"
_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}
for _tag, _pattern, _first in (
    ("null", r"null|~|", [*"n~", ""]),
    ("bool", r"true|false", "tf"),
    ("int", _INTEGER, "-0123456789"),
    ("float", _NUMBER, "-0123456789"),
):
    for _class in (_Loader, _Dumper, _BlockDumper, _FlowDumper):
        _class.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first))

_OF_PYTHON = re.compile(r"^(Out of range float values are not JSON compliant): .*", re.DOTALL)
"""The message of Python 3.12 and later; the group is the message of earlier versions."""


def plain_scalar(text: str) -> Any:
    """The value of `text`, a scalar of YAML without quotes; ValueError if it is a number that Python does not read."""
    if text in _WORDS:
        return _WORDS[text]
    if re.fullmatch(_INTEGER, text):
        return int(text)
    return float(text) if re.fullmatch(_NUMBER, text) else text


def read(text: str, max_bytes: int) -> Any:
    """The value that `text` holds; raises TextError if it holds none, or more than `max_bytes`."""
    if len(text.encode("utf-8", "surrogatepass")) > max_bytes:
        raise TextError(f"the document is larger than {max_bytes} bytes")
    try:
        document = _of_json(text) if text.startswith("{") else _of_yaml(text)
        json.dumps(document, allow_nan=False).encode("utf-8")
    except TextError:
        raise
    except (yaml.YAMLError, ValueError) as error:
        reason = _OF_PYTHON.sub(r"\1", str(error))
        raise TextError(f"the document is not YAML with the types of JSON: {reason}") from None
    return document


def _of_json(text: str) -> Any:
    """The value of `text`, which begins like JSON; other YAML may also begin so."""
    try:
        document = json.loads(text, object_pairs_hook=once_each)
        if is_deeper(document, MAX_DEPTH):
            raise RecursionError
    except json.JSONDecodeError:
        return _of_yaml(text)
    except RecursionError:
        raise TextError(TOO_DEEP) from None
    return document


def once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object with the members `pairs`; TextError if a name occurs twice."""
    mapping = dict(pairs)
    if len(mapping) != len(pairs):
        counts = Counter(name for name, _ in pairs)
        twice = next(name for name, count in counts.items() if count > 1)
        raise TextError(f"the key {twice!r} occurs twice")
    return mapping


def is_deeper(document: Any, levels: int) -> bool:
    """True if `document` is nested more than `levels` deep."""
    row = [document]
    for _ in range(levels + 1):
        row = [
            inner
            for node in row
            if isinstance(node, dict | list)
            for inner in (node.values() if isinstance(node, dict) else node)
        ]
    return bool(row)


def _of_yaml(text: str) -> Any:
    _refuse_hostile_yaml(text)
    return yaml.load(text, _Loader)  # noqa: S506 (a subclass of CSafeLoader)


def _refuse_hostile_yaml(text: str) -> None:
    """Refuse aliases, tags and deep nesting before any value is built: they could grow or recurse without bound."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.AliasEvent):
            raise TextError(f"line {_line(event)}: YAML aliases are not accepted")
        if getattr(event, "tag", None) is not None:
            raise TextError(f"line {_line(event)}: YAML tags are not accepted")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise TextError(TOO_DEEP)


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 0
