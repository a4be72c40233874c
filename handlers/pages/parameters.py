"""The parameters in the query of a page: one that cannot be read is a 400, because it is a part of an address."""

import re
from collections.abc import Collection
from urllib.parse import parse_qsl, unquote_plus

from starlette.requests import Request

from openapi.problems import Problem

LONGEST = 200
"""Limit on the characters of a parameter."""
MOST = 100
"""Limit on the parameters of a query."""


class UnreadableParameter(Problem):
    """A parameter of a query that a page cannot read: 400."""

    def __init__(self, error: str, remedy: str) -> None:
        super().__init__("invalid_parameters", errors=error, remedies=remedy)
        self.status = 400


def text(request: Request, name: str, longest: int = LONGEST) -> str:
    """The parameter `name` of the query, without blanks around it; empty if absent.

    UnreadableParameter if it comes twice, has a NUL or more than `longest` characters, or the query is not well-formed.
    """
    query = request.scope["query_string"].decode("latin-1")
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=MOST)
    except ValueError:
        raise _of_query(query) from None
    values = [value.strip() for key, value in pairs if key == name]
    if len(values) > 1:
        raise UnreadableParameter(f"{name} comes {len(values)} times", f"Send {name} once.")
    if values and "\0" in values[0]:
        raise UnreadableParameter(f"{name} has a NUL character", "No name has one: leave it out.")
    if values and len(values[0]) > longest:
        raise UnreadableParameter(
            f"{name} has {len(values[0])} characters; the limit is {longest}", f"Send a shorter {name}."
        )
    return values[0] if values else ""


def _of_query(query: str) -> UnreadableParameter:
    """What is wrong with a query that cannot be parsed."""
    for part in query.split("&"):
        try:
            parse_qsl(part, keep_blank_values=True, errors="strict")
        except ValueError:
            name = unquote_plus(part.partition("=")[0])[:LONGEST]
            return UnreadableParameter(f"{name} is no percent-encoded UTF-8", f"Send {name} as percent-encoded UTF-8.")
    return UnreadableParameter(f"the query has more than {MOST} parameters", "Send those that this page names.")


def number(request: Request, name: str, highest: int) -> int | None:
    """A whole number from 0 to `highest`; None if absent, UnreadableParameter if it is none."""
    value = text(request, name)
    if value and not (re.fullmatch("[0-9]{1,19}", value) and int(value) <= highest):
        raise UnreadableParameter(f"{name} is no whole number up to {highest}", f"Leave {name} out.")
    return int(value) if value else None


def choice(request: Request, name: str, choices: Collection[str]) -> str:
    """Likewise; UnreadableParameter unless it is empty or one of `choices`."""
    value = text(request, name)
    if value and value not in choices:
        raise UnreadableParameter(
            f"{name} is not one of {', '.join(choices)}", f"Choose one of these, or leave {name} out."
        )
    return value
