"""Recovery: clients learn that the database was restored, and what to send again; not part of the contract."""

from collections.abc import MutableSequence
from datetime import datetime, timedelta

from starlette.requests import Request
from starlette.responses import JSONResponse

from db.timelines import Timeline, Timelines
from handlers.site.service_state import service_state
from openapi.standards import date_times

MARGIN = timedelta(hours=1)
"""How much earlier than the newest row that survived a client begins to send again: clocks and commits differ."""


def announce(timelines: Timelines, headers: MutableSequence[tuple[bytes, bytes]]) -> None:
    """Keep `headers`, which each response has, at the epoch of the newest timeline."""

    def announced(timeline: Timeline) -> None:
        headers[:] = [(b"data-epoch", b"%d" % timeline.epoch)]

    timelines.announce_to(announced)


async def recovery(request: Request) -> JSONResponse:
    """The newest timeline, from memory: it is known also while the database is away."""
    state = service_state(request)
    timeline = state.resources.registry.timelines.newest
    restored_to = timeline.restored_to
    return JSONResponse(
        {
            "epoch": timeline.epoch,
            "detected_at": _written(timeline.detected_at),
            "restored_to": _written(restored_to),
            "send_again_from": _written(restored_to and restored_to - MARGIN),
            "keep_hours": state.recovery_hours,
        }
    )


def _written(instant: datetime | None) -> str | None:
    return None if instant is None else date_times.render(instant)
