"""Pages of lists in name order: the query says after which name a page begins, and what the list is limited to."""

from collections.abc import Mapping
from urllib.parse import urlencode

from starlette.requests import Request

from handlers.lists import cursors
from handlers.pages import parameters
from openapi.problems import Problem

_LONGEST_CURSOR = 4000


def after(request: Request) -> str | None:
    """The name after which the page begins, None for the first page; UnreadableParameter if the cursor is none."""
    if not (cursor := parameters.text(request, "cursor", _LONGEST_CURSOR)):
        return None
    try:
        return cursors.read_name(cursor)
    except Problem:
        raise parameters.UnreadableParameter(
            "cursor is from no page of this list", "Begin with the first page."
        ) from None


def path(list_path: str, asked: Mapping[str, str], following: str | None = None) -> str:
    """The path of a page of a list: of the one `following` a name, or of the first one.

    Members of `asked` that are empty are left out of the query.
    """
    query = {name: value for name, value in asked.items() if value}
    if following is not None:
        query["cursor"] = cursors.name_cursor(following)
    return f"{list_path}?{urlencode(query, errors='replace')}" if query else list_path
