"""A run of Schemathesis against a service: its command, and what its report says of the service."""

import os
import signal
import subprocess
import sys
import xml.etree.ElementTree as ET
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path

from openapi.contract import Contract
from openapi.oauth.server_metadata import TOKEN
from scripts.commands.output import note
from scripts.service.demonstration import WIDGET

CONFIGURATION = Path(__file__).with_name("fuzz.toml")
INTERRUPTED = 130
"""The exit status after Ctrl-C, of Schemathesis and of `fuzz`."""
PATIENCE_SECONDS = 3
"""Schemathesis has as long to write its reports after Ctrl-C before another signal."""
UNANSWERED = ("Network Error", "Server Unavailable")
"""The first lines of errors that say that the service did not answer."""


class Verdict(Enum):
    """What a run says of the service."""

    KEPT = auto()
    BROKEN = auto()
    """An answer broke the contract."""
    UNANSWERED = auto()
    """No answer broke the contract, but a request was not answered: a time-out, or a broken connection."""
    INCOMPLETE = auto()
    """No answer broke the contract, but Schemathesis could not test all of it."""


@dataclass(frozen=True)
class Subject:
    """A service to fuzz: its URL, the credentials for it, and what events may name there.

    `key` is a hub's API key or, if the contract requires access tokens, the id of a client, a colon and its secret.
    """

    url: str
    key: str = field(repr=False)
    widget_id: str = str(WIDGET)
    event_type: str = "clicked"


def judged(contract: Contract, subject: Subject, report_dir: Path, *options: str) -> Verdict:
    """The verdict of Schemathesis on `subject` under `contract`. It prints its progress, and reports are written.

    Errors other than broken promises are noted. KeyboardInterrupt on Ctrl-C, after the reports are written.
    """
    reports = report_dir / contract.version
    reports.mkdir(parents=True, exist_ok=True)
    document = reports / "contract.yaml"
    document.write_text(contract.text)
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIGURATION), "run", str(document)]
    command += ["--url", subject.url + contract.server_path]
    command += ["--report", "junit,html", "--report-dir", str(reports), *options]
    before = set(reports.glob("junit-*.xml"))
    status = _status_of(command, _environment(contract, subject))
    if status == INTERRUPTED:
        raise KeyboardInterrupt
    return Verdict.KEPT if status == 0 else verdict_of(contract, set(reports.glob("junit-*.xml")) - before)


def _environment(contract: Contract, subject: Subject) -> dict[str, str]:
    """The variables of the hooks. A command line would show the credentials to every user of the machine."""
    variables = {
        "FUZZ_KEY": subject.key,
        "FUZZ_TOKEN_URL": subject.url + TOKEN if contract.scopes else "",
        "FUZZ_WIDGET": subject.widget_id,
        "FUZZ_EVENT_TYPE": subject.event_type,
    }
    if authorities := os.environ.get("SSL_CERT_FILE"):  # requests, which Schemathesis uses, has a variable of its own
        variables["REQUESTS_CA_BUNDLE"] = os.environ.get("REQUESTS_CA_BUNDLE", authorities)
    return os.environ | variables


def _status_of(command: list[str], environment: dict[str, str]) -> int:
    """The exit status of `command`; on Ctrl-C it has time to end by itself."""
    process = subprocess.Popen(command, env=environment)  # noqa: S603
    try:
        return process.wait()
    except KeyboardInterrupt:
        _end(process)
        raise


def _end(process: subprocess.Popen[bytes]) -> None:
    """End `process`, which a terminal has told of Ctrl-C, but `kill` has not."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        with suppress(subprocess.TimeoutExpired):
            process.wait(PATIENCE_SECONDS)
            return
        process.send_signal(number)
    process.wait()


def verdict_of(contract: Contract, reports: set[Path]) -> Verdict:
    """The verdict of a run that did not pass, from its JUnit `reports`; one that is not whole says nothing."""
    suites: list[ET.Element] = []
    for report in reports:
        with suppress(ET.ParseError):  # Schemathesis was killed
            suites.append(ET.parse(report).getroot())  # noqa: S314 (Schemathesis wrote it)
    errors = [error.text or "" for suite in suites for error in suite.iterfind(".//error")]
    unanswered = [error for error in errors if error.startswith(UNANSWERED)]
    if unanswered:
        note(f"contract {contract.version}: {len(unanswered)} times no answer. The first: {_summary(unanswered[0])}")
    for error in errors:
        if error not in unanswered:
            note(f"contract {contract.version}: not tested: {_summary(error)}")
    if any(suite.find(".//failure") is not None for suite in suites):
        return Verdict.BROKEN
    return Verdict.UNANSWERED if unanswered else Verdict.INCOMPLETE


def _summary(error: str) -> str:
    """The lines of `error` before the command that repeats the request, as one line."""
    text = error.partition("Reproduce with:")[0].partition(" Last request before")[0]
    return " ".join(text.split())[:300]
