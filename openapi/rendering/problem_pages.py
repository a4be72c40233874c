"""The texts of problems, made from the table: the meaning and the remedy of each, as JSON and in pieces for pages.

A parameter of a template appears by its name.
"""

import json
from collections.abc import Iterator
from string import Formatter
from typing import Any

from openapi.problems import TABLE
from openapi.serving.error_styles import PROBLEMS, title

Pieces = list[tuple[str, str]]
"""The literal pieces of a template, each with the name of the parameter that follows it; empty if none does."""


def documents(public_url: str = "") -> Iterator[tuple[str, str]]:
    """The path and the JSON of the list and of each problem; `public_url` is the clients' URL of the service."""
    descriptions = [described(code, public_url) for code in TABLE]
    yield PROBLEMS, json.dumps({"problems": descriptions})
    for code, description in zip(TABLE, descriptions, strict=True):
        yield f"{PROBLEMS}/{code}", json.dumps(description)


def described(code: str, public_url: str = "") -> dict[str, Any]:
    """A problem in the form of version 2 (RFC 9457), without the details of a request."""
    return {
        "type": f"{public_url}{PROBLEMS}/{code}",
        "title": title(code),
        "status": TABLE[code].status,
        "detail": _text(meaning(code)),
        "help": _text(remedy(code)),
    }


def heading(code: str) -> str:
    """The title of a problem for people."""
    return TABLE[code].heading or title(code)


def meaning(code: str) -> Pieces:
    """What is wrong."""
    return _pieces(TABLE[code].about or TABLE[code].error)


def remedy(code: str) -> Pieces:
    """What to do."""
    return _pieces(TABLE[code].about_help or TABLE[code].help or "")


def likeness(code: str, error: str) -> int:
    """How many characters of `error` are words of the template of the problem; 0 unless it may be made from that."""
    end = count = 0
    pieces = _pieces(TABLE[code].error)
    for index, (literal, _) in enumerate(pieces):
        start = error.find(literal, end)
        if start < 0 or (index == 0 and start > 0):
            return 0
        end, count = start + len(literal), count + sum(map(str.isalnum, literal))
    return count if pieces[-1][1] or error.endswith(pieces[-1][0]) else 0


def _text(pieces: Pieces) -> str:
    return "".join(literal + (f"<{name}>" if name else "") for literal, name in pieces)


def _pieces(template: str) -> Pieces:
    return [(literal, name or "") for literal, name, _, _ in Formatter().parse(template)]
