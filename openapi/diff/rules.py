"""The policy: which class of version each change needs. One row, one rule; whatever has no row needs a major one."""

from collections.abc import Iterable
from enum import IntEnum
from typing import NamedTuple

from openapi.diff.changes import Change


class Class(IntEnum):
    """What a change needs: nothing, a new text, a new minor version, or a new major one."""

    NONE = 0
    PATCH = 1
    MINOR = 2
    MAJOR = 3


class Rule(NamedTuple):
    """The class of a change, and why, in a sentence; `audience` is whom it concerns: wire, codegen or text."""

    kind: Class
    why: str
    audience: str = "wire"


UNDECIDED = Rule(Class.MAJOR, "It is not proved compatible.")

_VALUES = [
    "type",
    "nullable",
    "enum",
    "format",
    "pattern",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "multipleOf",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "additionalProperties",
    "anyOf",
    "not",
]
"""The keywords by which a schema accepts more or less."""

_NARROWED = Rule(Class.MAJOR, "A request that was accepted may be refused.")
_WIDENED = Rule(Class.MINOR, "More requests are accepted.")
_SHAPE = Rule(
    Class.MAJOR,
    "The shape of an answer is a part of the major version; clients that were made before see no other values.",
)
_SHAPE_BROKEN = Rule(Class.MAJOR, "An answer may have what was never promised.")

