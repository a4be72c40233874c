"""One sentence for each change, understandable without the document at hand."""

from dataclasses import replace
from typing import Any

from openapi import decimals
from openapi.diff.announced import AFTER_SUNSET
from openapi.diff.comparison.changes import Change

LONGEST = 120
"""Limit on the characters of a value in a sentence."""

_SENTENCES = {
    "text-changed": "the text of {subject} changed",
    "operation-added": "{subject} is a new operation",
    "operation-added-over-template": "{subject} is a new operation, and takes requests that {old} answered",
    "operation-removed": "{subject} was removed",
    "operation-id-changed": "{subject} has operationId {new}; it was {old}",
    "server-path-changed": "the paths of the servers are {new} now; they were {old}",
    "server-host-changed": "the addresses of the servers are {new} now; they were {old}",
    "server-path-added": "the paths of the servers are {new} now; they were {old}",
    "server-default-changed": "the path of the servers is {new} by default now; it was {old}",
    "callback-added": "{subject} is new",
    "callback-added-on-request": "{subject} is new, for clients that send its URL",
    "callback-removed": "{subject} was removed",
    "webhook-added": "{subject} is new",
    "webhook-removed": "{subject} was removed",
    "callback-parameter-added": "{subject} is new",
    "callback-sent-widened": "{subject} {new}",
    "callback-sent-narrowed": "{subject} {new}",
    "callback-answer-widened": "{subject} {new}",
    "callback-answer-narrowed": "{subject} {new}",
    "parameter-added": "{subject} is new and optional",
    "parameter-added-required": "{subject} is new and required",
    "parameter-removed": "{subject} was removed",
    "parameter-moved": "{subject} is now a {new} parameter",
    "parameter-required": "{subject} is now required",
    "parameter-optional": "{subject} is now optional",
    "parameter-empty-value-refused": "{subject} may no longer be empty",
    "parameter-empty-value-allowed": "{subject} may now be empty",
    "parameter-content-changed": "{subject} has media type {new}; it was {old}",
    "parameter-serialization-changed": "{subject} has serialization {new}; it was {old}",
    "body-added": "the body is new and optional",
    "body-added-required": "the body is new and required",
    "body-removed": "the body was removed",
    "body-required": "the body is now required",
    "body-optional": "the body is now optional",
    "body-encoding-changed": "the parts of the body have encoding {new}; it was {old}",
    "body-limit-lowered": "the body is limited to {new} bytes; it was limited to {old}",
    "body-limit-raised": "the body is limited to {new} bytes; it was limited to {old}",
    "content-coding-added": "the body may now have content coding {new}",
    "content-coding-removed": "the body may no longer have content coding {old}",
    "request-media-type-added": "the body may now be {new}",
    "request-media-type-removed": "the body may no longer be {old}",
    "security-narrowed": "clients {new}; previously they {old}",
    "security-widened": "clients {new}; previously they {old}, which is still accepted",
    "error-status-added": "{subject} is now documented",
    "error-status-added-with-another-body": "{subject} is now documented, with a new body",
    "error-status-removed": "{subject} is no longer documented",
    "error-status-removed-with-another-body": "{subject} and its body are no longer documented",
    "success-status-added": "{subject} is new and was not promised before",
    "success-status-added-on-request": "{subject} is new, for clients that send a preference",
    "success-status-removed": "{subject} is no longer sent",
    "response-media-type-added": "{subject} may now be {new}",
    "response-media-type-removed": "{subject} is no longer {old}",
    "response-header-added": "{subject} is new",
    "response-header-removed": "{subject} was removed",
    "response-header-required": "{subject} is now always present",
    "response-header-optional": "{subject} may now be missing",
    "link-added": "{subject} is new",
    "link-removed": "{subject} was removed",
}
_OF_PROPERTIES = {
    "property-added": "{subject} is a new property",
    "property-added-required": "{subject} is a new property, and required",
    "property-removed": "{subject} is no longer a property",
    "property-required": "{subject} is now required",
    "property-optional": "{subject} is now optional",
    "discriminator-property-changed": "the alternatives of {subject} are distinguished by {new}; previously by {old}",
    "discriminator-mapping-changed": "{subject} has other alternatives for values of its discriminator: {new}; "
    "previously {old}",
    "discriminator-values-added": "the discriminator of {subject} has the new values {new}",
    "discriminator-values-removed": "the discriminator of {subject} no longer has the values {old}",
}
_OF_KEYWORDS = {
    "nullable": ("{subject} may no longer be null", "{subject} may now be null"),
    "type": (
        "{subject} may no longer be of type {old}; it may be of type {new}",
        "{subject} may now be of type {new}; it was of type {old}",
    ),
    "additionalProperties": (
        "{subject} may no longer have undeclared properties",
        "{subject} may now have undeclared properties",
    ),
    "anyOf": ("{subject} may no longer be {old}; it may be {new}", "{subject} may now be {new}; it was {old}"),
    "not": ("{subject} may no longer satisfy the schema {new}", "{subject} may now satisfy the schema {old}"),
    "uniqueItems": ("{subject} may no longer repeat an item", "{subject} may now repeat an item"),
    "undecided": (
        "{subject}: it cannot be shown that every accepted value is still accepted",
        "{subject}: it cannot be shown that no other value is accepted",
    ),
}
"""The sentences for a narrowed and for a widened keyword; for other keywords the new value and the old one."""
_KINDS = {str: "text", bool: "boolean", dict: "object", list: "list", type(None): "value"}
"""The names of the types of values; all else is a number."""


