"""The Prefer header (RFC 7240): preferences of a client, which a server may ignore."""

import re

_ELEMENT = re.compile(
    r"""[ \t]*+
    (?:([!#$%&'*+.^_`|~0-9A-Za-z-]++)[ \t]*+(?:=[ \t]*+("(?:[^"\\]|\\.)*+"|[^ \t;,"]*+)[ \t]*+)?)?
    ([,;]|\Z)""",
    re.VERBOSE,
)
"""The name and value of a preference, of a parameter of one, or of neither, and the delimiter behind it.

List elements and parameters may be empty (RFC 9110 section 5.6.1).
"""
_NO_VALUE = (None, "", '""')
"""An empty value is equivalent to no value (section 2)."""

DRY_RUN = "dry-run"
"""A preference of this API: the response is the same as if the body were stored, but nothing is stored."""


def prefers(field: str | None, preference: str) -> bool:
    """True if the Prefer `field` names `preference` without a value; with a value it is another preference (section 2).

    If the preference is named twice, the first counts. The contract lets it also be a parameter of another one, as in
    `handling=strict; dry-run`: such a parameter counts if it has no value. The field is read up to its first syntax
    error.
    """
    position, is_parameter = 0, False
    while field and position < len(field) and (match := _ELEMENT.match(field, position)):
        name, value, delimiter = match.groups()
        if name and name.lower() == preference:
            if value in _NO_VALUE:
                return True
            if not is_parameter:
                return False
        position, is_parameter = match.end(), delimiter == ";"
    return False
