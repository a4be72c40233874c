"""The rows that a viewer asks for, as the query of the page and of the stream says them."""

from dataclasses import fields
from urllib.parse import urlencode

from starlette.requests import Request

from db.tail import Filters
from handlers.live.tail import Row
from handlers.pages import parameters

OUTCOMES = ("accepted", "rejected")


def filters(request: Request) -> Filters:
    """The filters in the query of `request`; UnreadableParameter as `handlers.pages.parameters` says."""
    return Filters(
        parameters.text(request, "hub"),
        parameters.text(request, "event_type"),
        parameters.text(request, "not_type"),
        parameters.choice(request, "outcome", OUTCOMES),
    )


def query_of(asked: Filters) -> str:
    """The query that `filters` reads, percent-encoded; empty without any."""
    values = {field.name: getattr(asked, field.name) for field in fields(asked)}
    return urlencode({name: value for name, value in values.items() if value}, errors="replace")


def matches(asked: Filters, row: Row) -> bool:
    """True if `asked` has `row`, which was read without filters."""
    return (
        (not asked.hub or row.hub == asked.hub)
        and (not asked.event_type or row.event_type == asked.event_type)
        and (not asked.not_type or row.event_type != asked.not_type)
        and (not asked.outcome or row.is_accepted == (asked.outcome == "accepted"))
    )
