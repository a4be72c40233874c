"""The places of a few values in a large JSON text (RFC 8259): only what leads to them is looked at."""

import json
import re
from collections.abc import Iterable
from typing import Any

from openapi.document_text import Parts

_BLANKS = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()


def places(text: str, wanted: Iterable[Parts]) -> dict[Parts, int]:
    """The index in `text`, which is JSON, of each of `wanted` and of the values around it; an absent one is left out.

    The index of a member is that of its name.
    """
    tree: dict[str, Any] = {}
    for parts in wanted:
        branch = tree
        for part in parts:
            branch = branch.setdefault(part, {})
    start = _past_blanks(text, 0)
    found: dict[Parts, int] = {(): start}
    _scan(text, start, tree, (), found)
    return found


def _scan(text: str, place: int, wanted: dict[str, Any], parts: Parts, found: dict[Parts, int]) -> int:
    """Note the places of `wanted` in the value at `place`; return its end. As deep as the document is."""
    if not wanted or text[place] not in "{[":
        return _DECODER.raw_decode(text, place)[1]  # in C
    is_object, closer = (True, "}") if text[place] == "{" else (False, "]")
    place, index = _past_blanks(text, place + 1), 0
    while text[place] != closer:
        start, name = place, str(index)
        if is_object:
            name, place = _DECODER.raw_decode(text, place)
            place = _past_blanks(text, _past_blanks(text, place) + 1)
        if name in wanted:
            found[*parts, name] = start
        place = _past_blanks(text, _scan(text, place, wanted.get(name, {}), (*parts, name), found))
        if text[place] == ",":
            place = _past_blanks(text, place + 1)
        index += 1
    return place + 1


def _past_blanks(text: str, place: int) -> int:
    return _BLANKS.match(text, place).end()  # type: ignore[union-attr] # always matches
