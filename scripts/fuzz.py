"""`interaction-reporting fuzz`: Schemathesis against a fresh service, every phase and every check on."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from openapi.contract import published
from scripts.fresh_service import fresh_service
from scripts.output import note

CONFIGURATION = Path(__file__).with_name("fuzz.toml")


def fuzz(
    report_dir: Annotated[Path, typer.Option(help="Where the JUnit and HTML reports go.")] = Path("fuzz-report"),
    max_examples: Annotated[int, typer.Option(help="Examples of the fuzzing phase for each operation.", min=1)] = 200,
    seed: Annotated[int | None, typer.Option(help="Repeat the run that printed this seed.")] = None,
) -> None:
    """Fuzz a fresh service against its contract. Exits 1 if a promise was broken."""
    if importlib.util.find_spec("schemathesis") is None:
        note("error: Schemathesis is not installed; run scripts/install test")
        raise typer.Exit(2)
    with fresh_service() as service:
        for contract in published():
            document = service.data_dir / f"{contract.version}.yaml"
            document.write_text(contract.text)
            base = service.url + contract.document["servers"][0]["url"]
            command = [
                sys.executable,
                "-m",
                "schemathesis.cli",
                "--config-file",
                str(CONFIGURATION),
                "run",
                str(document),
            ]
            command += ["--url", base, "--max-examples", str(max_examples)]
            command += ["--report", "junit,html", "--report-dir", str(report_dir / contract.version)]
            command += ["--seed", str(seed)] if seed is not None else []
            status = subprocess.run(command, env=os.environ | {"FUZZ_KEY": service.key}, check=False).returncode  # noqa: S603
            if status:
                raise typer.Exit(1)
