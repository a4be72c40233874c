"""The policy: the severity of each change. One row, one rule; a change without a row needs a major version."""

from collections.abc import Iterable
from enum import IntEnum
from typing import NamedTuple

from openapi.diff.changes import Change


class Severity(IntEnum):
    """The version that a change needs: none, a patch, a new minor version, or a new major one."""

    NONE = 0
    PATCH = 1
    MINOR = 2
    MAJOR = 3


class Rule(NamedTuple):
    """The severity of a change, and why, in a sentence; its `audience` is wire, codegen or text."""

    severity: Severity
    why: str
    audience: str = "wire"


UNDECIDED = Rule(Severity.MAJOR, "It is not proved compatible.")

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
"""The keywords that make a schema accept more or less."""

_NARROWED = Rule(Severity.MAJOR, "A request that was accepted may be refused.")
_WIDENED = Rule(Severity.MINOR, "More requests are accepted.")
_SHAPE = Rule(
    Severity.MAJOR,
    "The shape of an answer is a part of the major version; clients that were made before see no other values.",
)
_SHAPE_BROKEN = Rule(Severity.MAJOR, "An answer may have what was never promised.")

RULES: dict[str, Rule] = {
    "text-changed": Rule(Severity.PATCH, "Only readers see it.", "text"),
    # Operations
    "operation-added": Rule(Severity.MINOR, "What was there works as before."),
    "operation-removed": Rule(Severity.MAJOR, "Requests to it are answered with 404 or 405."),
    "operation-id-changed": Rule(Severity.MINOR, "Generated clients call it by another name.", "codegen"),
    "operation-deprecated-changed": Rule(Severity.MINOR, "Generated clients say so.", "codegen"),
    "server-path-changed": Rule(Severity.MAJOR, "Requests to the path that was are not served."),
    "server-path-added": Rule(Severity.MINOR, "What was there works as before."),
    # Parameters
    "parameter-added": Rule(Severity.MINOR, "It may be left out."),
    "parameter-added-required": Rule(Severity.MAJOR, "Requests without it are refused."),
    "parameter-removed": Rule(Severity.MAJOR, "Whoever sends it is not heard any more."),
    "parameter-moved": Rule(Severity.MAJOR, "Where it was sent it is not looked for."),
    "parameter-required": Rule(Severity.MAJOR, "Requests without it are refused."),
    "parameter-optional": Rule(Severity.MINOR, "It may be left out."),
    "parameter-deprecated-changed": Rule(Severity.MINOR, "Generated clients say so.", "codegen"),
    "parameter-empty-value-refused": Rule(Severity.MAJOR, "Requests with an empty value are refused."),
    "parameter-empty-value-allowed": Rule(Severity.MINOR, "More requests are accepted."),
    "parameter-content-changed": Rule(Severity.MAJOR, "Its value is written in another way."),
    "parameter-serialization-changed": Rule(Severity.MAJOR, "Its value is written in another way."),
    # Bodies of requests
    "body-added": Rule(Severity.MINOR, "It may be left out."),
    "body-added-required": Rule(Severity.MAJOR, "Requests without it are refused."),
    "body-removed": Rule(Severity.MAJOR, "What is sent in it is not heard any more."),
    "body-required": Rule(Severity.MAJOR, "Requests without it are refused."),
    "body-optional": Rule(Severity.MINOR, "It may be left out."),
    "body-encoding-changed": Rule(Severity.MAJOR, "Its parts are written in another way."),
    "body-limit-lowered": Rule(Severity.MAJOR, "Larger bodies are refused."),
    "body-limit-raised": Rule(Severity.MINOR, "Larger bodies are accepted."),
    "content-coding-added": Rule(Severity.MINOR, "More requests are accepted."),
    "content-coding-removed": Rule(Severity.MAJOR, "Bodies in it are refused."),
    "request-media-type-added": Rule(Severity.MINOR, "More requests are accepted."),
    "request-media-type-removed": Rule(Severity.MAJOR, "Bodies of it are refused."),
    # Values in requests
    **{f"request-{keyword}-narrowed": _NARROWED for keyword in _VALUES},
    **{f"request-{keyword}-widened": _WIDENED for keyword in _VALUES},
    "request-property-added": Rule(Severity.MINOR, "It may be left out."),
    "request-property-removed": Rule(Severity.MAJOR, "Whoever sends it is refused, or not heard any more."),
    "request-property-required": Rule(Severity.MAJOR, "Requests without it are refused."),
    "request-property-optional": Rule(Severity.MINOR, "It may be left out."),
    "request-default-changed": Rule(Severity.MAJOR, "Requests without it mean something else."),
    "request-deprecated-changed": Rule(Severity.MINOR, "Generated clients say so.", "codegen"),
    "request-readOnly-changed": Rule(Severity.MAJOR, "What is sent for it is not heard any more, or is heard now."),
    "request-writeOnly-changed": Rule(Severity.MINOR, "Only answers differ.", "codegen"),
    "request-discriminator-changed": Rule(Severity.MAJOR, "Alternatives are told apart in another way."),
    "request-undecided-widened": Rule(Severity.MINOR, "Whatever was accepted is accepted."),
    # Authentication
    "security-narrowed": Rule(Severity.MAJOR, "Who was let in may be refused."),
    "security-widened": Rule(
        Severity.MAJOR, "The scheme of authentication is a part of the major version; who was let in still is."
    ),
    # Answers
    "error-status-added": Rule(Severity.MINOR, "It has the body that errors have."),
    "error-status-added-with-another-body": Rule(Severity.MAJOR, "No error had such a body."),
    "error-status-removed": Rule(Severity.MINOR, "Other errors have the same body."),
    "error-status-removed-with-another-body": Rule(
        Severity.MAJOR, "The shape of an answer is a part of the major version."
    ),
    "success-status-added": Rule(Severity.MAJOR, "Clients see a status that was never promised."),
    "success-status-added-on-request": Rule(Severity.MINOR, "Only who sends a preference that is new gets it."),
    "success-status-removed": Rule(Severity.MAJOR, "The shape of an answer is a part of the major version."),
    "response-media-type-added": Rule(Severity.MAJOR, "The shape of an answer is a part of the major version."),
    "response-media-type-removed": Rule(Severity.MAJOR, "Who asks for it is answered with another, or with 406."),
    "response-header-added": Rule(Severity.MINOR, "A header that a client does not know is not looked at."),
    "response-header-removed": Rule(Severity.MAJOR, "The headers of an answer are a part of the major version."),
    "response-header-required": Rule(Severity.MAJOR, "The headers of an answer are a part of the major version."),
    "response-header-optional": Rule(Severity.MAJOR, "Who relies on it may miss it."),
    "link-added": Rule(Severity.MINOR, "What was there works as before.", "codegen"),
    "link-removed": Rule(Severity.MINOR, "Only generated clients follow it.", "codegen"),
    # Values in answers
    **{f"response-{keyword}-narrowed": _SHAPE for keyword in _VALUES},
    **{f"response-{keyword}-widened": _SHAPE_BROKEN for keyword in _VALUES},
    "response-property-added": Rule(Severity.MAJOR, "The shape of an answer is a part of the major version."),
    "response-property-removed": Rule(Severity.MAJOR, "The shape of an answer is a part of the major version."),
    "response-property-required": Rule(Severity.MAJOR, "The shape of an answer is a part of the major version."),
    "response-property-optional": Rule(Severity.MAJOR, "Who relies on it may miss it."),
    "response-default-changed": Rule(Severity.MAJOR, "What is left out means something else."),
    "response-deprecated-changed": Rule(Severity.MINOR, "Generated clients say so.", "codegen"),
    "response-readOnly-changed": Rule(Severity.MINOR, "Only requests differ.", "codegen"),
    "response-writeOnly-changed": Rule(Severity.MAJOR, "The shape of an answer is a part of the major version."),
    "response-discriminator-changed": Rule(Severity.MAJOR, "Alternatives are told apart in another way."),
}


def judge(change: Change) -> Rule:
    """The row that judges `change`; `UNDECIDED` if absent."""
    return RULES.get(change.rule, UNDECIDED)


def overall(changes: Iterable[Change]) -> Severity:
    """The highest severity of `changes`."""
    return max((judge(change).severity for change in changes), default=Severity.NONE)
