"""`interaction-reporting generate types`: types for clients, made from a contract or any OpenAPI 3.0 document."""

from pathlib import Path
from typing import Annotated

import typer

from openapi.contract import ContractError
from openapi.generate import python_types, typescript_types
from openapi.generate.declarations import declarations
from scripts.commands.generation.files import Check, File, Version, document_of, put

HEAD = (
    "Types of {title} {version}, for requests and responses.\n\n"
    "`interaction-reporting generate types` made them from the document with the SHA-256 {digest}. Do not edit them."
)


def types(
    out: Annotated[Path, typer.Option(help="The directory for types.py and types.ts; created if absent.")],
    version: Version = None,
    file: File = None,
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
    files = {"types.py": python_types.emit(declared, head), "types.ts": typescript_types.emit(declared, head)}
    put(out, files, check)
