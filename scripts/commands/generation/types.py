"""`interaction-reporting generate types`: types for clients, made from a contract or any OpenAPI 3.0 document."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from openapi.contract import ContractError
from openapi.generate.declarations import declarations
from openapi.generate.languages import python_types, typescript_types
from scripts.commands.generation.files import Check, File, Version, document_of, put


class Language(StrEnum):
    """A language of the types."""

    PYTHON = "python"
    TYPESCRIPT = "typescript"


_FILES = {
    Language.PYTHON: ("types.py", python_types.emit),
    Language.TYPESCRIPT: ("types.ts", typescript_types.emit),
}
HEAD = (
    "Types of {title} {version}, for requests and responses.\n\n"
    "`interaction-reporting generate types` made them from the document with the SHA-256 {digest}. Do not edit them."
)


def types(
    out: Annotated[Path, typer.Option(help="The directory for types.py and types.ts; created if absent.")],
    version: Version = None,
    file: File = None,
    language: Annotated[
        Language | None, typer.Option(help="One of python and typescript.", show_default="both")
    ] = None,
    check: Check = False,
) -> None:
    """Write the types of a document for Python and TypeScript: TypedDicts and interfaces, without a dependency."""
    source = document_of(version, file)
    info = source.document["info"]
    head = HEAD.format(title=info.get("title", ""), version=info.get("version", ""), digest=source.digest)
    try:
        declared = declarations(source)
    except ContractError as error:
        raise typer.BadParameter(str(error)) from None
    chosen = [language] if language else list(Language)
    put(out, {name: emit(declared, head) for name, emit in (_FILES[each] for each in chosen)}, check)
