"""`interaction-reporting bench`: its figures count stored events, and it reports other responses."""

import json
import os
import re
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import psutil
import pytest
from typer.testing import CliRunner, Result

from scripts.cli import app
from scripts.service.demonstration import WIDGET
from scripts.trials.bench import NO_BREAKDOWN
from tests.answering import CREATED, answering, created
from tests.scripts.test_cli import COMMAND
from tests.service import Service

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("alone")]

KEY = "irk_a-key-of-no-hub"
MEASURING = "measuring the service at 2 connections for 0.3 seconds\n"
QUICK = ("--seconds", "0.3", "--warm-up", "0", "--rounds", "1", "--connections", "2")


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    """A file with a key of no hub."""
    file = tmp_path / "key"
    file.write_text(f"{KEY}\n")
    return file


def bench(url: str, key_file: Path, *options: str) -> Result:
    """The result of the command for the service at `url`."""
    return CliRunner().invoke(app, ["bench", "--url", url, "--key-file", str(key_file), *QUICK, *options])


def test_bench_counts_the_stored_events(
    start_service: Callable[..., AbstractContextManager[Service]], key_file: Path
) -> None:
    """Over two rounds for each number of connections there are as many 201 as rows; no output has the key."""
    with start_service() as service:
        key_file.write_text(service.key)
        result = bench(service.url, key_file, "--connections", "1,3", "--rounds", "2", "--json")
        stored = service.events()
    output = json.loads(result.stdout)
    assert result.exit_code == 0
    assert [row["connections"] for row in output["loads"]] == [2, 1, 3]
    assert sum(row["statuses"]["201"] for row in output["loads"]) == len(stored) > 0
    assert {str(event["widget_id"]) for event in stored} == {str(WIDGET)}
    for row in output["loads"]:
        assert row["requests"] == row["statuses"]["201"]
        assert 0 < row["p50_ms"] <= row["p95_ms"] <= row["p99_ms"] <= row["max_ms"]
        assert row["requests_per_second"] > 0
    assert service.key not in result.output


def test_bench_reports_a_wrong_key(service: Service, key_file: Path) -> None:
    """The command exits 1, and the error has the service's response, without the key."""
    result = bench(service.url, key_file)
    assert result.exit_code == 1
    assert re.search(r"error: service at 2 connections: [1-9]\d* answers were 401, not 201: '.*Bearer", result.stderr)
    assert "; does the key belong to an enabled hub?\n" in result.stderr
    assert KEY not in result.output


def test_bench_reports_an_unregistered_widget(service: Service, key_file: Path) -> None:
    """The events are about `--widget`: the service refuses an unregistered one, and the command exits 1."""
    key_file.write_text(service.key)
    result = bench(service.url, key_file, "--widget", "00000000-0000-0000-0000-000000000001")
    assert result.exit_code == 1
    assert "answers were 422, not 201" in result.stderr


def test_bench_reports_a_service_that_does_not_answer(key_file: Path) -> None:
    """The command exits 1, and the table and standard error have the number of cut connections."""
    with answering(hangs_up=True) as server:
        result = bench(server.url, key_file)
    assert result.exit_code == 1
    errors = re.search(r"error: service at 2 connections: (\d+) times closed", result.stderr)
    assert errors
    assert result.stdout.splitlines()[1].split() == ["service", "2", "0", errors[1]]
    assert "error: service at 2 connections: no request was answered\n" in result.stderr


def test_bench_hides_a_key_that_a_response_repeats(key_file: Path) -> None:
    """Neither the table's errors nor the JSON has it."""
    answer = b"HTTP/1.1 403 Forbidden\r\nContent-Length: %d\r\n\r\n%s" % (len(KEY), KEY.encode())
    with answering(answer) as server:
        results = [bench(server.url, key_file, *options) for options in ((), ("--json",))]
    assert [result.exit_code for result in results] == [1, 1]
    assert not any("a-key" in result.output for result in results)


def test_bench_shows_where_the_time_goes(key_file: Path) -> None:
    """If responses have the header there is a row for each metric, and one for the remainder."""
    with answering(created("Server-Timing: parse;dur=0.125, commit;dur=0.25")) as server:
        table, as_json = bench(server.url, key_file), bench(server.url, key_file, "--json")
    assert (table.exit_code, table.stderr) == (0, MEASURING)
    lines = [line.split() for line in table.stdout.splitlines()]
    assert lines[0] == ["connections", "req/s", "p50", "ms", "p95", "ms", "p99", "ms", "errors"]
    assert ["parse", "0.125"] in [line[:2] for line in lines]
    parts = json.loads(as_json.stdout)["breakdown"]
    assert [(part["part"], part["mean_ms"]) for part in parts[:2]] == [("parse", 0.125), ("commit", 0.25)]
    assert parts[2]["part"] == "network and waiting"
    assert sum(part["share"] for part in parts) == pytest.approx(1)


