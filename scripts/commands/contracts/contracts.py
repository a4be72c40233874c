"""`interaction-reporting contract`: the documents that govern the API."""

import dataclasses
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from db import contracts
from handlers.contracts.lifecycle import current_state, differences
from handlers.contracts.publications import instants
from handlers.contracts.serving_plan import ServedMajor, warnings
from handlers.operations import OPERATIONS
from openapi.contract import Contract, ContractError
from openapi.lint.rules import lint as findings_of
from scripts.commands.arguments import AsJSON
from scripts.commands.output import counted, note, show, with_short_digests
from scripts.service.databases import database
from scripts.service.settings import Settings


def list_(as_json: AsJSON = False) -> None:
    """List every contract in the database, with the digest of its current document."""
    with database(Settings.read()) as opened, opened.begin() as connection:
        rows = [_summary(row) for row in contracts.list_all(connection)]
    show(rows if as_json else [with_short_digests(row) for row in rows], as_json)


def show_(version: Annotated[str, typer.Argument(help="For instance 1.0.")], as_json: AsJSON = False) -> None:
    """Print the document of a version as it is stored; with --json, as JSON."""
    with database(Settings.read()) as opened, opened.begin() as connection:
        document = contracts.get(connection, version).document
    print(json.dumps(Contract.read(document).document, indent=2, ensure_ascii=False) if as_json else document, end="")


def status(as_json: AsJSON = False) -> None:
    """Show the served contracts, and how rows differ from their published digests and this release's documents.

    Exits 1 if a row cannot be served.
    """
    with database(Settings.read()) as opened, opened.begin() as connection:
        planned = current_state(connection)
        state = {"serves": [*_served(planned)], "faults": warnings(planned), "differences": differences(connection)}
    if as_json:
        show(state, as_json)
    else:
        show(state.pop("serves"), as_json)
        show(state, as_json)
    if state["faults"]:
        raise typer.Exit(1)


def lint(
    files: Annotated[
        list[Path], typer.Argument(help="OpenAPI 3.0 documents, YAML or JSON.", exists=True, dir_okay=False)
    ],
    as_json: AsJSON = False,
) -> None:
    """Check documents against the house rules. Exits 1 on any finding, an error or a warning."""
    findings = [
        {"file": str(file), **dataclasses.asdict(finding)}
        for file in files
        for finding in findings_of(Contract.of_file(file), OPERATIONS)
    ]
    if findings or as_json:
        show(findings, as_json)
    else:
        print(f"{counted(len(files), 'document keeps', 'documents keep')} every rule.")
    if findings:
        note(counted(len(findings), "finding", "findings"))
        raise typer.Exit(1)


def _summary(row: contracts.ContractRow) -> dict[str, Any]:
    """`row` with the digest of its document in place of the document, and True if the document was edited."""
    try:
        digest = Contract.read(row.document).digest
    except ContractError:
        digest = "not a contract"
    return {
        "contract_version": row.contract_version,
        "status": row.status,
        "digest": digest,
        "edited": digest != row.digest,
        **instants(row),
    }


def _served(planned: Sequence[ServedMajor]) -> Iterator[dict[str, Any]]:
    """The served contract of each major version, with its path, digest and dates."""
    for major in planned:
        contract, row = major.served and major.served.contract, major.document
        yield {
            "major": major.number,
            "path": major.path,
            "contract_version": contract and contract.version,
            "digest": contract and contract.digest,
            "deprecated_at": row and row.deprecated_at,
            "sunset_at": row and row.sunset_at,
        }
