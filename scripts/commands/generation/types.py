"""`interaction-reporting generate types`: code for clients, made from a contract or any OpenAPI 3.0 document."""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from openapi.contract import LARGE, ContractError, Document
from openapi.generate import python_types, typescript_types
from openapi.generate.declarations import declarations
from scripts.commands.arguments import document
from scripts.commands.loading import load
from scripts.commands.output import note

STORED = "scripts.commands.contracts.stored_contracts:open_contracts"
"""Loaded only for a version: a file needs no database."""
HEAD = (
    "Types of {title} {version}, for requests and responses.\n\n"
    "`interaction-reporting generate types` made them from the document with the SHA-256 {digest}. Do not edit them."
)


def types(
    out: Annotated[Path, typer.Option(help="The directory for types.py and types.ts; created if absent.")],
    version: Annotated[str | None, typer.Option(help="A version in the database, such as 1.1.")] = None,
    file: Annotated[Path | None, typer.Option("--document", help="An OpenAPI 3.0 document, YAML or JSON.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 if a file would change.")] = False,
) -> None:
    """Write the types of a document for Python and TypeScript: TypedDicts and interfaces, without a dependency."""
    if (version is None) == (file is None):
        raise typer.BadParameter("give one of --version and --document")
    files = files_of(_document(version, file))
    differing = [name for name, text in files.items() if _read(out / name) != text]
    if not check:
        out.mkdir(parents=True, exist_ok=True)
        for name in differing:
            (out / name).write_text(files[name], encoding="utf-8")
    for name in files:
        print(f"{out / name}: {'unchanged' if name not in differing else 'differs' if check else 'written'}")
    if check and differing:
        note("The document gives other files: run the command without --check.")
        raise typer.Exit(1)


def files_of(source: Document) -> Mapping[str, str]:
    """The files with the types of a document, by name; BadParameter if it has what no type can say."""
    info = source.document["info"]
    head = HEAD.format(title=info.get("title", ""), version=info.get("version", ""), digest=source.digest)
    try:
        declared = declarations(source)
    except ContractError as error:
        raise typer.BadParameter(str(error)) from None
    return {"types.py": python_types.emit(declared, head), "types.ts": typescript_types.emit(declared, head)}


def _document(version: str | None, file: Path | None) -> Document:
    with ExitStack() as stack:
        name = version or str(file and file.absolute())  # so that a file named 1.0 is no version
        return document(name, lambda path: Document.of_file(path, LARGE), lambda: stack.enter_context(load(STORED)()))


def _read(path: Path) -> str | None:
    """The text of a file; None if there is none."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
