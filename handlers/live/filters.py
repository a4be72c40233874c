"""The rows that a viewer asks for, as the query of the page and of the stream says them."""

from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.requests import Request

from handlers.live.tail import Row
from handlers.pages import parameters

OUTCOMES = ("accepted", "rejected")


@dataclass(frozen=True, slots=True)
class Filters:
    """Each is empty for all rows. `event_type` and `not_type` are names of event types, `hub` is that of a hub.

    Only events have a type: annotations and rejections pass `not_type`, and no `event_type`.
    """

    hub: str = ""
    event_type: str = ""
    not_type: str = ""
    outcome: str = ""

    @property
    def query(self) -> str:
        """The query of these filters, percent-encoded; empty without any."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return urlencode({name: value for name, value in values.items() if value}, errors="replace")

    def match(self, row: Row) -> bool:
        """True if a viewer asks for `row`."""
        return (
            (not self.hub or row.hub == self.hub)
            and (not self.event_type or row.event_type == self.event_type)
            and (not self.not_type or row.event_type != self.not_type)
            and (not self.outcome or row.is_accepted == (self.outcome == "accepted"))
        )


def filters(request: Request) -> Filters:
    """The filters in the query of `request`; UnreadableParameter as `handlers.pages.parameters` says."""
    return Filters(
        parameters.text(request, "hub"),
        parameters.text(request, "event_type"),
        parameters.text(request, "not_type"),
        parameters.choice(request, "outcome", OUTCOMES),
    )
