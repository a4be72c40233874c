"""The Prefer header (RFC 7240): what a client would like, which a service may leave undone."""

import re

_ELEMENT = re.compile(
    r"""\s*+
    (?:([!#$%&'*+.^_`|~0-9A-Za-z-]++)\s*+(?:=\s*+(?:"(?:[^"\\]|\\.)*+"|[^\s;,"]*+)\s*+)?)?
    (?:[,;]|\Z)""",
    re.VERBOSE,
)
"""A preference or a parameter of one, or nothing, which lists may have (RFC 9110 section 5.6.1), and its end."""

DRY_RUN = "dry-run"
"""A preference of this API: the request is answered as if it were stored, and nothing is."""


def prefers(field: str | None, preference: str) -> bool:
    """Whether the Prefer `field` names `preference`, by itself or as a parameter of another one; without its value.

    Nothing counts from where it is not well-formed.
    """
    position = 0
    while field and position < len(field) and (match := _ELEMENT.match(field, position)):
        if match[1] and match[1].lower() == preference:
            return True
        position = match.end()
    return False
