"""`interaction-reporting backup` and `restore`: the whole database in one file."""

import fcntl
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated

import typer

from db import backups, restores
from db.backup_files import Manifest, Progress
from db.errors import Refused
from scripts.commands.arguments import AsJSON
from scripts.commands.output import note, show
from scripts.service.databases import connected, database, remedied
from scripts.service.settings import Settings

STANDARD_OUTPUT = Path("-")
_NOTE_SECONDS = 5.0


def backup(
    file: Annotated[Path, typer.Argument(help="The file to write, or - for standard output.")],
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")] = False,
    as_json: AsJSON = False,
) -> None:
    """Write all rows of one instant to a file, while the service runs."""
    with database(Settings.read(), backups.known_revision) as opened:
        if file == STANDARD_OUTPUT:
            with _standard_output() as stream:
                note(f"{backups.back_up(opened, stream, _progress()).rows:,} rows were backed up.")
            return
        with _new_file(file, force) as stream:
            manifest = backups.back_up(opened, stream, _progress())
    show({"file": str(file), "bytes": file.stat().st_size, **_summary(manifest, as_json)}, as_json)
    note("Keep the file secret: it has what hubs have sent, digests of keys, and signing keys.")


def restore(
    file: Annotated[Path, typer.Argument(help="The file to read.", exists=True, dir_okay=False, readable=True)],
    as_json: AsJSON = False,
) -> None:
    """Restore a backup into a new, empty database: all of it, or nothing."""
    settings = Settings.read()
    with connected(settings) as opened, remedied(settings):
        opened.require_own_sessions()
        manifest, timeline = restores.restore(opened, file, _progress())
    epoch, restored_to = (timeline.epoch, timeline.restored_to) if timeline else (None, None)
    show({**_summary(manifest, as_json), "epoch": epoch, "restored_to": restored_to}, as_json)
    if timeline is None:
        note("The server does not say where it is, so that clients do not learn of the restore: inform them.")
    note("Start the service on this database. Clients see its epoch, and send again what the backup does not have.")


def begin_timeline(as_json: AsJSON = False) -> None:
    """Let clients learn that the database was put back from a copy of its directory or a snapshot of its disk."""
    with database(Settings.read()) as opened, opened.begin() as connection:
        timeline = restores.begin_timeline(connection)
    if timeline is None:
        raise Refused("the server does not say where it is, so that no timeline can begin: inform the hubs yourself")
    show({"epoch": timeline.epoch, "restored_to": timeline.restored_to}, as_json)


def _summary(manifest: Manifest, as_json: bool) -> dict[str, object]:
    tables = {"tables": {member.table: member.rows for member in manifest.tables}} if as_json else {}
    return {"rows": manifest.rows, "revision": manifest.revision, "created_at": manifest.created_at, **tables}


def _progress() -> Progress:
    """Notes the rows so far, every few seconds."""
    next_note = time.monotonic() + _NOTE_SECONDS

    def progress(table: str, rows: int) -> None:
        nonlocal next_note
        if time.monotonic() >= next_note:
            note(f"{table}: {rows:,} rows so far")
            next_note = time.monotonic() + _NOTE_SECONDS

    return progress


@contextmanager
def _standard_output() -> Iterator[IO[bytes]]:
    if sys.stdout.isatty():
        raise Refused("a backup is not written to a terminal: name a file, or redirect the output")
    with os.fdopen(sys.stdout.fileno(), "wb", closefd=False) as stream:
        yield stream


@contextmanager
def _new_file(path: Path, force: bool) -> Iterator[IO[bytes]]:
    """A stream to a file that only its owner may read; it appears at `path` once it is whole and on disk.

    Until then it has the suffix .partial. A killed backup leaves it, and the next backup replaces it.
    """
    _require_absent(path, force)
    partial = path.with_name(f"{path.name}.partial")
    try:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror}") from None
    with os.fdopen(descriptor, "wb") as stream:
        _take(stream, partial)
        try:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
            _require_absent(path, force)
            partial.replace(path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
    _sync(path.parent)


def _require_absent(path: Path, force: bool) -> None:
    if path.is_dir():
        raise Refused(f"{path} is a directory: name a file in it")
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise Refused(f"{path} is no regular file, which a backup could replace: name another one, or - for a pipe")
    if path.exists() and not force:
        raise Refused(f"{path} exists: name another file, or replace it with --force")


def _take(stream: IO[bytes], partial: Path) -> None:
    """Empty the file of `stream`, which a killed backup may have left; Refused if another process writes it."""
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Refused(f"another backup writes {partial} now: wait for it, or name another file") from None
    os.fchmod(stream.fileno(), 0o600)
    os.ftruncate(stream.fileno(), 0)


def _sync(directory: Path) -> None:
    """Wait until the names in `directory` are on disk."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
