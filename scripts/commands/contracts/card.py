"""`interaction-reporting contract card` and `changelog`: contracts as they are declared to people."""

from typing import Annotated

import typer

from handlers.contracts import publications
from scripts.service.databases import database
from scripts.service.settings import Settings


def card(version: Annotated[str, typer.Argument(help="For instance 1.0.")]) -> None:
    """Print a version as Markdown: its fields, answers, policy and status, made from its row."""
    with database(Settings.read()) as opened, opened.begin() as connection:
        print(publications.card(connection, version), end="")


def changelog(
    version: Annotated[str | None, typer.Argument(help="The last version to tell of; unset: the highest.")] = None,
) -> None:
    """Print the changes of each version, the newest first; a draft only if it is named."""
    with database(Settings.read()) as opened, opened.begin() as connection:
        print(publications.changelog(connection, version), end="")
