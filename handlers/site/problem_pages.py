"""The public pages of problems, at the URLs in `type` of problems (RFC 9457 section 3.1.1)."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.routing import Route

from openapi.problems import Problem
from openapi.rendering import problem_pages
from openapi.rendering.representations import HEADERS, Give, Representation, acceptable, endpoint
from openapi.serving.error_styles import PROBLEMS

Representations = Mapping[str, Representation]
"""The representations of one page, by media type."""


def routes(public_url: str) -> list[Route]:
    """The list of the problems, and the page of each; rendered once, because they never change in a process."""
    headers = {**HEADERS, "content-security-policy": problem_pages.LAYOUT.policy}
    by_path = {path: _representations(page) for path, page in problem_pages.pages(public_url)}
    return [Route(path, endpoint(_give(by_path), headers)) for path in (PROBLEMS, f"{PROBLEMS}/{{code}}")]


def _representations(page: problem_pages.Page) -> Representations:
    return {media_type: Representation.of(media_type, text.encode()) for media_type, text in page.items()}


def _give(by_path: Mapping[str, Representations]) -> Give:
    async def give(request: Request) -> Representation:
        representations = by_path.get(request.scope["path"])
        if representations is None:
            raise Problem("not_found")
        return representations[acceptable(request, list(representations))]

    return give
