"""`interaction-reporting fuzz`: Schemathesis against a fresh or a running service, every phase and every check on."""

import importlib.util
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import httpx
import typer

from db import oauth_clients
from openapi.contract import Contract, published
from scripts.commands.output import note
from scripts.service.databases import connected
from scripts.service.demonstration import HUB
from scripts.service.settings import Settings
from scripts.trials import credentials
from scripts.trials.fresh_service import Service, fresh_service
from scripts.trials.running_service import TIMEOUT_SECONDS, RunningService, UnusableError, origin
from scripts.trials.schemathesis_run import INTERRUPTED, Subject, Verdict, judged

TOKEN_SECONDS = 20
"""Short, so that tokens are renewed during the run."""
DATABASE_SECONDS = 60
"""Long, so that the database of a busy machine is slow and not unavailable."""
SETTINGS = {"IR_OAUTH_TOKEN_SECONDS": str(TOKEN_SECONDS), "IR_DATABASE_TIMEOUT": str(DATABASE_SECONDS)}
EXIT_STATUSES = {Verdict.BROKEN: 1, Verdict.UNANSWERED: 3, Verdict.INCOMPLETE: 3}
SENTENCES = {
    Verdict.KEPT: "the service keeps it",
    Verdict.BROKEN: "the service breaks it",
    Verdict.UNANSWERED: "no answer breaks it, but the service left a request without an answer",
    Verdict.INCOMPLETE: "no answer breaks it, but a part of it was not tested",
}

WARNING = (
    "This run writes to {url}: events, annotations and rejected submissions of the hub, and it replaces the hub's "
    "manifest, which registers event types and widgets. Use a test hub."
)


class Phase(StrEnum):
    """A phase of Schemathesis."""

    EXAMPLES = "examples"
    COVERAGE = "coverage"
    FUZZING = "fuzzing"
    STATEFUL = "stateful"


def fuzz(  # noqa: PLR0913, PLR0917 (its options)
    report_dir: Annotated[Path, typer.Option(help="The directory of the JUnit and HTML reports.")] = Path(
        "fuzz-report"
    ),
    max_examples: Annotated[int, typer.Option(help="Examples of the fuzzing phase for each operation.", min=1)] = 200,
    seed: Annotated[int | None, typer.Option(help="Repeat the run that printed this seed.")] = None,
    versions: Annotated[
        list[str] | None, typer.Option("--contract", help="Only this version; the option may be repeated.")
    ] = None,
    phases: Annotated[
        list[Phase] | None, typer.Option("--phase", help="Only this phase; the option may be repeated.")
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="A running service, as https://host. The run writes to it: use a test hub.")
    ] = None,
    key_file: Annotated[
        Path | None, typer.Option(help="A file with a hub's API key, for --url.", exists=True, dir_okay=False)
    ] = None,
    client_file: Annotated[
        Path | None,
        typer.Option(
            help="A file with a client of every scope, as `hub issue-client --json` prints it, for --url.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
) -> None:
    """Fuzz a running service (--url), or a fresh one that is discarded afterwards, against each contract in turn.

    With --url, events, annotations, manifests and rejected submissions stay in that service: use a test hub.
    Exits 1 if an answer breaks a contract, 3 if none does but a request was not answered or a part was not tested,
    2 if nothing can be fuzzed.
    """
    if importlib.util.find_spec("schemathesis") is None:
        note("error: Schemathesis is not installed; run scripts/install test")
        raise typer.Exit(2)
    options = ["--max-examples", str(max_examples)] + (["--seed", str(seed)] if seed is not None else [])
    if phases:
        options += ["--phases", ",".join(phases)]
    if url is not None:
        subjects = _running(origin(url), versions, key_file, client_file)
    elif key_file or client_file:
        raise typer.BadParameter("--key-file and --client-file need --url")
    else:
        subjects = _fresh(versions)
    try:
        verdicts = [_noted(contract, judged(contract, subject, report_dir, *options)) for contract, subject in subjects]
    except UnusableError as error:
        note(f"error: {error}")
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        note(f"interrupted; the reports of what was done are in {report_dir}")
        raise typer.Exit(INTERRUPTED) from None
    if statuses := [EXIT_STATUSES[verdict] for verdict in verdicts if verdict is not Verdict.KEPT]:
        raise typer.Exit(min(statuses))


def _fresh(versions: list[str] | None) -> Iterator[tuple[Contract, Subject]]:
    """For each contract of the release, or of `versions`, a fresh service under it."""
    contracts = {contract.version: contract for contract in published()}
    for version in _chosen(versions, contracts, "this release has"):
        with fresh_service(contract=version, **SETTINGS) as service:
            contract = contracts[version]
            key = _client(service, contract) if contract.scopes else service.key
            yield contract, Subject(service.url, key)


def _running(
    url: str, versions: list[str] | None, key_file: Path | None, client_file: Path | None
) -> Iterator[tuple[Contract, Subject]]:
    """For each contract that the service at `url` serves, or of `versions`, the service; UnusableError if it is none.

    Nothing is written before the service has accepted the credentials for every contract.
    """
    key = credentials.api_key(key_file) if key_file else None
    client = credentials.client(client_file) if client_file else None
    if key is None and client is None:
        raise typer.BadParameter(f"--url needs --key-file FILE, which {credentials.MAKES_KEY} makes, or --client-file")
    with httpx.Client(timeout=TIMEOUT_SECONDS) as http:
        service = RunningService(url, http)
        paths = service.served()
        contracts = [service.contract(paths[version]) for version in _chosen(versions, paths, f"{url} serves")]
        keys = [_needed(contract, key, client) for contract in contracts]
        subjects = [service.subject(contract, needed) for contract, needed in zip(contracts, keys, strict=True)]
    note(WARNING.format(url=url))
    yield from zip(contracts, subjects, strict=True)


def _chosen(versions: list[str] | None, known: Iterable[str], owner: str) -> list[str]:
    """`versions`, or all that are `known`; BadParameter if one is not."""
    if unknown := [version for version in versions or () if version not in known]:
        raise typer.BadParameter(f"--contract is {unknown[0]}; {owner} {', '.join(known)}")
    return list(dict.fromkeys(versions or known))


def _needed(contract: Contract, key: str | None, client: str | None) -> str:
    """The credentials that `contract` needs; BadParameter if there are none."""
    if contract.scopes:
        option, needed = "--client-file", client
        command = credentials.MAKES_CLIENT.replace("SCOPES", " ".join(contract.scopes))
    else:
        option, needed, command = "--key-file", key, credentials.MAKES_KEY
    if needed is None:
        raise typer.BadParameter(
            f"contract {contract.version} needs {option} FILE, which {command} makes; "
            "--contract chooses another version"
        )
    return needed


def _noted(contract: Contract, verdict: Verdict) -> Verdict:
    """`verdict`, after a sentence about it."""
    note(f"contract {contract.version}: {SENTENCES[verdict]}")
    return verdict


def _client(service: Service, contract: Contract) -> str:
    """A client of the demo's hub with every scope of `contract`: its id and its secret."""
    with connected(Settings(data_dir=service.data_dir)) as opened, opened.begin() as connection:
        client, secret = oauth_clients.issue(connection, HUB, contract.scopes)
    return f"{client.client_id}:{secret}"
