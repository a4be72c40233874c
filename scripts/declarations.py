"""`interaction-reporting contract card`: a contract as it is declared to people."""

from typing import Annotated

import typer

from handlers import declarations
from scripts.serve import database
from scripts.settings import Settings


def card(version: Annotated[str, typer.Argument(help="For instance 1.0.")]) -> None:
    """Print what a version says as Markdown: its fields, answers, policy and status, made from its row."""
    with database(Settings.read()) as opened, opened.begin() as connection:
        print(declarations.card(connection, version), end="")
