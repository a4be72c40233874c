"""JSON Pointer (RFC 6901): where a value stands in a JSON document."""

from urllib.parse import unquote


def pointer(*parts: str | int) -> str:
    """The pointer made of `parts`: names of objects and indices of arrays (section 3)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def parts_of(reference: str) -> tuple[str, ...]:
    """The parts of a pointer that is written as the fragment of a URI, `#/` first (section 6)."""
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in unquote(reference[2:]).split("/"))
