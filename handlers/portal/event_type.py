"""The page of an event type: what it means, what its metadata may be, and an event of it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import RowMapping
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from db import event_types
from db.errors import Unavailable
from handlers.contracts.publications import Publications
from handlers.pages import parameters
from handlers.pages.templates import HEADERS, html, rendered
from handlers.paths import EVENT_TYPES, event_type_path
from handlers.portal.example_event import Example, example_event
from handlers.portal.known_contracts import Known, known
from handlers.similar_names import SimilarNames
from handlers.site.published_contracts import origin
from handlers.site.service_state import service_state
from openapi import decimals
from openapi.metadata.check import check
from openapi.metadata.fields import Fields, fields
from openapi.problems import Problem
from openapi.rendering.representations import Representation, endpoint
from openapi.rendering.visible_text import visible
from openapi.standards.media_types import HTML

LONGEST = 200
"""Characters of a name."""
NEAREST = 5


@dataclass(frozen=True, slots=True)
class Metadata:
    """The schema of the metadata of an event type as JSON and in words; without words, `fault` says why."""

    schema: str
    fields: Fields | None
    fault: str


@dataclass(frozen=True, slots=True)
class EventType:
    """The page. `metadata` is None if any object is accepted.

    `examples` are commands, or one fault; there is none if new events are refused.
    """

    title: str
    description: str
    status: str
    version: int
    created_at: datetime
    is_of_hub: bool
    keep_days: int | None
    metadata: Metadata | None
    examples: list[Example]
    tab: str = EVENT_TYPES


@dataclass(frozen=True, slots=True)
class Missing:
    """The page of a name that is not registered, with the paths of the nearest names."""

    name: str
    nearest: dict[str, str]
    title: str = "No event type has this name"
    tab: str = EVENT_TYPES


def routes(publications: Publications) -> list[Route]:
    """The page; a name may contain slashes."""
    return [Route(f"{EVENT_TYPES}/{{name:path}}", _endpoint(publications))]


def _endpoint(publications: Publications) -> Callable[[Request], Awaitable[Response]]:
    async def show(request: Request) -> Response:
        name = request.path_params["name"] or parameters.text(request, "name")
        if (row := await _row(request, name)) is None:
            return await publications.build(partial(_missing, request, name))

        async def give(request: Request) -> Representation:
            contracts = await known(request, publications)
            return await publications.build(partial(_page, request, row, contracts))

        return await endpoint(give, HEADERS)(request)

    return show


async def _row(request: Request, name: str) -> RowMapping | None:
    """The entry `name` of the registry; None if absent. PostgreSQL has neither U+0000 nor halves of surrogate pairs."""
    if len(name) > LONGEST or "\0" in name or name.encode(errors="replace").decode() != name:
        return None
    try:
        return await service_state(request).database.run(event_types.public, name)
    except Unavailable as error:
        raise Problem("unavailable", reason=str(error)) from None


def _page(request: Request, row: RowMapping, contracts: Known) -> Representation:
    schema, is_active = row["metadata_schema"], row["status"] == "active"
    metadata = None if schema is None else _metadata(schema)
    if metadata and metadata.fault:
        examples = [Example(fault="The schema cannot be read, so that no example is made.")]
    else:
        tried = [example_event(row["name"], schema, each, origin(request, each)) for each in contracts.ways]
        examples = [each for each in tried if each.curl] or tried[:1] or [example_event(row["name"], schema, None, "")]
    page = EventType(
        row["name"],
        row["description"],
        row["status"],
        row["version"],
        row["created_at"],
        row["hub_id"] is not None,
        row["keep_days"],
        metadata,
        examples if is_active else [],
    )
    return html("event_type.html", page)


def _metadata(schema: Any) -> Metadata:
    faults = check(schema)
    text = visible(decimals.dumps(schema, ensure_ascii=False, indent=2))
    return Metadata(text, None if faults else fields(schema), faults[0].message if faults else "")


def _missing(request: Request, name: str) -> Response:
    names = SimilarNames(service_state(request).resources.registry.event_types).several(name, NEAREST)
    page = Missing(name[: LONGEST + 1], {near: event_type_path(near) for near in names})
    return Response(rendered("event_type_missing.html", page), 404, HEADERS, HTML)
