"""Backup files: a zip with a member for each table, in the text format of COPY, and at the end a manifest.

The text format is the same for every version of PostgreSQL. A zip can be written to a pipe, and has its directory at
its end, so that a file that was cut is not a zip; the manifest has the SHA-256 of each member.
"""

import json
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

from db.errors import Refused

FORMAT = 1
"""Of the file; a release reads its own and lower ones."""
CHUNK = 1 << 20
"""Bytes that are compressed or sent at once."""

_MANIFEST = "manifest.json"
_LEVEL = 1  # of zlib, 3.8 us a row; level 6 takes 9.4 us for a file that is 5 % smaller
_LONGEST_MANIFEST = 1 << 24
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    ArithmeticError,
    AttributeError,
    LookupError,
    NotImplementedError,
    RuntimeError,
    TypeError,
    ValueError,
)

Progress = Callable[[str, int], object]
"""Called with the name of a table and its rows so far."""


@dataclass(frozen=True, slots=True)
class Member:
    """A table in a backup: the columns in the order of the text, whose bytes are counted without compression."""

    table: str
    columns: list[str]
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds. `weeks` are the Mondays of the weeks in which rows were received.

    A sequence has its last value, and whether that was given out.
    """

    revision: str
    kinds: dict[str, str]
    created_at: datetime
    server_version: str
    weeks: list[datetime]
    sequences: dict[str, tuple[int, bool]]
    tables: list[Member]

    @property
    def rows(self) -> int:
        """The rows of all tables."""
        return sum(member.rows for member in self.tables)


class BackupWriter:
    """Writes a backup to a stream, which may be a pipe."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._archive = zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL)

    def add(
        self, table: str, columns: list[str], blocks: Iterable[bytes | bytearray | memoryview], progress: Progress
    ) -> Member:
        """Write a table; `blocks` are its text."""
        digest, rows, size = sha256(), 0, 0
        with self._archive.open(_name(table), "w", force_zip64=True) as stream:
            for chunk in _joined(blocks):
                stream.write(chunk)
                digest.update(chunk)
                rows, size = rows + chunk.count(b"\n"), size + len(chunk)
                progress(table, rows)
        return Member(table, columns, rows, size, digest.hexdigest())

    def add_manifest(self, manifest: Manifest) -> None:
        """Write the manifest; without it the file is no backup."""
        members = asdict(manifest) | {
            "format": FORMAT,
            "created_at": manifest.created_at.isoformat(),
            "weeks": [week.isoformat() for week in manifest.weeks],
        }
        self._archive.writestr(_MANIFEST, json.dumps(members, indent=1))

    def close(self) -> None:
        """Write the directory."""
        self._archive.close()


class BackupReader:
    """Reads the backup at a path. Refused, in words, if it is damaged or none."""

    def __init__(self, archive: zipfile.ZipFile, path: Path) -> None:
        self._archive = archive
        self._path = path
        with self._intact():
            if archive.getinfo(_MANIFEST).file_size > _LONGEST_MANIFEST:
                raise ValueError(_MANIFEST)
            members = json.loads(archive.read(_MANIFEST))
            number = members.pop("format")
        if number != FORMAT:
            raise Refused(f"{path} has format {number}, this release reads {FORMAT}: restore with the release of it")
        with self._intact():
            self.manifest = _manifest(members)

    def verify(self) -> None:
        """Read everything, and compare rows and digests with the manifest."""
        for member in self.manifest.tables:
            for _ in self.chunks(member):
                pass

    def chunks(self, member: Member) -> Iterator[bytes]:
        """The text of a table; Refused at its end if it is not what was backed up."""
        digest, rows = sha256(), 0
        with self._intact():
            stream = self._archive.open(_name(member.table))
        with stream:
            while chunk := self._read(stream):
                digest.update(chunk)
                rows += chunk.count(b"\n")
                yield chunk
        if (digest.hexdigest(), rows) != (member.sha256, member.rows):
            raise self._damaged()

    def _read(self, stream: IO[bytes]) -> bytes:
        with self._intact():
            return stream.read(CHUNK)

    @contextmanager
    def _intact(self) -> Iterator[None]:
        try:
            yield
        except _DAMAGE:
            raise self._damaged() from None

    def _damaged(self) -> Refused:
        return Refused(f"the backup {self._path} is damaged: restore another one")


@contextmanager
def opened(path: Path) -> Iterator[BackupReader]:
    """The backup at `path`; Refused if it was cut, is damaged, or is something else."""
    try:
        archive = zipfile.ZipFile(path)
    except _DAMAGE:
        raise Refused(f"{path} is not a whole backup: it was cut, is damaged, or is another file") from None
    with archive:
        yield BackupReader(archive, path)


def _manifest(members: dict[str, Any]) -> Manifest:
    """The manifest in a JSON object; an error of _DAMAGE if it is none."""
    created_at, *weeks = [
        datetime.fromisoformat(instant).astimezone(UTC) for instant in (members["created_at"], *members["weeks"])
    ]
    sequences = {name: (int(value), bool(is_called)) for name, (value, is_called) in members["sequences"].items()}
    tables = [Member(**member) for member in members["tables"]]
    names = [name for member in tables for name in (member.table, *member.columns)]
    if not all(isinstance(name, str) for name in names):
        raise TypeError(names)
    return Manifest(**members | {"created_at": created_at, "weeks": weeks, "sequences": sequences, "tables": tables})


def _name(table: str) -> str:
    return f"{table}.copy"


def _joined(blocks: Iterable[bytes | bytearray | memoryview]) -> Iterator[bytes]:
    """`blocks` in chunks of CHUNK bytes and a little more: PostgreSQL sends one for each row."""
    buffer = bytearray()
    for block in blocks:
        buffer += block
        if len(buffer) >= CHUNK:
            yield bytes(buffer)
            buffer.clear()
    if buffer:
        yield bytes(buffer)
