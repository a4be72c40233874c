"""The Prefer header (RFC 7240): preferences of a client, which a server may ignore."""

import re

_ELEMENT = re.compile(
    r"""\s*+
    (?:([!#$%&'*+.^_`|~0-9A-Za-z-]++)\s*+(?:=\s*+(?:"(?:[^"\\]|\\.)*+"|[^\s;,"]*+)\s*+)?)?
    (?:[,;]|\Z)""",
    re.VERBOSE,
)
"""A preference, a parameter of one, or an empty list element (RFC 9110 section 5.6.1), with its delimiter."""

DRY_RUN = "dry-run"
"""A preference of this API: the response is the same as if the body were stored, but nothing is stored."""


def prefers(field: str | None, preference: str) -> bool:
    """True if the Prefer `field` names `preference`, by itself or as a parameter of another one; its value is ignored.

    The field is read up to its first syntax error.
    """
    position = 0
    while field and position < len(field) and (match := _ELEMENT.match(field, position)):
        if match[1] and match[1].lower() == preference:
            return True
        position = match.end()
    return False
