"""The transactions of commands that change something: the audit log says who called which."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from sqlalchemy import Connection

from db import audit
from db.audit import Author
from scripts.commands.arguments import name_of
from scripts.service.databases import database
from scripts.service.settings import Settings

Why = Annotated[str | None, typer.Option("--why", help="The reason, for the audit log.", parser=name_of)]


def login() -> str:
    """The login name of the operator; `unknown` if the system has none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


@contextmanager
def changing(action: str, why: str | None = None, settings: Settings | None = None) -> Iterator[Connection]:
    """A transaction on the configured database, in which the operator does `action`."""
    with database(settings or Settings.read()) as opened, opened.begin() as connection:
        audit.attribute(connection, action, Author(f"cli:{login()}", why))
        yield connection
