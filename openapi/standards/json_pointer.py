"""JSON Pointer (RFC 6901): the place of a value in a JSON document."""

import re
from typing import Any
from urllib.parse import unquote

_INDEX = re.compile("0|[1-9][0-9]{0,9}")


def pointer(*parts: str | int) -> str:
    """The pointer made of `parts`: member names and array indices (section 3)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def parts_of(reference: str) -> tuple[str, ...]:
    """The parts of a pointer in a URI fragment, which begins with `#/` (section 6)."""
    return split(unquote(reference[1:]))


def split(where: str) -> tuple[str, ...]:
    """The parts of the pointer `where`; none of the empty one (section 4)."""
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in where.split("/")[1:])


def member(node: Any, part: str) -> Any:
    """The member or item of `node` that `part` of a pointer names (section 4).

    Raises KeyError or IndexError if there is none, and TypeError if `node` has neither.
    """
    if isinstance(node, list) and not _INDEX.fullmatch(part):
        raise IndexError(f"{part[:100]!r} is no index")
    return node[int(part) if isinstance(node, list) else part]
