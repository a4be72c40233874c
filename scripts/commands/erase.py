"""`interaction-reporting erase`: deletes what is stored of a person, and gives a receipt."""

import dataclasses
import json
import re
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from db import erasures, personal_data
from db.engine import Database
from db.erasures import Erasure
from scripts.commands.arguments import AsJSON, uuid_of
from scripts.commands.output import note, show, with_short_digests
from scripts.service.databases import database
from scripts.service.settings import Settings

SETTLING_SECONDS = 2
"""The time in which each worker ends its exports: it hears of a change within 0.9 s, and looks every 0.4 s."""
ROWS_BETWEEN_NOTES = 500_000
COPIES = (
    "Backups, logs, exports that hubs have fetched and detached partitions still have the data until they expire. "
    "Keep this receipt apart from the database: after a restore of an older backup, run "
    "'interaction-reporting erase --receipt FILE' with it."
)

Actor = Annotated[
    UUID | None, typer.Option(help="The actor's UUID, as events have it in actor_id.", parser=uuid_of, metavar="UUID")
]
Why = Annotated[str | None, typer.Option(help="A reason for the receipt, such as a case number; do not name a person.")]
Repeat = Annotated[bool, typer.Option("--repeat", help="Erase again what the database has receipts of.")]
Receipt = Annotated[
    Path | None, typer.Option(help="Erase again what a saved receipt says, or a list of them, as JSON.", metavar="FILE")
]


def erase(
    actor: Actor = None, why: Why = None, repeat: Repeat = False, receipt: Receipt = None, as_json: AsJSON = False
) -> None:
    """Delete everything that is stored of an actor and print a receipt, without the actor's UUID."""
    if [actor is not None, repeat, receipt is not None].count(True) != 1:
        raise typer.BadParameter("give one of --actor, --repeat and --receipt")
    saved = _read(receipt) if receipt else []
    with database(Settings.read()) as opened:
        if actor is not None:
            show(_shown(_erased(opened, personal_data.digest_of(actor), why), as_json), as_json)
        else:
            repeated = _repeated(opened, saved, only_saved=not repeat)
            show([_shown(erasure, as_json) for erasure in repeated], as_json)
    note(COPIES)


def _erased(opened: Database, digest: str, why: str | None) -> Erasure:
    with opened.begin() as connection:
        identifier = erasures.begin(connection, digest, why)
    counts = _delete(opened, [digest])
    with opened.begin() as connection:
        return erasures.complete(connection, identifier, counts)


def _repeated(opened: Database, saved: Sequence[Erasure], only_saved: bool) -> list[Erasure]:
    """Erase again what `saved` has, or else what the database has receipts of."""
    with opened.begin() as connection:
        erasures.add(connection, saved)
        receipts = saved if only_saved else erasures.list_all(connection)
    if receipts:
        counts = _delete(opened, sorted({receipt.actor_sha256 for receipt in receipts}))
        note(f"Deleted now: {_listed(counts)}.")
    with opened.begin() as connection:
        return erasures.repeated(connection, [receipt.id for receipt in receipts])


def _delete(opened: Database, digests: Sequence[str]) -> dict[str, int]:
    """Delete, and return when no export can deliver a deleted row any more."""
    counts = personal_data.erase(opened, digests, _note_progress)
    if any(counts.values()):
        time.sleep(SETTLING_SECONDS)
    return counts


def _note_progress(table: str, read: int, deleted: int) -> None:
    if read % ROWS_BETWEEN_NOTES == 0 and read:
        note(f"{table}: {read} rows read, {deleted} deleted")


def _read(path: Path) -> list[Erasure]:
    """The receipts in a file; BadParameter if it has none."""
    try:
        content = json.loads(path.read_bytes())
        return [_receipt(item) for item in (content if isinstance(content, list) else [content])]
    except OSError as error:
        raise typer.BadParameter(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        raise typer.BadParameter(f"{path} has no receipt: give what 'erase --json' printed") from None


def _receipt(item: dict[str, Any]) -> Erasure:
    """The receipt in a JSON object; an error if it is none."""
    values = {field.name: item[field.name] for field in dataclasses.fields(Erasure)}
    if not re.fullmatch("[0-9a-f]{64}", values["actor_sha256"]):
        raise ValueError("not a digest")
    for text in (values["why"], *values["rows_deleted"]):
        if text is not None:
            _require_text(text)
    if not all(type(count) is int for count in values["rows_deleted"].values()):
        raise ValueError("not counts")
    instants = {name: value and _instant(value) for name, value in values.items() if name.endswith("_at")}
    return Erasure(**values | instants | {"id": UUID(values["id"]), "requested_at": _instant(values["requested_at"])})


def _require_text(value: str) -> None:
    """ValueError if PostgreSQL cannot store `value`, because of NUL or half of a surrogate pair."""
    if "\0" in value:
        raise ValueError("NUL")
    value.encode()


def _instant(text: str) -> datetime:
    """The instant in `text`, of this age of the world; ValueError if it is none."""
    instant = datetime.fromisoformat(text).astimezone(UTC)
    if not 2000 <= instant.year <= 2999:
        raise ValueError(text)
    return instant


def _shown(erasure: Erasure, as_json: bool) -> dict[str, Any]:
    """A receipt as JSON, which is to be kept, or as a row of a table, which fits a terminal."""
    if as_json:
        return dataclasses.asdict(erasure) | {"copies": COPIES}
    return with_short_digests(dataclasses.asdict(erasure) | {"rows_deleted": _listed(erasure.rows_deleted)})


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{table} {count}" for table, count in counts.items())
