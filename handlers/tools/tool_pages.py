"""The paths of the tools: documents come with a request and go with its response."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from handlers.contracts.client_packages import LANGUAGES
from handlers.paths import TOOLS
from handlers.security import failed_attempts
from handlers.site import operators
from handlers.site.operators import Admit
from handlers.site.service_state import service_state
from handlers.tools import bodies
from handlers.tools.bodies import MULTIPART
from handlers.tools.messages import Task
from handlers.tools.work import CLIENT, DIFF, DOCUMENTS, FORMATS
from handlers.tools.workshop import Room, worked_out
from openapi.diff.reports.html_report import LAYOUT
from openapi.problems import Problem
from openapi.rendering.representations import acceptable, response
from openapi.requests.content import SLOWEST, Content
from openapi.serving.request_state import request_state
from openapi.standards.media_types import JSON, YAML

OFF, OPERATORS = "off", "operators"
"""Values of the setting; the other one is `everybody`."""
HEADERS = operators.page_headers(LAYOUT.policy)
BODY_SECONDS = 20
"""A body must arrive within this time, so that slow ones do not fill the room for long."""
MOST_REQUESTS = 8
"""Limit on the requests of one worker whose bodies are in its memory."""
MOST_PROCESSES = 1
"""Limit on the processes of one worker that work on documents at the same time."""

Variant = Callable[[Request], str]
"""The variant of a tool that a request asks for; Problem if there is none."""
Endpoint = Callable[[Request], Awaitable[Response]]


def routes(tools: str, operator_key: str) -> list[Route]:
    """The paths, for the callers that the setting `tools` names; none if it is off, or if operators have no key."""
    if tools == OFF or (tools == OPERATORS and not operator_key):
        return []
    admit = operators.admitting(operator_key) if tools == OPERATORS else _admit_visitor
    endpoint = partial(_endpoint, admit, Room(MOST_REQUESTS), Room(MOST_PROCESSES))
    return [
        Route(f"{TOOLS}/diff", endpoint(DIFF, [JSON, MULTIPART], _format), methods=["POST"]),
        Route(f"{TOOLS}/clients/{{language}}", endpoint(CLIENT, [JSON, YAML, MULTIPART], _language), methods=["POST"]),
    ]


def _endpoint(  # noqa: PLR0913, PLR0917 (what two paths share, and what they do not)
    admit: Admit, requests: Room, processes: Room, tool: str, accepted: Sequence[str], variant: Variant
) -> Endpoint:
    """The endpoint of `tool` for admitted requests with a body of an `accepted` media type."""

    async def endpoint(request: Request) -> Response:
        """Answer one request; errors carry the same headers."""
        request_state(request.scope).headers = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
        admit(request)
        chosen, content_type = variant(request), bodies.content_type(request.scope, accepted)
        with requests.entering():
            body = await _body(request, bodies.most_bytes(DOCUMENTS[tool]))
            with processes.entering():
                result = await worked_out(Task(tool, chosen, content_type, body), request.receive)
        return response(result, HEADERS)

    return endpoint


def _admit_visitor(request: Request) -> None:
    """Take a request from the bucket of its address; Problem `too_many_documents` if that is empty."""
    bucket = failed_attempts.of_visitor(request.scope)
    attempts = service_state(request).failed_attempts
    if wait := attempts.seconds_to_wait(bucket):
        raise Problem("too_many_documents", [(b"retry-after", b"%d" % wait)])
    attempts.count(bucket)


def _format(request: Request) -> str:
    return acceptable(request, list(FORMATS))


def _language(request: Request) -> str:
    if (language := request.path_params["language"]) not in LANGUAGES:
        raise Problem("not_found", hint=f"There are clients for these languages: {', '.join(LANGUAGES)}.")
    return str(language)


async def _body(request: Request, limit: int) -> bytes:
    """The body of a request, of at most `limit` bytes; Problem if it is larger or too slow."""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await Content(request.scope, request.receive, frozenset()).whole(limit, BODY_SECONDS)
    except TimeoutError:
        raise Problem("body_timeout", seconds=BODY_SECONDS, rate=SLOWEST) from None
