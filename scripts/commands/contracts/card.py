"""`interaction-reporting contract card` and `changelog`: contracts as text for readers."""

from typing import Annotated

import typer

from handlers.contracts import publications
from scripts.service.databases import database
from scripts.service.settings import Settings


def card(version: Annotated[str, typer.Argument(help="For instance 1.0.")]) -> None:
    """Print the reference of a stored version as Markdown: its fields, responses, policy and status."""
    with database(Settings.read()) as opened, opened.begin() as connection:
        print(publications.card(connection, version), end="")


def changelog(
    version: Annotated[str | None, typer.Argument(help="The last version to include; unset: the highest.")] = None,
) -> None:
    """Print the changes of each version, newest first. A draft is included only if it is named."""
    with database(Settings.read()) as opened, opened.begin() as connection:
        print(publications.changelog(connection, version), end="")
