"""`interaction-reporting fuzz --url`: what it says of a running service, and what it leaves behind."""

import functools
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from handlers.operations import OPERATIONS
from openapi.protocol.connection import HTTPConnection
from openapi.serving.messages import Answer, Request
from scripts.cli import app
from tests.examples import MAJOR, NEWEST
from tests.service import Service
from tests.test_layers import ROOT
from tests.tokens import client_of
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

StartService = Callable[..., AbstractContextManager[Service]]


def options(service: Service, directory: Path) -> list[str]:
    """The options of a short run, with the credentials in files, as README says."""
    client = client_of(service)
    (key_file := directory / "key.json").write_text(json.dumps({"api_key": service.key}))
    members = {"client_id": client.client_id, "client_secret": client.secret}
    (client_file := directory / "client.json").write_text(json.dumps(members))
    files = ["--key-file", str(key_file), "--client-file", str(client_file), "--report-dir", str(directory / "reports")]
    return ["--url", service.url, *files, "--phase", "examples"]


def secrets(directory: Path) -> list[str]:
    """The secrets in the files of `options`."""
    read = {name: value for file in directory.glob("*.json") for name, value in json.loads(file.read_text()).items()}
    return [read["api_key"], read["client_secret"]]


def test_each_contract_of_a_running_service_is_fuzzed(start_service: StartService, tmp_path: Path) -> None:
    """The run exits 0, and writes reports of each contract."""
    with start_service(IR_LOG_LEVEL="error") as service:
        result = CliRunner().invoke(app, ["fuzz", *options(service, tmp_path)])
        assert service.events()
    assert result.exit_code == 0, result.output
    assert f"This run writes to {service.url}" in result.stderr
    for version in (NEWEST, MAJOR):
        assert f"contract {version}: the service keeps it" in result.stderr
        assert list((tmp_path / "reports" / version).glob("junit-*.xml"))


def test_a_broken_promise_of_a_running_service_is_found(
    start_service: StartService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A status that the document does not have: the run exits 1, names the contract, and shows no secret."""
    original = OPERATIONS.handler("reportInteractionEvent")

    @functools.wraps(original)
    async def create(request: Request) -> Answer:
        return Answer(202, (await original(request)).body)

    monkeypatch.setitem(OPERATIONS.handlers, "reportInteractionEvent", create)
    with start_service(IR_LOG_LEVEL="error") as service:
        result = CliRunner().invoke(app, ["fuzz", *options(service, tmp_path), "--contract", NEWEST])
    assert result.exit_code == 1
    assert f"contract {NEWEST}: the service breaks it" in result.stderr
    reports = [path.read_text() for path in (tmp_path / "reports").rglob("*") if path.is_file()]
    assert any("curl -X POST" in text for text in reports)
    for secret in secrets(tmp_path):
        assert not any(secret in text for text in [*reports, result.output])


def test_a_broken_connection_is_no_broken_promise(
    start_service: StartService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connections of one operation break without an answer: the run exits 3, and says how often."""
    begin = HTTPConnection._begin_request

    def break_or_begin(connection: HTTPConnection, method: bytes, version: str) -> None:
        if method == b"POST" and connection.url.endswith(b"/annotations"):
            connection.transport.abort()
        begin(connection, method, version)

    monkeypatch.setattr(HTTPConnection, "_begin_request", break_or_begin)
    with start_service(IR_LOG_LEVEL="error") as service:
        result = CliRunner().invoke(app, ["fuzz", *options(service, tmp_path), "--contract", NEWEST])
    assert result.exit_code == 3
    assert f"contract {NEWEST}: no answer breaks it, but the service left a request without an answer" in result.stderr
    assert "times no answer. The first: Network Error" in result.stderr


def test_a_part_that_was_not_tested_is_reported(start_service: StartService, tmp_path: Path) -> None:
    """The rate limit of the hub refuses most requests: the run exits 3, although no answer breaks the contract."""
    with start_service(IR_LOG_LEVEL="error", IR_RATE_LIMIT="1", IR_RATE_BURST="10") as service:
        result = CliRunner().invoke(app, ["fuzz", *options(service, tmp_path), "--contract", NEWEST])
    assert result.exit_code == 3
    assert f"contract {NEWEST}: no answer breaks it, but a part of it was not tested" in result.stderr


def command_lines() -> list[str]:
    """The command lines of all processes of this user, as every user may read them."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(path.read_text().replace("\0", " "))
        except OSError:
            continue  # it has ended
    return lines


def test_a_run_may_be_interrupted(start_service: StartService, tmp_path: Path) -> None:
    """After SIGINT it ends Schemathesis, exits 130 and names the reports. No command line has a secret before that."""
    with start_service(IR_LOG_LEVEL="error") as service:
        # A shell starts background processes with SIGINT ignored, perhaps this one too.
        heeding = ["env", "--default-signal=INT"]
        command = [*heeding, sys.executable, "-m", "scripts.cli", "fuzz", *options(service, tmp_path)]
        (junit := tmp_path / "reports" / NEWEST).mkdir(parents=True)
        with subprocess.Popen([*command, "--phase", "fuzzing"], cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
            try:
                running = functools.partial(has_command, f"--report-dir {junit}")
                wait_until(running)
                wait_until(service.events)
                shown = command_lines()
                process.send_signal(signal.SIGINT)
                _, printed = process.communicate(timeout=120)
            finally:
                process.kill()
    assert process.returncode == 130
    assert f"interrupted; the reports of what was done are in {tmp_path / 'reports'}" in " ".join(printed.split())
    assert not any(secret in line for secret in secrets(tmp_path) for line in shown)
    assert not running()


def has_command(text: str) -> bool:
    """True if a process has `text` in its command line."""
    return any(text in line for line in command_lines())
