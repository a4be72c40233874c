"""The documents that arguments name, and the exit status of a command that cannot compare them."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import cache

import typer

from db.errors import DatabaseError
from openapi.contract import ContractError, Document
from openapi.diff.reports.places import Marks, Places
from openapi.diff.selection import SelectionError
from openapi.diff.version_numbers import VersionError
from openapi.rendering.terminal import one_line
from openapi.sources import git
from openapi.sources.loaded import STANDARD_INPUT, LoadedDocument, read
from openapi.sources.text import Position
from scripts.commands.arguments import StoredContracts, is_version
from scripts.commands.loading import load
from scripts.service.settings import SettingsError

STORED = "scripts.commands.contracts.stored_contracts:open_contracts"
"""Loaded only for a version: two files are compared without the database's libraries."""
DOCUMENT_HELP = "A file, `-` for standard input, REV:path of a git repository, or a version in the database, as 1.0."
INCOMPARABLE = 2
"""The exit status if there is no comparison; 1 is for what one finds."""

REASONS = (ContractError, DatabaseError, OSError, SelectionError, SettingsError, VersionError, typer.BadParameter)
"""Why there is no comparison."""


@contextmanager
def ends_with_status(as_json: bool, told: Callable[[str], None] = lambda _: None) -> Iterator[None]:
    """Exit with INCOMPARABLE if documents cannot be compared, and say why: as JSON for a program that expects it.

    `told` is called with the reason before.
    """
    try:
        yield
    except REASONS as error:
        message = one_line(error.message if isinstance(error, typer.BadParameter) else str(error))
        told(message)
        if as_json:
            print(json.dumps({"error": message}, ensure_ascii=False))
        else:
            print(f"error: {message}", file=sys.stderr)
        raise typer.Exit(INCOMPARABLE) from None


def documents(old: str | None, new: str) -> tuple[Document, Document]:
    """The documents that `old` and `new` name; without `old` the served contract that `new` follows.

    Raises ContractError or BadParameter if one of them cannot be read.
    """
    if old == new == STANDARD_INPUT:
        raise typer.BadParameter("standard input holds one document: `-` can be OLD or NEW")
    with ExitStack() as stack:
        stored = cache(lambda: stack.enter_context(load(STORED)()))
        after = _document(new, "new", stored)
        return (stored().governing(after) if old is None else _document(old, "old", stored)), after


def places(old: Document, new: Document, is_from_top: bool = False) -> Places:
    """The places of changes in two documents, with the lines of those that were read from files; see `marks_of`."""
    return Places(old, new, (marks_of(old, is_from_top), marks_of(new, is_from_top)))


def _document(name: str, side: str, stored: Callable[[], StoredContracts]) -> Document:
    """The stored contract if `name` is a version, else what it names."""
    return stored().version(name) if is_version(name) else read(name, f"the {side} document")


def marks_of(document: Document, is_from_top: bool = False) -> Marks | None:
    """The lines of a document that was read from files; None for a stored one.

    With `is_from_top` files have their names from the top of the git repository, as GitHub shows them.
    """
    marks = document.marks if isinstance(document, LoadedDocument) else None
    return FromTop(marks) if marks and is_from_top else marks


class FromTop:
    """The lines of a document, in files with their names from the top of their repository."""

    def __init__(self, marks: Marks) -> None:
        self._marks = marks

    def positions(self, pointers: Iterable[str]) -> Mapping[str, Position]:
        """The position of each of `pointers`."""
        positions = self._marks.positions(pointers)
        names = {position.file: git.from_top(position.file) for position in positions.values()}
        return {where: replace(position, file=names[position.file]) for where, position in positions.items()}
