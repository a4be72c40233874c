"""The page of the migration, also as JSON, for requests with the operator's key."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from db.errors import Unavailable
from handlers import field_errors, paths
from handlers.contracts import migration
from handlers.contracts.migration import DEFAULT_DAYS, MOST_DAYS, Migration
from handlers.site import operators
from handlers.site.migration_reports import LAYOUT, MOST_HUBS, as_html, as_json
from handlers.site.service_state import service_state
from openapi.problems import Problem
from openapi.serving.messages import encoded
from openapi.serving.request_state import request_state
from openapi.standards import negotiation
from openapi.standards.media_types import HTML, JSON

HEADERS = operators.page_headers(LAYOUT.policy)
_NUMBER = re.compile("[0-9]{1,4}")


def routes(operator_key: str) -> list[Route]:
    """The page, which requires `operator_key`; no route if that is empty."""
    return [Route(paths.MIGRATION, _endpoint(operator_key), methods=["GET"])] if operator_key else []


def _endpoint(operator_key: str) -> Callable[[Request], Awaitable[Response]]:
    admit = operators.admitting(operator_key)

    async def endpoint(request: Request) -> Response:
        """Answer one request; errors carry the same headers."""
        request_state(request.scope).headers = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
        admit(request)
        media_type = negotiation.preferred(request.scope, [HTML, JSON])
        if media_type is None:
            raise Problem("not_acceptable", expected=f"{HTML}, {JSON}")
        content = await _content(media_type, await _migration(request, _days(request)))
        return Response(content, media_type=media_type, headers=HEADERS)

    return endpoint


def _days(request: Request) -> int:
    """The number of days that a request asks for; Problem if malformed or out of range."""
    values = request.query_params.getlist("days") or [str(DEFAULT_DAYS)]
    if len(values) > 1 or not _NUMBER.fullmatch(values[0]) or not 1 <= int(values[0]) <= MOST_DAYS:
        raise field_errors.days_out_of_range(MOST_DAYS, DEFAULT_DAYS)
    return int(values[0])


async def _migration(request: Request, days: int) -> Migration:
    """The migration as it is now, with the counts of this process; Problem if the database is unavailable."""
    state = service_state(request)
    await state.version_usage.write()
    try:
        return await state.database.run(migration.migration, days, datetime.now(UTC))
    except Unavailable as error:
        raise Problem("migration_unavailable", reason=str(error)) from None


async def _content(media_type: str, report: Migration) -> bytes:
    """The body, rendered on a thread because there may be many hubs."""
    if media_type == JSON:
        return await asyncio.to_thread(lambda: encoded(as_json(report)))
    return (await asyncio.to_thread(as_html, report, MOST_HUBS)).encode("utf-8", "replace")
