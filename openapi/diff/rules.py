"""The policy: the severity of each change, one rule per row. A change without a row needs a major version."""

from collections.abc import Iterable
from enum import IntEnum
from typing import NamedTuple

from openapi.diff.comparison.changes import Change


class Severity(IntEnum):
    """The version that a change needs: none, a patch, a new minor version, or a new major one."""

    NONE = 0
    PATCH = 1
    MINOR = 2
    MAJOR = 3


class Rule(NamedTuple):
    """The severity of a kind of change, and the reason in a sentence.

    `audience` is what the change affects: wire, codegen or text. `changed_by` names the file that changed the severity.
    """

    severity: Severity
    why: str
    audience: str = "wire"
    changed_by: str = ""


UNDECIDED = Rule(Severity.MAJOR, "It is not proved compatible.")
WITHOUT_ROW = ("request-undecided-narrowed", "response-undecided-narrowed", "response-undecided-widened")
"""The rules that `UNDECIDED` judges: it cannot be decided whether a schema accepts what another one does."""

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
    Severity.MAJOR, "The response shape is part of the major version; existing clients receive no other values."
)
_SHAPE_BROKEN = Rule(Severity.MAJOR, "A response may have a value that was never promised.")

RULES: dict[str, Rule] = {
    "text-changed": Rule(Severity.PATCH, "Only readers of the document see it.", "text"),
    # Operations
    "operation-added": Rule(Severity.MINOR, "Existing requests work as before."),
    "operation-added-over-template": Rule(Severity.MAJOR, "A concrete path is matched before a template."),
    "operation-removed": Rule(Severity.MAJOR, "Requests to it receive 404 or 405."),
    "operation-removed-after-sunset": Rule(
        Severity.MINOR, "It was announced, and its sunset has passed. Requests to it receive 404 or 405."
    ),
    "operation-id-changed": Rule(Severity.MINOR, "Generated clients use another name.", "codegen"),
    "operation-deprecated-changed": Rule(Severity.MINOR, "Only generated clients show it.", "codegen"),
    "sunset-earlier": Rule(Severity.MAJOR, "Clients rely on the announced date: until then nothing is removed."),
    "sunset-invalid": Rule(Severity.PATCH, "It is no date such as 2026-10-01, and announces nothing."),
    "sunset-changed": Rule(Severity.PATCH, "Clients have more time, or learn of it.", "codegen"),
    "server-path-changed": Rule(Severity.MAJOR, "Requests to a removed path are not served."),
    "server-default-changed": Rule(Severity.PATCH, "Both paths were served and are.", "codegen"),
    "server-host-changed": Rule(Severity.PATCH, "Clients with the address of the document use another one.", "codegen"),
    "server-path-added": Rule(Severity.MINOR, "Existing requests work as before."),
    # Callbacks
    "callback-added": Rule(Severity.MAJOR, "The server sends requests that were never promised."),
    "callback-added-on-request": Rule(Severity.MINOR, "Only clients that send the new URL receive it."),
    "callback-removed": Rule(Severity.MAJOR, "The server no longer sends its requests."),
    "webhook-added": Rule(Severity.MINOR, "Only clients that choose to implement it receive it."),
    "webhook-removed": Rule(Severity.MAJOR, "The server no longer sends its requests."),
    "callback-parameter-added": Rule(Severity.MINOR, "Clients ignore parameters that they do not know."),
    "callback-sent-widened": Rule(Severity.MAJOR, "Clients may receive what was never promised."),
    "callback-sent-narrowed": Rule(Severity.MAJOR, "What the server sends is part of the major version."),
    "callback-answer-widened": Rule(Severity.MINOR, "More answers of clients are accepted."),
    "callback-answer-narrowed": Rule(Severity.MAJOR, "Answers of clients that were accepted may be refused."),
    # Parameters
    "parameter-added": Rule(Severity.MINOR, "Requests without it are accepted."),
    "parameter-added-required": Rule(Severity.MAJOR, "Requests without it are refused."),
    "parameter-removed": Rule(Severity.MAJOR, "The server no longer reads it."),
    "parameter-removed-after-sunset": Rule(
        Severity.MINOR, "It was announced, and its sunset has passed. The server no longer reads it."
    ),
    "parameter-moved": Rule(Severity.MAJOR, "The server no longer reads it from the old location."),
    "parameter-required": Rule(Severity.MAJOR, "Requests without it are refused."),
    "parameter-optional": Rule(Severity.MINOR, "Requests without it are accepted."),
    "parameter-deprecated-changed": Rule(Severity.MINOR, "Only generated clients show it.", "codegen"),
    "parameter-empty-value-refused": Rule(Severity.MAJOR, "Requests with an empty value are refused."),
    "parameter-empty-value-allowed": Rule(Severity.MINOR, "More requests are accepted."),
    "parameter-content-changed": Rule(Severity.MAJOR, "Its value is serialized differently."),
    "parameter-serialization-changed": Rule(Severity.MAJOR, "Its value is serialized differently."),
    # Bodies of requests
    "body-added": Rule(Severity.MINOR, "Requests without it are accepted."),
    "body-added-required": Rule(Severity.MAJOR, "Requests without it are refused."),
    "body-removed": Rule(Severity.MAJOR, "The server no longer reads it."),
    "body-required": Rule(Severity.MAJOR, "Requests without it are refused."),
    "body-optional": Rule(Severity.MINOR, "Requests without it are accepted."),
    "body-encoding-changed": Rule(Severity.MAJOR, "Its parts are serialized differently."),
    "body-limit-lowered": Rule(Severity.MAJOR, "Larger bodies are refused."),
    "body-limit-raised": Rule(Severity.MINOR, "Larger bodies are accepted."),
    "content-coding-added": Rule(Severity.MINOR, "More requests are accepted."),
    "content-coding-removed": Rule(Severity.MAJOR, "Bodies with this coding are refused."),
    "request-media-type-added": Rule(Severity.MINOR, "More requests are accepted."),
    "request-media-type-removed": Rule(Severity.MAJOR, "Bodies of this type are refused."),
    # Values in requests
    **{f"request-{keyword}-narrowed": _NARROWED for keyword in _VALUES},
    **{f"request-{keyword}-widened": _WIDENED for keyword in _VALUES},
    "request-property-added": Rule(Severity.MINOR, "Requests without it are accepted."),
    "request-property-added-required": Rule(Severity.MAJOR, "Requests without it are refused."),
    "request-property-removed": Rule(Severity.MAJOR, "The server refuses requests with it, or no longer reads it."),
    "request-property-removed-after-sunset": Rule(
        Severity.MINOR,
        "It was announced, and its sunset has passed. The server refuses requests with it, or no longer reads it.",
    ),
    "request-property-required": Rule(Severity.MAJOR, "Requests without it are refused."),
    "request-property-optional": Rule(Severity.MINOR, "Requests without it are accepted."),
    "request-default-changed": Rule(Severity.MAJOR, "Requests without it have another meaning."),
    "request-default-added": Rule(Severity.MAJOR, "Its absence now has a declared meaning, and is accepted as before."),
    "request-default-removed": Rule(Severity.MAJOR, "Requests without it have another meaning."),
    "request-required-default-changed": Rule(Severity.MINOR, "Existing requests send a value.", "codegen"),
    "request-deprecated-changed": Rule(Severity.MINOR, "Only generated clients show it.", "codegen"),
    "request-readOnly-changed": Rule(Severity.MAJOR, "The server no longer reads its value, or starts to read it."),
    "request-writeOnly-changed": Rule(Severity.MINOR, "Only responses differ.", "codegen"),
    "request-discriminator-added": Rule(Severity.MINOR, "The same values are accepted.", "codegen"),
    "request-discriminator-removed": Rule(Severity.MINOR, "The same values are accepted.", "codegen"),
    "request-discriminator-property-changed": Rule(Severity.MAJOR, "Alternatives are distinguished differently."),
    "request-discriminator-mapping-changed": Rule(Severity.MAJOR, "The same value stands for another alternative."),
    "request-discriminator-values-added": Rule(Severity.MINOR, "More requests are accepted."),
    "request-discriminator-values-removed": Rule(Severity.MAJOR, "Requests with such a value are refused."),
    "request-undecided-widened": Rule(Severity.MINOR, "Every accepted value is still accepted."),
    # Authentication
    "security-narrowed": Rule(Severity.MAJOR, "Requests that were let in may be refused."),
    "security-widened": Rule(
        Severity.MAJOR, "The authentication scheme is part of the major version; existing requests are still let in."
    ),
    # Responses
    "error-status-added": Rule(Severity.MINOR, "It has the same body as other errors."),
    "error-status-added-with-another-body": Rule(Severity.MAJOR, "No error had such a body."),
    "error-status-removed": Rule(Severity.MINOR, "Other errors have the same body."),
    "error-status-removed-with-another-body": Rule(Severity.MAJOR, "The response shape is part of the major version."),
    "success-status-added": Rule(Severity.MAJOR, "Clients may receive a status that was never promised."),
    "success-status-added-on-request": Rule(Severity.MINOR, "Only clients that send the new preference receive it."),
    "success-status-removed": Rule(Severity.MAJOR, "The response shape is part of the major version."),
    "response-media-type-added": Rule(Severity.MAJOR, "The response shape is part of the major version."),
    "response-media-type-removed": Rule(Severity.MAJOR, "Clients that ask for it receive another type, or 406."),
    "response-header-added": Rule(Severity.MINOR, "Clients ignore headers that they do not know."),
    "response-header-removed": Rule(Severity.MAJOR, "Response headers are part of the major version."),
    "response-header-required": Rule(Severity.MAJOR, "Response headers are part of the major version."),
    "response-header-optional": Rule(Severity.MAJOR, "Clients that rely on it may not receive it."),
    "link-added": Rule(Severity.MINOR, "Existing requests work as before.", "codegen"),
    "link-removed": Rule(Severity.MINOR, "Only generated clients follow it.", "codegen"),
    # Values in responses
    **{f"response-{keyword}-narrowed": _SHAPE for keyword in _VALUES},
    **{f"response-{keyword}-widened": _SHAPE_BROKEN for keyword in _VALUES},
    "response-property-added": Rule(Severity.MAJOR, "The response shape is part of the major version."),
    "response-property-added-required": Rule(Severity.MAJOR, "The response shape is part of the major version."),
    "response-property-removed": Rule(Severity.MAJOR, "The response shape is part of the major version."),
    "response-property-removed-after-sunset": Rule(
        Severity.MINOR, "It was announced, and its sunset has passed. Clients no longer receive it."
    ),
    "response-property-required": Rule(Severity.MAJOR, "The response shape is part of the major version."),
    "response-property-optional": Rule(Severity.MAJOR, "Clients that rely on it may not receive it."),
    "response-default-changed": Rule(Severity.MAJOR, "Its absence has another meaning."),
    "response-default-added": Rule(Severity.MAJOR, "Its absence now has a declared meaning."),
    "response-default-removed": Rule(Severity.MAJOR, "Its absence has another meaning."),
    "response-required-default-changed": Rule(Severity.MINOR, "It was always present.", "codegen"),
    "response-deprecated-changed": Rule(Severity.MINOR, "Only generated clients show it.", "codegen"),
    "response-readOnly-changed": Rule(Severity.MINOR, "Only requests differ.", "codegen"),
    "response-writeOnly-changed": Rule(Severity.MAJOR, "The response shape is part of the major version."),
    "response-discriminator-added": Rule(Severity.MINOR, "The same values are sent.", "codegen"),
    "response-discriminator-removed": Rule(Severity.MINOR, "The same values are sent.", "codegen"),
    "response-discriminator-property-changed": Rule(Severity.MAJOR, "Alternatives are distinguished differently."),
    "response-discriminator-mapping-changed": Rule(Severity.MAJOR, "The same value stands for another alternative."),
    "response-discriminator-values-added": _SHAPE_BROKEN,
    "response-discriminator-values-removed": _SHAPE,
}


def judge(change: Change) -> Rule:
    """The row that judges `change`; `UNDECIDED` if absent."""
    return RULES.get(change.rule, UNDECIDED)


def overall(changes: Iterable[Change]) -> Severity:
    """The highest severity of `changes`."""
    return max((judge(change).severity for change in changes), default=Severity.NONE)