RULES: dict[str, Rule] = {
    "text-changed": Rule(Class.PATCH, "Only readers see it.", "text"),
    # Operations
    "operation-added": Rule(Class.MINOR, "What was there works as before."),
    "operation-removed": Rule(Class.MAJOR, "Requests to it are answered with 404 or 405."),
    "operation-id-changed": Rule(Class.MINOR, "Generated clients call it by another name.", "codegen"),
    "operation-deprecated-changed": Rule(Class.MINOR, "Generated clients say so.", "codegen"),
    "server-path-changed": Rule(Class.MAJOR, "Requests to the path that was are not served."),
    "server-path-added": Rule(Class.MINOR, "What was there works as before."),
    # Parameters
    "parameter-added": Rule(Class.MINOR, "It may be left out."),
    "parameter-added-required": Rule(Class.MAJOR, "Requests without it are refused."),
    "parameter-removed": Rule(Class.MAJOR, "Whoever sends it is not heard any more."),
    "parameter-moved": Rule(Class.MAJOR, "Where it was sent it is not looked for."),
    "parameter-required": Rule(Class.MAJOR, "Requests without it are refused."),
    "parameter-optional": Rule(Class.MINOR, "It may be left out."),
    "parameter-deprecated-changed": Rule(Class.MINOR, "Generated clients say so.", "codegen"),
    "parameter-empty-value-refused": Rule(Class.MAJOR, "Requests with an empty value are refused."),
    "parameter-empty-value-allowed": Rule(Class.MINOR, "More requests are accepted."),
    "parameter-content-changed": Rule(Class.MAJOR, "Its value is written in another way."),
    "parameter-serialization-changed": Rule(Class.MAJOR, "Its value is written in another way."),
    # Bodies of requests
    "body-added": Rule(Class.MINOR, "It may be left out."),
    "body-added-required": Rule(Class.MAJOR, "Requests without it are refused."),
    "body-removed": Rule(Class.MAJOR, "What is sent in it is not heard any more."),
    "body-required": Rule(Class.MAJOR, "Requests without it are refused."),
    "body-optional": Rule(Class.MINOR, "It may be left out."),
    "body-encoding-changed": Rule(Class.MAJOR, "Its parts are written in another way."),
    "body-limit-lowered": Rule(Class.MAJOR, "Larger bodies are refused."),
    "body-limit-raised": Rule(Class.MINOR, "Larger bodies are accepted."),
    "content-coding-added": Rule(Class.MINOR, "More requests are accepted."),
    "content-coding-removed": Rule(Class.MAJOR, "Bodies in it are refused."),
    "request-media-type-added": Rule(Class.MINOR, "More requests are accepted."),
    "request-media-type-removed": Rule(Class.MAJOR, "Bodies of it are refused."),
    # Values in requests
    **{f"request-{keyword}-narrowed": _NARROWED for keyword in _VALUES},
    **{f"request-{keyword}-widened": _WIDENED for keyword in _VALUES},
    "request-property-added": Rule(Class.MINOR, "It may be left out."),
    "request-property-removed": Rule(Class.MAJOR, "Whoever sends it is refused, or not heard any more."),
    "request-property-required": Rule(Class.MAJOR, "Requests without it are refused."),
    "request-property-optional": Rule(Class.MINOR, "It may be left out."),
    "request-default-changed": Rule(Class.MAJOR, "Requests without it mean something else."),
    "request-deprecated-changed": Rule(Class.MINOR, "Generated clients say so.", "codegen"),
    "request-readOnly-changed": Rule(Class.MAJOR, "What is sent for it is not heard any more, or is heard now."),
    "request-writeOnly-changed": Rule(Class.MINOR, "Only answers differ.", "codegen"),
    "request-discriminator-changed": Rule(Class.MAJOR, "Alternatives are told apart in another way."),
    "request-undecided-widened": Rule(Class.MINOR, "Whatever was accepted is accepted."),
    # Authentication
    "security-narrowed": Rule(Class.MAJOR, "Who was let in may be refused."),
    "security-widened": Rule(
        Class.MAJOR, "The scheme of authentication is a part of the major version; who was let in still is."
    ),
    # Answers
    "error-status-added": Rule(Class.MINOR, "It has the body that errors have."),
    "error-status-added-with-another-body": Rule(Class.MAJOR, "No error had such a body."),
    "error-status-removed": Rule(Class.MINOR, "Other errors have the same body."),
    "error-status-removed-with-another-body": Rule(
        Class.MAJOR, "The shape of an answer is a part of the major version."
    ),
    "success-status-added": Rule(Class.MAJOR, "Clients see a status that was never promised."),
    "success-status-added-on-request": Rule(Class.MINOR, "Only who sends a preference that is new gets it."),
    "success-status-removed": Rule(Class.MAJOR, "The shape of an answer is a part of the major version."),
    "response-media-type-added": Rule(Class.MAJOR, "The shape of an answer is a part of the major version."),
    "response-media-type-removed": Rule(Class.MAJOR, "Who asks for it is answered with another, or with 406."),
    "response-header-added": Rule(Class.MINOR, "A header that a client does not know is not looked at."),
    "response-header-removed": Rule(Class.MAJOR, "The headers of an answer are a part of the major version."),
    "response-header-required": Rule(Class.MAJOR, "The headers of an answer are a part of the major version."),
    "response-header-optional": Rule(Class.MAJOR, "Who relies on it may miss it."),
    "link-added": Rule(Class.MINOR, "What was there works as before.", "codegen"),
    "link-removed": Rule(Class.MINOR, "Only generated clients follow it.", "codegen"),
    # Values in answers
    **{f"response-{keyword}-narrowed": _SHAPE for keyword in _VALUES},
    **{f"response-{keyword}-widened": _SHAPE_BROKEN for keyword in _VALUES},
    "response-property-added": Rule(Class.MAJOR, "The shape of an answer is a part of the major version."),
    "response-property-removed": Rule(Class.MAJOR, "The shape of an answer is a part of the major version."),
    "response-property-required": Rule(Class.MAJOR, "The shape of an answer is a part of the major version."),
    "response-property-optional": Rule(Class.MAJOR, "Who relies on it may miss it."),
    "response-default-changed": Rule(Class.MAJOR, "What is left out means something else."),
    "response-deprecated-changed": Rule(Class.MINOR, "Generated clients say so.", "codegen"),
    "response-readOnly-changed": Rule(Class.MINOR, "Only requests differ.", "codegen"),
    "response-writeOnly-changed": Rule(Class.MAJOR, "The shape of an answer is a part of the major version."),
    "response-discriminator-changed": Rule(Class.MAJOR, "Alternatives are told apart in another way."),
}


def judge(change: Change) -> Rule:
    """The row that judges `change`; `UNDECIDED` if there is none."""
    return RULES.get(change.rule, UNDECIDED)


def overall(changes: Iterable[Change]) -> Class:
    """The class of all `changes` together."""
    return max((judge(change).kind for change in changes), default=Class.NONE)
