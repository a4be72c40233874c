"""Where the files of a document are: below a local directory, or nowhere for a text from standard input."""

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from openapi.contract import LARGE, ContractError

MOST_FILES = 1000
"""Limit on the files of one document; LARGE is the limit on their bytes, in all."""


class Files(Protocol):
    """The files that one document may be made of. Names are relative to the directory of its first file."""

    @property
    def root(self) -> str:
        """The name of the first file."""

    def name(self, path: str) -> str:
        """The file at `path` as people name it."""

    def read(self, path: str, most: int) -> bytes:
        """The content of the file at `path`, which is normalized and below the directory; at most `most` + 1 bytes.

        Raises ContractError if there is none, with a message that does not name it.
        """


@dataclass(frozen=True, slots=True)
class LocalFiles:
    """The files below the directory of the file that `argument` names."""

    argument: Path

    @property
    def root(self) -> str:
        """The name of the first file."""
        return self.argument.name

    def name(self, path: str) -> str:
        """The file at `path`, as a path from the working directory."""
        return str(self.argument.parent / path)

    def read(self, path: str, most: int) -> bytes:
        """The content of the file at `path`; only the first file may be a link that leads out, or a pipe."""
        try:
            return self._read(path, most)
        except ContractError:  # which is a ValueError
            raise
        except OSError as error:
            raise ContractError(error.strerror or "it cannot be read") from None
        except (ValueError, RuntimeError):  # RuntimeError: Python 3.11 and 3.12, for a loop of links
            raise ContractError("no file has such a name") from None

    def _read(self, path: str, most: int) -> bytes:
        directory = self.argument.parent.resolve()
        place = directory / path
        if path != self.root:
            place = place.resolve()
            if not place.is_relative_to(directory):
                raise ContractError("it is a link that leaves the directory of the document")
            if place.exists() and not (place.is_file() or place.is_dir()):
                raise ContractError("it is not a file")
        with place.open("rb") as file:
            return file.read(most + 1)


@dataclass(frozen=True, slots=True)
class StandardInput:
    """A text from standard input; it refers to no file."""

    stream: BinaryIO
    root: str = "-"

    def name(self, path: str) -> str:
        """Standard input, for people; another file as it is written."""
        return "standard input" if path == self.root else path

    def read(self, path: str, most: int) -> bytes:
        """What standard input holds."""
        if path != self.root:
            raise ContractError("a document from standard input has no other files: name its file, or bundle it")
        return self.stream.read(most + 1)


class TooLarge(ContractError):
    """A document has too many files, or too many bytes."""


@dataclass(slots=True)
class Budget:
    """What one document may still read."""

    files: int = MOST_FILES
    size: int = LARGE
    """In bytes."""

    def admit(self, name: str) -> None:
        """Count one more file, `name`; TooLarge if it is one too many."""
        if not self.files:
            raise TooLarge(f"{name}: the document has more than {MOST_FILES:,} files")
        self.files -= 1

    def spend(self, name: str, content: bytes) -> None:
        """Count the bytes of the file `name`; TooLarge if they are too many."""
        self.size -= len(content)
        if self.size < 0:
            raise TooLarge(f"{name}: the document is larger than {LARGE} bytes")
