"""The styles, the scripts and the picture of all pages, each at a path that changes with its content."""

import asyncio
import gzip
import re
from functools import cache
from importlib.resources import files
from mimetypes import guess_type

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from handlers.pages import swagger_ui
from handlers.paths import ASSETS
from openapi.problems import Problem
from openapi.rendering.representations import Representation, conditional
from openapi.standards.negotiation import accepts_gzip

_BLANKS = re.compile(rb"\s+|/\*.*?\*/", re.DOTALL)
_BESIDE_MARKS = re.compile(rb" ?([{};,]) ?|(:) ")


def _shortened(style: bytes) -> bytes:
    """A style sheet without its comments, and the blanks that have no meaning in ours: no text in it has marks."""
    return _BESIDE_MARKS.sub(rb"\1\2", _BLANKS.sub(b" ", style)).strip()


_OURS = {
    file.name: _shortened(file.read_bytes()) if file.name.endswith(".css") else file.read_bytes()
    for file in files("handlers").joinpath("assets").iterdir()
    if file.is_file()
}
_ASSETS = {
    name: Representation.of(guess_type(name)[0] or "application/octet-stream", content)
    for name, content in {**_OURS, **swagger_ui.contents()}.items()
}
_LARGE = 100_000
"""Bytes from which on an asset is compressed for clients that accept that."""
_FOREVER = "public, max-age=31536000, immutable"


def url(name: str) -> str:
    """The path of an asset; KeyError if absent."""
    return f"{ASSETS}/{_digest(name)}/{name}"


def has(name: str) -> bool:
    """True if there is an asset with that name: those of Swagger UI may be absent."""
    return name in _ASSETS


def routes() -> list[Route]:
    """The assets, for any client."""
    return [Route(f"{ASSETS}/{{digest}}/{{name}}", _asset)]


def _digest(name: str) -> str:
    return _ASSETS[name].etag[:16]


async def _asset(request: Request) -> Response:
    """An asset; under the digest of another release, which a page may have, it is the one of this release."""
    name = request.path_params["name"]
    if name not in _ASSETS:
        raise Problem("not_found")
    is_ours = request.path_params["digest"] == _digest(name)
    headers = {"cache-control": _FOREVER if is_ours else "no-cache", "x-content-type-options": "nosniff"}
    asset = _ASSETS[name]
    if len(asset.content) >= _LARGE:
        headers["vary"] = "Accept-Encoding"
        if accepts_gzip(request.scope):
            headers["content-encoding"] = "gzip"
            asset = await asyncio.to_thread(_compressed, name)
    return conditional(request, asset, headers)


@cache
def _compressed(name: str) -> Representation:
    """An asset in the coding gzip (RFC 1952), with an entity tag of its own."""
    return Representation.of(_ASSETS[name].media_type, gzip.compress(_ASSETS[name].content, mtime=0))