def test_without_the_header_bench_names_the_setting(key_file: Path) -> None:
    """There is only the table, and one line on standard error names the setting."""
    with answering(CREATED) as server:
        result = bench(server.url, key_file)
    assert (result.exit_code, result.stderr) == (0, MEASURING + NO_BREAKDOWN + "\n")
    assert len(result.stdout.splitlines()) == 2


@pytest.mark.parametrize(
    ("options", "words"),
    [
        pytest.param(("--url", "http://127.0.0.1:1"), "--key-file", id="no key"),
        pytest.param(("--url", "http://127.0.0.1:1", "--key-file", "KEY", "--peer"), "--peer", id="no peer"),
        pytest.param(("--url", "https://host", "--key-file", "KEY"), "http://host:port", id="TLS"),
        pytest.param(("--url", "http://host/api/v1", "--key-file", "KEY"), "http://host:port", id="a path"),
        pytest.param(("--url", "http://user@host", "--key-file", "KEY"), "http://host:port", id="a user"),
        pytest.param(("--url", "http://host:65536", "--key-file", "KEY"), "http://host:port", id="no port"),
        pytest.param(("--connections", "1,0"), "--connections is 1,0", id="no connections"),
        pytest.param(("--connections", "many"), "--connections is many", id="no number"),
        pytest.param(("--url", "http://127.0.0.1:1", "--key-file", "EMPTY"), "holds no key", id="an empty file"),
    ],
)
def test_misuse_exits_with_2(options: tuple[str, ...], words: str, key_file: Path) -> None:
    """The error names the fault before anything is measured."""
    (empty := key_file.with_name("empty")).touch()
    files = {"KEY": str(key_file), "EMPTY": str(empty)}
    result = CliRunner().invoke(app, ["bench", *(files.get(option, option) for option in options)])
    assert result.exit_code == 2
    assert words in " ".join(result.stderr.replace("│", " ").split())


def test_sigterm_ends_every_process_of_a_bench(directory: Path) -> None:
    """SIGTERM, for instance from `timeout`, leaves no service, no PostgreSQL and no data behind.

    The command ignores SIGINT, as shells make commands do that they start in the background.
    """

    def running() -> list[psutil.Process]:
        processes = psutil.process_iter(["cmdline"])
        return [process for process in processes if str(directory) in " ".join(process.info["cmdline"] or [])]

    command = [str(COMMAND), "bench", "--seconds", "60"]
    environment = os.environ | {"TMPDIR": str(directory)}
    command = ["sh", "-c", "trap '' INT; exec \"$@\"", "-", *command]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as bench:
        assert bench.stderr
        while "measuring" not in bench.stderr.readline():
            assert bench.poll() is None
        assert running()
        bench.terminate()
        assert bench.wait(300) != 0  # the supervisor of workers may take two minutes
    assert (running(), [*directory.glob("interaction-reporting-*")]) == ([], [])


def test_bench_compares_a_fresh_service_with_its_peer() -> None:
    """Without a URL the command starts a service and its peer, and both answer; no output has a key."""
    command = [str(COMMAND), "bench", "--workers", "1", "--peer", "--json", "--connections", "8"]
    command += ["--seconds", "1", "--rounds", "1", "--warm-up", "0.2"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    output = json.loads(done.stdout)
    rates = {row["service"]: row["requests_per_second"] for row in output["loads"]}
    assert rates.keys() == {"service", "peer"}
    assert all(row["statuses"].keys() == {"201"} and row["errors"] == {} for row in output["loads"])
    assert output["ratios"] == [{"connections": 8, "ratio": rates["service"] / rates["peer"]}]
    parts = {part["part"]: part["mean_ms"] for part in output["breakdown"]}
    laps = ["authenticate", "parse", "validate", "handle", "queue", "commit", "answer"]
    assert [*parts] == [*laps, "network and waiting"]
    assert all(milliseconds > 0 for milliseconds in parts.values())
    assert "irk_" not in done.stdout + done.stderr
