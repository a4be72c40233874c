"""`interaction-reporting fuzz`: Schemathesis against a fresh service, every phase and every check on."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from db import oauth_clients
from openapi.contract import Contract, published
from openapi.oauth.server_metadata import TOKEN
from scripts.commands.output import note
from scripts.service.databases import connected
from scripts.service.demonstration import HUB
from scripts.service.settings import Settings
from scripts.trials.fresh_service import Service, fresh_service

CONFIGURATION = Path(__file__).with_name("fuzz.toml")
TOKEN_SECONDS = 20
"""Short, so that tokens are renewed during the run."""
DATABASE_SECONDS = 60
"""Long, so that the database of a busy machine is slow and not unavailable."""
SETTINGS = {"IR_OAUTH_TOKEN_SECONDS": str(TOKEN_SECONDS), "IR_DATABASE_TIMEOUT": str(DATABASE_SECONDS)}


def fuzz(
    report_dir: Annotated[Path, typer.Option(help="The directory of the JUnit and HTML reports.")] = Path(
        "fuzz-report"
    ),
    max_examples: Annotated[int, typer.Option(help="Examples of the fuzzing phase for each operation.", min=1)] = 200,
    seed: Annotated[int | None, typer.Option(help="Repeat the run that printed this seed.")] = None,
    versions: Annotated[
        list[str] | None, typer.Option("--contract", help="Only this version; the option may be repeated.")
    ] = None,
) -> None:
    """Fuzz a fresh service against each contract of this release in turn. Exits 1 if the service breaks a contract."""
    if importlib.util.find_spec("schemathesis") is None:
        note("error: Schemathesis is not installed; run scripts/install test")
        raise typer.Exit(2)
    options = ["--max-examples", str(max_examples)] + (["--seed", str(seed)] if seed is not None else [])
    contracts = {contract.version: contract for contract in published()}
    if unknown := set(versions or ()) - contracts.keys():
        raise typer.BadParameter(f"--contract is {unknown.pop()}; this release has {', '.join(contracts)}")
    verdicts = []
    for contract in [contracts[version] for version in versions or contracts]:
        with fresh_service(contract=contract.version, **SETTINGS) as service:
            key = _client(service, contract) if contract.scopes else service.key
            verdicts.append(keeps_its_promises(contract, service.url, key, report_dir, *options))
    if not all(verdicts):
        raise typer.Exit(1)


def keeps_its_promises(contract: Contract, url: str, key: str, report_dir: Path, *options: str) -> bool:
    """True if Schemathesis finds that the service at `url` keeps `contract`. It prints its progress and writes reports.

    `key` is a hub's API key or, if the contract requires access tokens, the id of a client, a colon and its secret. The
    widget of the contract's examples must be registered.
    """
    reports = report_dir / contract.version
    reports.mkdir(parents=True, exist_ok=True)
    document = reports / "contract.yaml"
    document.write_text(contract.text)
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIGURATION), "run", str(document)]
    command += ["--url", url + contract.document["servers"][0]["url"]]
    command += ["--report", "junit,html", "--report-dir", str(reports)]
    credentials = {"FUZZ_KEY": key, "FUZZ_TOKEN_URL": url + TOKEN if contract.scopes else ""}
    return subprocess.run([*command, *options], env=os.environ | credentials, check=False).returncode == 0  # noqa: S603


def _client(service: Service, contract: Contract) -> str:
    """A client of the demo's hub with every scope of `contract`: its id and its secret."""
    with connected(Settings(data_dir=service.data_dir)) as opened, opened.begin() as connection:
        client, secret = oauth_clients.issue(connection, HUB, contract.scopes)
    return f"{client.client_id}:{secret}"
