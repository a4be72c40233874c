"""`interaction-reporting retention`: how long events and annotations are kept."""

from datetime import timedelta
from typing import Annotated

import typer

from db import clocks, event_type_days, partitions
from scripts.commands.arguments import AsJSON
from scripts.commands.output import note, show
from scripts.service.databases import database
from scripts.service.settings import LONGEST_RETENTION, Settings

Days = Annotated[
    int | None,
    typer.Option(
        help="Days that events and annotations are kept, instead of IR_RETENTION.", min=1, max=LONGEST_RETENTION
    ),
]


def retention(
    days: Days = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Drop nothing; list what would be dropped.")] = False,
    as_json: AsJSON = False,
) -> None:
    """Drop events and annotations older than the retention, whole weeks at a time, and list what is dropped."""
    settings = Settings.read()
    days = days or settings.retention
    with database(settings) as opened, opened.begin() as connection:
        if days is None:
            rows = [] if dry_run else partitions.list_all(connection)
            sentence = "Events and annotations are kept forever, because neither --days nor IR_RETENTION is set. "
            sentence += "No partition would be dropped." if dry_run else "The partitions are:"
        else:
            before = clocks.both(connection)[0] - timedelta(days=days)
            rows = (partitions.wholly_before if dry_run else partitions.drop_before)(connection, before)
            sentence = f"Events and annotations are kept for {days} days. "
            sentence += f"These partitions {'would be' if dry_run else 'were'} dropped:"
        by_type = event_type_days.list_old(connection) if dry_run else []
    note(sentence)
    if as_json:
        show([*rows, *by_type], as_json)
        return
    if days is not None or not dry_run:
        show(rows, as_json)
    if by_type:
        note("Of these event types, which have days of their own, events would be deleted:")
        show(by_type, as_json)
