"""What the commands that generate code share: the document that they read, and the files that they write or check."""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from openapi.contract import LARGE, Document
from scripts.commands.arguments import document
from scripts.commands.loading import load
from scripts.commands.output import note

STORED = "scripts.commands.contracts.stored_contracts:open_contracts"
"""Loaded only for a version: a file needs no database."""

Version = Annotated[str | None, typer.Option(help="A version in the database, such as 1.1.")]
File = Annotated[Path | None, typer.Option("--document", help="An OpenAPI 3.0 document, YAML or JSON.")]
Check = Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 if a file would change.")]


def document_of(version: str | None, file: Path | None) -> Document:
    """The document that the options name; BadParameter unless they name one."""
    if (version is None) == (file is None):
        raise typer.BadParameter("give one of --version and --document")
    with ExitStack() as stack:
        name = version or str(file and file.absolute())  # so that a file named 1.0 is no version
        return document(name, lambda path: Document.of_file(path, LARGE), lambda: stack.enter_context(load(STORED)()))


def put(out: Path, files: Mapping[str, str], check: bool) -> None:
    """Write the files to the directory `out`, which is created if absent, and print what became of each.

    With `check` nothing is written; exit 1 if a file would change.
    """
    put_bytes(out, {name: text.encode() for name, text in files.items()}, check)


def put_bytes(out: Path, files: Mapping[str, bytes], check: bool) -> None:
    """Like `put`, for files that are no text."""
    differing = [name for name, content in files.items() if _read(out / name) != content]
    if not check:
        for name in differing:
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            (out / name).write_bytes(files[name])
    for name in files:
        print(f"{out / name}: {'unchanged' if name not in differing else 'differs' if check else 'written'}")
    if check and differing:
        note("The document gives other files: run the command without --check.")
        raise typer.Exit(1)


def _read(path: Path) -> bytes | None:
    """The bytes of a file; None if there is none."""
    try:
        return path.read_bytes()
    except OSError:
        return None
