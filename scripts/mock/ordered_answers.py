"""The answers that faults order: errors of the service, and pages of a proxy."""

from starlette.types import ASGIApp, Receive, Scope, Send

from openapi.problems import Problem
from openapi.protocol.connection import CONNECTION
from openapi.serving.messages import error_response, respond
from openapi.serving.request_state import request_state
from openapi.standards.status_phrases import PHRASES
from scripts.mock.fault_kinds import Fault

CODES = {
    400: "malformed_json",
    401: "unauthorized",
    403: "insufficient_scope",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    408: "body_timeout",
    409: "idempotency_conflict",
    410: "version_retired",
    413: "content_too_large",
    415: "unsupported_media_type",
    422: "invalid_body",
    429: "too_many_requests",
    431: "head_too_large",
    503: "unavailable",
}
"""The usual problem of each status; `internal_error` of all others."""
RETRIED = frozenset({429, 503})
"""The service sends Retry-After with these."""


def error(status: int, fault: Fault) -> ASGIApp:
    """An application that answers with an error of `status`, in the style of the version that is asked.

    Its Retry-After is `retry_after` of `fault`; null: none; absent: that of the service.
    """

    async def answer(scope: Scope, _receive: Receive, send: Send) -> None:
        problem = _problem(status, fault.get("retry_after", "1" if status in RETRIED else None))
        request_state(scope).problem = problem.code
        style = scope["state"][CONNECTION].style_at(scope["path"])
        await respond(send, error_response(problem, style))

    return answer


async def send_page(status: int, send: Send) -> None:
    """Answer as a proxy does that has no answer of the service: with HTML, and without the service's headers."""
    title = f"{status} {PHRASES.get(status, 'Error')}"
    page = f"<html>\r\n<head><title>{title}</title></head>\r\n<body><h1>{title}</h1></body>\r\n</html>\r\n".encode()
    headers = [(b"content-type", b"text/html"), (b"content-length", b"%d" % len(page)), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": page})


def _problem(status: int, retry_after: str | None) -> Problem:
    problem = Problem("internal_error")
    problem.code, problem.status = CODES.get(status, "internal_error"), status
    problem.error = f"the mock answers {status}, because a fault orders it"
    problem.help = "GET /_test/faults lists the faults that are left, and DELETE /_test/faults ends them."
    problem.headers = [] if retry_after is None else [(b"retry-after", retry_after.encode("ascii"))]
    if status == 401:
        problem.headers.append((b"www-authenticate", b"Bearer"))
    return problem
