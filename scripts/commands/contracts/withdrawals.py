"""`interaction-reporting contract withdraw` and `discard`: the ways back from a mistake."""

from typing import Annotated

import typer

from db import contracts
from db.audit import Author
from handlers.contracts.rehearsing import withdrawals
from scripts.commands.arguments import AsJSON
from scripts.commands.contracts.contract_lifecycle import By, Version, Why, show_row
from scripts.service.databases import database
from scripts.service.settings import Settings


def withdraw(
    version: Version,
    by: By,
    seconds: Annotated[
        float, typer.Option(help="How long to look through the rows that were stored since its publication.", min=1)
    ] = 60,
    why: Why = None,
    as_json: AsJSON = False,
) -> None:
    """Let a version that was rolled back, or a draft, bind no later version. What was stored under it stays."""
    with database(Settings.read()) as opened:
        row = withdrawals.withdraw(opened, version, Author(by, why), seconds)
    show_row(row, as_json)


def discard(version: Version, by: By, why: Why = None, as_json: AsJSON = False) -> None:
    """Delete a draft. Its version number is free again."""
    with database(Settings.read()) as opened, opened.begin() as connection:
        row = contracts.discard(connection, version, Author(by, why))
    show_row(row, as_json)
