"""`interaction-reporting contract draft`: the next version of a contract, made from an earlier one and overlays."""

import shlex
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import typer

from openapi.contract import Contract, ContractError
from openapi.diff.reports.report import Report
from openapi.diff.rules import Severity
from openapi.overlays.draft import draft as drafted
from openapi.overlays.overlay import Overlay
from scripts.commands import whole_files
from scripts.commands.arguments import document, version_of
from scripts.commands.loading import load

STORED = "scripts.commands.contracts.stored_contracts:open_contracts"
"""Loaded only for a version: a draft of a file is made without the database's libraries."""


def draft(
    version: Annotated[str, typer.Argument(help="The version of the draft, for instance 1.2.", parser=version_of)],
    base: Annotated[str, typer.Option("--from", help="A file, or a version in the database such as 1.1.")],
    overlay: Annotated[
        list[Path], typer.Option(help="A file with an OpenAPI Overlay 1.0; more are applied in their order.")
    ],
    output: Annotated[
        Path | None, typer.Option(help="The file to write; unset: draft-VERSION.yaml, or .json.", dir_okay=False)
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file if it exists.")] = False,
) -> None:
    """Write the document of a new version: an earlier one, in its layout, changed by overlays. It stores nothing."""
    overlays = [_overlay(path) for path in overlay]
    with ExitStack() as stack:
        stored: Any = cache(lambda: stack.enter_context(load(STORED)()))
        before = document(base, Contract.of_file, stored)
        if stored.cache_info().currsize:
            stored().require_new(version)
    if tuple(map(int, version.split("."))) <= before.numbers:
        raise typer.BadParameter(f"version {version} is not higher than {before.version}, the base")
    after = drafted(before, version, overlays)
    file = output or Path(f"draft-{version}.{'json' if after.is_json else 'yaml'}")
    _write(file, after.text, force)
    _show(Report.of(before, after, (base, version)), before, after, file)


def _overlay(path: Path) -> Overlay:
    try:
        return Overlay.of_file(path)
    except OSError as error:
        raise typer.BadParameter(f"{path}: {error.strerror}") from None


def _write(file: Path, text: str, force: bool) -> None:
    """Write `text` as a whole, or nothing; ContractError if the file exists, unless `force`."""
    if file.exists() and not force:
        raise ContractError(f"{file} exists: choose another --output, or overwrite it with --force")
    whole_files.write(file, text)


def _show(report: Report, before: Contract, after: Contract, file: Path) -> None:
    name = shlex.quote(str(file))
    print(f"{file}: {report.title}" + (f" ({report.summary})" if report.findings else ""))
    print(f"Next: interaction-reporting contract lint {name}")
    if report.severity is Severity.MAJOR and after.major == before.major:
        print(f"publish will refuse it as {after.version}: a major change needs {before.major + 1}.0, in another draft")
    else:
        print(f"      interaction-reporting contract publish {name}")
