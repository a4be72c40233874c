"""An ASGI application with one part for each path of a contract; parts can be replaced while it serves."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from starlette.types import ASGIApp, Receive, Scope, Send

from openapi.problems import Headers, Problem
from openapi.serving.dispatch import ErrorMiddleware, nothing_here
from openapi.serving.error_styles import ERROR_OBJECTS, ErrorStyle
from openapi.serving.request_state import REQUEST

WHOLE_SERVER = "*"
"""The path of a request for the server as a whole, which only OPTIONS has (RFC 9112 section 3.2.4)."""


@dataclass(frozen=True, slots=True)
class Part:
    """The application for the paths below `path`, which has no trailing slash.

    Each response has the headers `announced`. `style` is for requests that are refused before they reach it. `paths`
    are those of its operations, with `path`.
    """

    path: str
    application: ASGIApp
    announced: Headers = ()
    style: ErrorStyle = ERROR_OBJECTS
    paths: Sequence[str] = ()


class Live:
    """Passes each request to the part at its path. The parts may be replaced; a running request keeps its part."""

    def __init__(self, beside: Sequence[str] = (), missing: Callable[[ASGIApp], ASGIApp] = lambda app: app) -> None:
        """`beside` are the paths that other applications serve, for requests whose path is like one of them.

        `missing` may change what is answered at a path that no part serves.
        """
        self._beside = beside
        self._missing = missing
        self.serve([])

    def serve(self, parts: Iterable[Part]) -> None:
        """Serve `parts` from now on; if two match a path, the longer one serves it."""
        parts = list(parts)
        paths = [path for part in parts for path in part.paths]
        self._nothing = self._missing(ErrorMiddleware(nothing_here, failures={}, paths=[*self._beside, *paths]))
        # One reference is replaced: a request sees either all the old parts or all the new ones.
        self._parts: tuple[tuple[str, Part], ...] = tuple(
            sorted(((part.path + "/", part) for part in parts), key=lambda entry: -len(entry[0]))
        )

    @property
    def parts(self) -> list[Part]:
        """The parts that are served now."""
        return [part for _, part in self._parts]

    def style(self, path: str) -> ErrorStyle:
        """The error format at `path`."""
        part = self._part(path)
        return part.style if part else ERROR_OBJECTS

    def announced(self, path: str) -> Headers:
        """The headers of each response at `path`."""
        part = self._part(path)
        return part.announced if part else ()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        path = scope["path"]
        for prefix, part in self._parts:
            if path.startswith(prefix) or path == part.path:
                scope["state"][REQUEST].announced = part.announced  # inline: a function would cost a call
                await part.application(scope, receive, send)
                return
        await (_no_content if path == WHOLE_SERVER else self._nothing)(scope, receive, send)

    def _part(self, path: str) -> Part | None:
        """The part that serves `path`."""
        return next((part for prefix, part in self._parts if path.startswith(prefix) or path == part.path), None)


def gone(version: str, successor: str, link: Headers, style: ErrorStyle = ERROR_OBJECTS) -> ASGIApp:
    """The application of a retired major version; `successor` says in words what to use instead."""

    async def application(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise Problem("version_retired", link, version=version, successor=successor)

    return ErrorMiddleware(application, {}, style)


async def _no_content(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Answer 204: the server is there, and no method is allowed at every path (RFC 9110 section 9.3.7)."""
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})
