"""The published contracts that a request for a page is about."""

import re
from collections.abc import Mapping

from starlette.requests import Request

from db.errors import Unavailable
from handlers.contracts.publications import Publication, Publications
from handlers.site.service_state import service_state
from openapi.problems import Problem

_HOST = re.compile(r"[A-Za-z0-9.\-:\[\]]{1,255}")
Published = Mapping[str, Publication]


async def read(request: Request, publications: Publications) -> Published:
    """All of them by version; Problem if the database cannot be reached."""
    try:
        return await publications.read(service_state(request).database)
    except Unavailable as error:
        raise Problem("contracts_unavailable", reason=str(error)) from None


def named(request: Request, published: Published) -> Publication:
    """The one whose version is in the path of the request; Problem if absent, as a draft is: it is not public."""
    publication = published.get(request.path_params["version"])
    if publication is None:
        raise Problem("contract_not_found")
    return publication


def pair(request: Request, published: Published) -> tuple[Publication, Publication]:
    """Those whose versions are `old` and `new` in the path of the request; Problem if one is absent."""
    old, new = (published.get(request.path_params[name]) for name in ("old", "new"))
    if old is None or new is None:
        raise Problem("contract_not_found")
    return old, new


async def publication_of(request: Request, publications: Publications) -> Publication:
    """Likewise, read first."""
    return named(request, await read(request, publications))


def origin(request: Request, publication: Publication | None) -> str:
    """The URL of the service: the one that is set, or else the one that the client used.

    It stands in commands that people copy: a Host with other characters than those of hosts is not repeated.
    """
    if publication and publication.public_url:
        return publication.public_url
    if _HOST.fullmatch(request.url.netloc):
        return f"{request.url.scheme}://{request.url.netloc}"
    host, port = request.scope.get("server") or ("localhost", None)
    return f"{request.url.scheme}://{host}" + (f":{port}" if port else "")
