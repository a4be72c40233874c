"""What pages read: a database that is away, or a name that it does not have, is a page of its own."""

from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection
from starlette.requests import Request

from db.errors import NotFound, Unavailable
from handlers.pages.page_problems import PageRefusal
from handlers.site.service_state import service_state
from openapi.problems import Problem

P = ParamSpec("P")
T = TypeVar("T")


async def run(
    request: Request, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
) -> T:
    """What `function` returns, called in a transaction; Problem if the database is away, or if it finds nothing."""
    if "\0" in request.url.path:
        raise PageRefusal(404, "not_found", "There is nothing at this address", "No name has a NUL character.")
    try:
        return await service_state(request).database.run(function, *args, **kwargs)
    except Unavailable as error:
        raise Problem("unavailable", reason=str(error)) from None
    except NotFound as error:
        raise PageRefusal(404, "not_found", sentence(error), "It may have another name.") from None


def sentence(error: Exception) -> str:
    """The words of an error as a sentence of a page."""
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."
