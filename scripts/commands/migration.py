"""`interaction-reporting migration`: who uses which major version, and who is to use the former one no more."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer

from db import hubs
from handlers.contracts import migration
from handlers.contracts.migration import DEFAULT_DAYS, MOST_DAYS, Migration
from handlers.site import migration_reports
from openapi.rendering.terminal import printable
from scripts.commands.arguments import AsJSON, name_of
from scripts.commands.hubs import Name
from scripts.commands.output import note, show
from scripts.service.databases import database
from scripts.service.settings import Settings


class Format(StrEnum):
    """How it is told."""

    TEXT = "text"
    MARKDOWN = "markdown"
    HTML = "html"


def status(
    days: Annotated[int, typer.Option(help="How many days count, with today.", min=1, max=MOST_DAYS)] = DEFAULT_DAYS,
    form: Annotated[Format, typer.Option("--format", help="How it is told.")] = Format.TEXT,
    as_json: AsJSON = False,
) -> None:
    """Tell what each hub uses, when it was last seen on each version, and who would break if the former one ended."""
    with database(Settings.read()) as opened, opened.begin() as connection:
        found = migration.migration(connection, days, datetime.now(UTC))
    if as_json:
        show(migration_reports.as_json(found), as_json)
    elif form is Format.TEXT:
        _print(found)
    else:
        made = {Format.MARKDOWN: migration_reports.as_markdown, Format.HTML: migration_reports.as_html}
        print(made[form](found), end="")


def cut_over(
    name: Name,
    why: Annotated[str | None, typer.Option(help="A reason, which is shown with it.", parser=name_of)] = None,
    force: Annotated[bool, typer.Option("--force", help="Even if it was never seen on the next version.")] = False,
    as_json: AsJSON = False,
) -> None:
    """Refuse a hub's API key from now on, because it has gone on to access tokens. Tells it where to go."""
    with database(Settings.read()) as opened, opened.begin() as connection:
        show(migration.cut_over(connection, name, why, force), as_json)
    note("Its key is refused within a second. 'migration undo' takes that back.")


def undo(name: Name, as_json: AsJSON = False) -> None:
    """Accept the API key of a hub again that was cut over."""
    with database(Settings.read()) as opened, opened.begin() as connection:
        show(hubs.restore_key(connection, name), as_json)
    note("Its key is accepted again within a second.")


def _print(found: Migration) -> None:
    """For a terminal: days stand below each other, and only those on which a hub sent anything."""
    for sentence in migration_reports.sentences(found):
        print(printable(sentence))
    head, *rows = migration_reports.cells(found)
    fixed = len(head) - len(found.days)
    show([dict(zip(head[:fixed], row, strict=False)) | _by_day(head[fixed:], row[fixed:]) for row in rows], False)


def _by_day(days: list[str], counts: list[str]) -> dict[str, list[str]]:
    return {"by day": [f"{day}: {count}" for day, count in zip(days, counts, strict=True) if count]}
