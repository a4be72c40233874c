"""`interaction-reporting mock` as a process."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path
from typing import IO, Any

import httpx
import psutil
import pytest

from scripts.mock.control import ACCEPTED, FAULTS
from tests.examples import EVENT
from tests.readmes import blocks
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

pytest_plugins = ["tests.databases"]


@contextmanager
def started(temporary: Path, *options: str) -> Iterator[tuple["subprocess.Popen[str]", IO[str]]]:
    """The process of a mock that makes its directories in `temporary`, and its standard output."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("IR_")}
    # A database that a mock must never touch.
    environment |= {"TMPDIR": str(temporary), "IR_DATABASE_URL": "postgresql://me@127.0.0.1:1/production"}
    command = [sys.executable, "-m", "scripts.cli", "mock", *options]
    with (temporary / "log").open("w") as log:
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=log, text=True)
    assert process.stdout
    try:
        yield process, process.stdout
    finally:
        process.kill()
        process.stdout.close()
        process.wait()


def directories(temporary: Path) -> list[Path]:
    """The directories that are in `temporary`."""
    return [path for path in temporary.iterdir() if path.is_dir()]


def token(created: dict[str, Any]) -> str:
    """An access token of the client that the mock has created."""
    answer = httpx.post(
        created["token_url"],
        data={"grant_type": "client_credentials"},
        auth=(created["client_id"], created["client_secret"]),
        timeout=60,  # the first request waits until the service has started
    )
    return str(answer.json()["access_token"])


def readme_options() -> list[str]:
    """The options of the command in README, on a free port, because others may use its own."""
    (command,) = (
        line
        for block in blocks("For integrators")
        for line in block.splitlines()
        if line.startswith("interaction-reporting mock")
    )
    return command.replace("8081", "0").split()[2:]


def test_a_program_reads_one_line_and_reports(directory: Path) -> None:
    """With the command in README: the key works in version 1, the client in version 2, and so do named event types.

    SIGTERM ends the mock, also while a request has a long fault, and leaves no file and no process behind.
    """
    with started(directory, *readme_options(), "--event-type", "rated", "--event-type", "clicked") as (process, output):
        created = json.loads(output.readline())
        assert created["url"].startswith("http://127.0.0.1:")
        assert {"rated", "clicked", "viewed"} <= set(created["event_types"])
        event = EVENT | {"event_type": "rated", "widget_id": created["widget_id"]}
        for version, bearer in {"v1": created["api_key"], "v2": token(created)}.items():
            url = f"{created['url']}/api/{version}/interaction-events"
            answer = httpx.post(url, json=event, headers={"Authorization": f"Bearer {bearer}"})
            assert answer.status_code == 201
        assert len(httpx.get(created["url"] + ACCEPTED).json()["interaction_events"]) == 2
        httpx.post(created["url"] + FAULTS, json=[{"kind": "delay", "seconds": 600}])
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(created["url"], timeout=0.2)
        (data,) = directories(directory)
        postmaster = int((data / "postgresql" / "postmaster.pid").read_text().split()[0])
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        assert output.read() == ""
    assert directories(directory) == []
    wait_until(lambda: not psutil.pid_exists(postmaster), 10)
    assert "fault outside the access log" not in (directory / "log").read_text()


def test_ctrl_c_removes_the_data(directory: Path) -> None:
    """People read the URL and the key in a text; two signals at once leave nothing behind either."""
    with started(directory) as (process, output):
        text = "".join(takewhile(lambda line: line != "Stop with Ctrl-C.\n", output))
        assert "API key      irk_" in text
        assert len(directories(directory)) == 1
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        process.wait(60)
    assert directories(directory) == []
