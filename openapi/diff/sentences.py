"""One sentence for each change, which a reviewer understands without the document at hand."""

import json
from typing import Any

from openapi.diff.changes import Change

LONGEST = 120
"""Characters of a value that a sentence repeats."""

_SENTENCES = {
    "text-changed": "{subject} has another text",
    "operation-added": "{subject} is a new operation",
    "operation-removed": "{subject} is gone",
    "operation-id-changed": "{subject} has the operationId {new}; it was {old}",
    "server-path-changed": "the servers have the paths {new}; they were {old}",
    "server-path-added": "the servers have the paths {new}; they were {old}",
    "callbacks-undecided": "{subject} has other callbacks, which are not compared",
    "parameter-added": "{subject} is new and may be left out",
    "parameter-added-required": "{subject} is new and required",
    "parameter-removed": "{subject} is gone",
    "parameter-moved": "{subject} is gone; one of that name is in {new}",
    "parameter-required": "{subject} is required now",
    "parameter-optional": "{subject} may be left out now",
    "parameter-empty-value-refused": "{subject} may no longer be empty",
    "parameter-empty-value-allowed": "{subject} may be empty now",
    "parameter-content-changed": "{subject} is written as {new}; it was {old}",
    "parameter-serialization-changed": "{subject} is written with {new}; it was {old}",
    "body-added": "a body is accepted, and may be left out",
    "body-added-required": "a body is required, where there was none",
    "body-removed": "no body is accepted any more",
    "body-required": "the body is required now",
    "body-optional": "the body may be left out now",
    "body-encoding-changed": "the parts of the body are encoded as {new}; they were {old}",
    "body-limit-lowered": "the body may have {new} bytes; it might have {old}",
    "body-limit-raised": "the body may have {new} bytes; it might have {old}",
    "content-coding-added": "the body may be sent in the coding {new}",
    "content-coding-removed": "the body may no longer be sent in the coding {old}",
    "request-media-type-added": "the body may be {new}",
    "request-media-type-removed": "the body may no longer be {old}",
    "security-narrowed": "clients authenticate by {new}; they did by {old}",
    "security-widened": "clients authenticate by {new}; they did by {old}, which is still enough",
    "error-status-added": "{subject} is documented",
    "error-status-added-with-another-body": "{subject} is documented, with a body that no error had",
    "error-status-removed": "{subject} is no longer documented",
    "error-status-removed-with-another-body": "{subject} is no longer documented, nor its body",
    "success-status-added": "{subject} may come, which was never promised",
    "success-status-added-on-request": "{subject} may come to who sends a preference",
    "success-status-removed": "{subject} does not come any more",
    "response-media-type-added": "{subject} may be {new}",
    "response-media-type-removed": "{subject} is no longer {old}",
    "response-header-added": "{subject} is new",
    "response-header-removed": "{subject} is gone",
    "response-header-required": "{subject} is always there now",
    "response-header-optional": "{subject} may be missing now",
    "link-added": "{subject} is new",
    "link-removed": "{subject} is gone",
}
_OF_PROPERTIES = {
    "property-added": "{subject} is a new property",
    "property-removed": "{subject} is no longer a property",
    "property-required": "{subject} is required now",
    "property-optional": "{subject} may be missing now",
}
_OF_KEYWORDS = {
    "nullable": ("{subject} may no longer be null", "{subject} may be null now"),
    "type": (
        "{subject} may no longer be of type {old}; it may be {new}",
        "{subject} may be of type {new}, not only {old}",
    ),
    "additionalProperties": (
        "{subject} may no longer have other properties",
        "{subject} may have properties that are not declared",
    ),
    "anyOf": ("{subject} may no longer be {old}; it may be {new}", "{subject} may be {new}, not only {old}"),
    "not": ("{subject} may no longer be what satisfies {new}", "{subject} may be what satisfies {old}"),
    "uniqueItems": ("{subject} may no longer have an item twice", "{subject} may have an item twice"),
    "undecided": (
        "{subject}: it cannot be shown that all is accepted that was",
        "{subject}: it cannot be shown that nothing is accepted that was not",
    ),
}
"""What narrowing and widening a keyword comes to; of others what it was and is."""


def sentence(change: Change) -> str:
    """What changed, in a sentence without its end."""
    values = {"subject": change.subject, "old": _shown(change.old), "new": _shown(change.new)}
    if change.rule in _SENTENCES:
        return _SENTENCES[change.rule].format(**values)
    stem = change.rule.removeprefix("request-").removeprefix("response-")
    if stem in _OF_PROPERTIES:
        return _OF_PROPERTIES[stem].format(**values)
    keyword, _, effect = stem.rpartition("-")
    if effect in ("narrowed", "widened"):
        return _of_keyword(keyword, change, effect == "narrowed").format(**values)
    name = keyword.rpartition("-")[2]
    return f"{change.subject} has {name} {values['new']}; it was {values['old']}"


def _of_keyword(keyword: str, change: Change, is_narrowed: bool) -> str:
    if keyword in _OF_KEYWORDS:
        return _OF_KEYWORDS[keyword][not is_narrowed]
    if keyword == "enum":
        return _of_enum(change, is_narrowed)
    if change.new is None or change.new == []:
        return f"{{subject}} has no {keyword} any more; it was {{old}}"
    if change.old is None or change.old == []:
        return f"{{subject}} has the {keyword} {{new}}, where there was none"
    return f"{{subject}} has the {keyword} {{new}}; it was {{old}}"


def _of_enum(change: Change, is_narrowed: bool) -> str:
    if is_narrowed:
        some = "{subject} may no longer be {old}"
        return some if change.old is not None else "{subject} may only be one of {new}"
    some = "{subject} may be {new}"
    return some if change.new is not None else "{subject} may be another value than {old}"


def _shown(value: Any) -> str:
    if isinstance(value, list):
        text = ", ".join(json.dumps(item, ensure_ascii=False, default=str) for item in value)
    else:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= LONGEST else text[:LONGEST] + "\u2026"
