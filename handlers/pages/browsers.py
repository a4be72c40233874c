"""Pages for clients that prefer HTML. To all others a service answers as if there were none, but for `Vary`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from handlers.pages.page_problems import PageProblem
from handlers.pages.templates import HEADERS, PRIVATE, TABS, Frame, rendered
from openapi.problems import Headers, Problem
from openapi.serving.dispatch import ErrorMiddleware
from openapi.serving.request_state import request_state
from openapi.standards import negotiation
from openapi.standards.media_types import HTML, JSON, MARKDOWN, YAML
from openapi.standards.status_phrases import PHRASES

_OFFERS = [JSON, YAML, MARKDOWN, HTML]
"""What a service has beside a page; of equal preferences the first one counts, so that `*/*` is no browser."""


@dataclass(frozen=True, slots=True)
class ErrorPage:
    """What is wrong, and where to go on: words by their paths."""

    title: str
    status: int
    phrase: str
    help: str
    links: dict[str, str] = field(default_factory=dict[str, str])
    tab: str = ""


class ForBrowsers:
    """The pages of `routes` for clients that prefer HTML; `otherwise` for all other requests."""

    def __init__(self, routes: Sequence[Route], otherwise: ASGIApp) -> None:
        self._routes = routes
        self._pages = _Errors(Router(routes, redirect_slashes=False), failures={}, paths=[each.path for each in routes])
        self._otherwise = missing_as_page(otherwise)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or all(route.matches(scope)[0] is Match.NONE for route in self._routes):
            await self._otherwise(scope, receive, send)
        elif negotiation.preferred(scope, _OFFERS) == HTML:
            await self._pages(scope, receive, send)
        else:
            await self._otherwise(scope, receive, _varied(send))


def missing_as_page(application: ASGIApp) -> ASGIApp:
    """`application`, whose 404 is a page for clients that prefer HTML."""

    async def with_page(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or negotiation.preferred(scope, _OFFERS) != HTML:
            await application(scope, receive, send)
            return
        is_missing = False

        async def page_instead(message: Message) -> None:
            nonlocal is_missing
            if message["type"] == "http.response.start" and message["status"] == HTTPStatus.NOT_FOUND:
                is_missing = True
                await problem_page(_missing(), Request(scope))(scope, receive, send)
            elif not is_missing:
                await send(message)

        await application(scope, receive, page_instead)

    return with_page


def _missing() -> PageProblem:
    advice = "Check the address. These pages are there."
    return PageProblem("not_found", "There is nothing at this address", advice, TABS)


class _Errors(ErrorMiddleware):
    """Turns Problems into pages."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        scope.setdefault("app", self)
        try:
            await self._app(scope, receive, send)
        except Exception as error:
            if (problem := self._problem(error, scope)) is None:
                raise
            await problem_page(problem, Request(scope))(scope, receive, send)


def problem_page(problem: Problem, request: Request, frame: Frame | None = None) -> Response:
    """The page of a problem; `frame` is that of someone who is signed in."""
    note_problem(problem, request)
    page = _error_page(problem, request.url.path, frame.tabs if frame else TABS)
    headers = PRIVATE if frame else HEADERS
    response = Response(rendered("error.html", page, frame), page.status, headers, HTML)
    known = {name.encode() for name in headers}
    response.raw_headers += [(name, value) for name, value in problem.headers if name not in known]
    return response


def note_problem(problem: Problem, request: Request) -> None:
    """Let the log say why a request was refused."""
    state = request_state(request.scope)
    state.problem, state.reason = problem.code, problem.reason


def _error_page(problem: Problem, path: str, tabs: Mapping[str, str]) -> ErrorPage:
    """The page of a problem, with the tab of the path that was asked for."""
    tab = max((each for each in tabs if path == each or path.startswith(f"{each}/")), key=len, default="")
    links = {tab: tabs[tab]} if tab else {}
    title, help_ = problem.error[:1].upper() + problem.error[1:], problem.help or ""
    if isinstance(problem, PageProblem):
        title, help_, links = problem.title, problem.page_help, {**links, **problem.links}
    return ErrorPage(title, problem.status, PHRASES[problem.status], help_, {**links, "/": "The first page"}, tab)


def _varied(send: Send) -> Send:
    """`send`, with the note for caches that a client that prefers HTML gets something else."""

    async def varied(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*_with_accept(message["headers"])]
        await send(message)

    return varied


def _with_accept(headers: Headers) -> Iterable[tuple[bytes, bytes]]:
    """`headers`, with Accept among the fields that the response varies by (RFC 9110 section 12.5.5)."""
    varies = [value for name, value in headers if name.lower() == b"vary"]
    if any(b"accept" in {field.strip().lower() for field in value.split(b",")} for value in varies):
        return headers
    return [*headers, (b"vary", b"Accept")]