_OF_ANY_TYPE = (
    "{subject} must be of type {new}; it could be of any type",
    "{subject} may now be of any type; it was of type {old}",
)
_FLAGS = ("deprecated", "readOnly", "writeOnly")
_UNQUOTED = ("anyOf", "format", "pattern", "type")
"""Keywords whose strings a sentence repeats without quotes."""


def sentence(change: Change, subject: str | None = None) -> str:
    """The change in words, without a period at the end; `subject` is another name for its place."""
    if subject is not None:
        change = replace(change, subject=subject)
    words = _sentence(replace(change, rule=change.rule.removesuffix(AFTER_SUNSET)))
    return f"{words}; {change.deprecation.words}" if change.deprecation else words


def named(change: Change, most: int) -> str:
    """The change in words behind the names of its operations, at most `most`, unless the words begin with one."""
    words = sentence(change)
    operations = change.operations
    if not operations or change.subject in operations:
        return words
    more = f" and {len(operations) - most} more" if len(operations) > most else ""
    return f"{', '.join(operations[:most])}{more}: {words}"


def _sentence(change: Change) -> str:
    """The change in words, without what was announced about it."""
    stem = change.rule.removeprefix("request-").removeprefix("response-")
    keyword, _, effect = stem.rpartition("-")
    separator = " or " if keyword == "type" else ", "
    values = {
        "subject": change.subject,
        "old": _shown(change.old, keyword in _UNQUOTED, separator),
        "new": _shown(change.new, keyword in _UNQUOTED, separator),
    }
    if keyword == "server-path" or change.rule == "server-default-changed":
        values |= {"old": _paths(change.old), "new": _paths(change.new)}
    if keyword == "security":
        values["old"] = _authentication(values["old"], "authenticated", "did not have to")
        values["new"] = _authentication(values["new"], "authenticate", "need not authenticate")
    if change.rule == "operation-removed" and change.new:
        return "{subject} was removed; {new} is new and written the same: it may have moved".format(**values)
    if change.rule in _SENTENCES:
        return _SENTENCES[change.rule].format(**values)
    if stem in _OF_PROPERTIES:
        return _OF_PROPERTIES[stem].format(**values)
    if effect in ("narrowed", "widened"):
        return _of_keyword(keyword, change, effect == "narrowed").format(**values)
    name = keyword.rpartition("-")[2]
    if name in _FLAGS and isinstance(change.new, bool | None):
        return f"{change.subject} is {'' if change.new else 'no longer '}{name}"
    return _of_value(name, change).format(**values)


def _paths(bases: Any) -> str:
    """The paths of servers; that of the root is `/`."""
    return ", ".join(str(base) or "/" for base in (bases if isinstance(bases, list) else [bases]))[:LONGEST]


def _kinds(old: Any, new: Any) -> list[str]:
    """The kinds of the defaults `old` and `new`, lists of one value, if they differ; else none."""
    if not all(isinstance(side, list) and len(side) == 1 for side in (old, new)):
        return []
    kinds = [_KINDS.get(type(side[0]), "number") for side in (old, new)]
    return kinds if kinds[0] != kinds[1] and "value" not in kinds else []


def _of_keyword(keyword: str, change: Change, is_narrowed: bool) -> str:
    if keyword == "type" and "any" in (change.old, change.new):
        return _OF_ANY_TYPE[not is_narrowed]
    if keyword in _OF_KEYWORDS:
        words = _OF_KEYWORDS[keyword][not is_narrowed]
        is_named = keyword == "undecided" and isinstance(change.new, str) and change.new == change.old
        return words + ", because the keyword {new} is not compared" if is_named else words
    return _of_enum(change, is_narrowed) if keyword == "enum" else _of_value(keyword, change)


def _of_value(keyword: str, change: Change) -> str:
    if change.new is None or change.new == []:
        return f"{{subject}} no longer has a {keyword}; it was {{old}}"
    if change.old is None or change.old == []:
        return f"{{subject}} now has {keyword} {{new}}; it had none"
    if keyword == "default" and (kinds := _kinds(change.old, change.new)):
        return f"the default of {{subject}} is the {kinds[1]} {{new}} now; it was the {kinds[0]} {{old}}"
    return f"{{subject}} has {keyword} {{new}}; it was {{old}}"


def _of_enum(change: Change, is_narrowed: bool) -> str:
    if is_narrowed:
        return "{subject} may no longer be {old}" if change.old is not None else "{subject} must be one of {new}"
    return "{subject} may now be {new}" if change.new is not None else "{subject} may now be a value other than {old}"


def _authentication(words: str, verb: str, none: str) -> str:
    """The `words` of `Change.old` or `Change.new` as a clause: `verb` with the schemes, or `none` without a scheme."""
    ways = words.split(" or ")
    schemes = [way for way in ways if way != "nothing"]
    if not schemes:
        return none
    return f"{verb} by {' or '.join(schemes)}" + (", or not at all" if "nothing" in ways else "")


def _shown(value: Any, is_unquoted: bool, separator: str = ", ") -> str:
    """`value` in at most `LONGEST` characters; strings in a list are quoted unless `is_unquoted`."""
    if isinstance(value, list):
        text = (
            separator.join(item if is_unquoted and isinstance(item, str) else _json(item) for item in value) or "none"
        )
    elif isinstance(value, dict) and value.keys() == {"$ref"}:
        text = str(value["$ref"]).rpartition("/")[2]
    else:
        text = value if isinstance(value, str) else _json(value)
    return text if len(text) <= LONGEST else text[:LONGEST] + "\u2026"


def _json(value: Any) -> str:
    return decimals.dumps(value, ensure_ascii=False)
