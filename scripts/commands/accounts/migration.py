"""`interaction-reporting migration`: the major versions that each hub uses, and the cut-over of its API key."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer

from db import hubs
from handlers.contracts import migration
from handlers.contracts.migration import DEFAULT_DAYS, MOST_DAYS, Migration
from handlers.site import migration_reports
from openapi.rendering.terminal import printable
from scripts.commands.accounts.hubs import Name
from scripts.commands.arguments import AsJSON, name_of
from scripts.commands.changes import Why, changing
from scripts.commands.output import note, show
from scripts.service.databases import database
from scripts.service.settings import Settings


class Format(StrEnum):
    """The format of the report."""

    TEXT = "text"
    MARKDOWN = "markdown"
    HTML = "html"


def status(
    days: Annotated[
        int, typer.Option(help="The number of days to report, including today.", min=1, max=MOST_DAYS)
    ] = DEFAULT_DAYS,
    form: Annotated[Format, typer.Option("--format", help="The format of the report.")] = Format.TEXT,
    as_json: AsJSON = False,
) -> None:
    """Show which versions each hub uses, when it last used each, and which hubs the old version's end would break."""
    with database(Settings.read()) as opened, opened.begin() as connection:
        report = migration.migration(connection, days, datetime.now(UTC))
    if as_json:
        show(migration_reports.as_json(report), as_json)
    elif form is Format.TEXT:
        _print(report)
    else:
        renderers = {Format.MARKDOWN: migration_reports.as_markdown, Format.HTML: migration_reports.as_html}
        print(renderers[form](report), end="")


def cut_over(
    name: Name,
    why: Annotated[str | None, typer.Option(help="The reason, which is shown with the hub.", parser=name_of)] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Cut over even a hub that has never used the next version.")
    ] = False,
    as_json: AsJSON = False,
) -> None:
    """Refuse a hub's API key from now on, because the hub uses access tokens. Responses say where to get one."""
    with changing("cut over", why) as connection:
        show(migration.cut_over(connection, name, why, force), as_json)
    note("The hub's API key is refused within a second. 'migration undo' reverses this.")


def undo(name: Name, why: Why = None, as_json: AsJSON = False) -> None:
    """Accept again the API key of a hub that was cut over."""
    with changing("undo the cut-over", why) as connection:
        show(hubs.restore_key(connection, name), as_json)
    note("The hub's API key is accepted again within a second.")


def _print(report: Migration) -> None:
    """Print `report` for a terminal, with a line for each day that a hub sent requests."""
    for sentence in migration_reports.sentences(report):
        print(printable(sentence))
    head, *rows = migration_reports.cells(report)
    fixed = len(head) - len(report.days)
    show([dict(zip(head[:fixed], row, strict=False)) | _by_day(head[fixed:], row[fixed:]) for row in rows], False)


def _by_day(days: list[str], counts: list[str]) -> dict[str, list[str]]:
    return {"by day": [f"{day}: {count}" for day, count in zip(days, counts, strict=True) if count]}
