"""The page of one rejection: what exactly is wrong in it, and what became of it."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from starlette.responses import Response

from db import rejections
from db.rejected_submissions import NOT_REGISTERED, Bounds
from db.rejections import Rejection
from db.submissions import key_around
from handlers.admin.rejections.filters import PATH
from handlers.admin.rejections.rejection_list import MENDING, WIDGET_NOT_REGISTERED
from handlers.admin.roles import GET, TABLE
from handlers.admin.visits import Handle, Visit
from handlers.pages import payloads
from handlers.pages.page_problems import PageRefusal
from handlers.pages.payloads import Payload
from handlers.paths import ADMIN, register_path, register_widget_path
from handlers.sessions.fields import Fields
from handlers.site.service_state import service_state
from openapi import problems
from openapi.schemas.validation import is_uuid
from openapi.serving.error_styles import PROBLEMS, title


@dataclass(frozen=True, slots=True)
class RejectionPage:
    """The page: a rejection, its content, and the key of its request, of which a batch's items have the index, too.

    `registered_at` is the path of the form that registers what is missing, filled in; empty if nothing is.
    """

    rejection: Rejection
    payload: Payload
    request_key: str | None
    title: str
    mending: str
    registered_at: str
    meaning: str | None
    fields: Fields = field(default_factory=Fields)
    has_hub_pages: bool = field(default_factory=lambda: (GET, f"{ADMIN}/hubs/{{name:path}}") in TABLE)
    labels: Mapping[str, str] = field(default_factory=dict)
    tab: str = PATH


def pages() -> dict[tuple[str, str], Handle]:
    """The page."""
    return {(GET, f"{PATH}/{{id}}"): _show}


async def _show(visit: Visit) -> Response:
    identifier = uuid_in(visit.request.path_params["id"])
    found = await visit.read(rejections.find, identifier) if identifier else None
    if found is None:
        raise _forgotten(service_state(visit.request).resources.policy.rejections)
    rejection, raw = found
    payload = await asyncio.to_thread(payloads.payload, raw, rejection.pointer)
    registered_at = await asyncio.to_thread(_registered_at, rejection, raw)
    key = rejection.request_key and payloads.visible(key_around(rejection.request_key))
    row = problems.TABLE.get(rejection.code)
    shown = RejectionPage(
        rejection,
        payload,
        key,
        (row and row.heading) or title(rejection.code),
        MENDING.get(rejection.code, ""),
        registered_at,
        f"{PROBLEMS}/{rejection.code}" if row else None,
    )
    return visit.page("rejection.html", shown)


def _registered_at(rejection: Rejection, raw: bytes) -> str:
    if rejection.code == NOT_REGISTERED:
        return register_path(rejection.event_type or "")
    return register_widget_path(_widget_in(raw), rejection.id) if rejection.code == WIDGET_NOT_REGISTERED else ""


def _widget_in(raw: bytes) -> str:
    """The id of the widget in what was rejected; empty if none can be read."""
    try:
        content = json.loads(raw)
    except (ValueError, RecursionError):
        return ""
    widget_id = content.get("widget_id") if isinstance(content, dict) else None
    return widget_id if isinstance(widget_id, str) and is_uuid(widget_id) else ""


def uuid_in(text: str) -> UUID | None:
    """The UUID in a text; None if it is none."""
    try:
        return UUID(text)
    except ValueError:
        return None


def _forgotten(bounds: Bounds) -> PageRefusal:
    return PageRefusal(
        404,
        "not_found",
        "No rejection has this id",
        f"It may have been forgotten. Of each hub the newest {bounds.count:,} rejections are kept, for {bounds.days:,} "
        f"days, up to {bounds.bytes:,} bytes of content: the operator sets IR_REJECTIONS_COUNT, IR_REJECTIONS_DAYS and "
        "IR_REJECTIONS_BYTES.",
        {PATH: "What is rejected now"},
    )
