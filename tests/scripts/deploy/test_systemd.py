"""The unit of systemd: its keys exist, it hardens the service, and it stops later than the service drains."""

import re
import subprocess
from pathlib import Path

from scripts.service.settings import Settings
from tests.scripts.deploy.proxies import DEPLOY, program

UNIT = DEPLOY / "interaction-reporting.service"
LARGEST_EXPOSURE = 2.5
"""Of 10, by systemd's own measure."""


def verified(directory: Path, text: str) -> str:
    """What `systemd-analyze verify` says of a unit with `text`; its program need not be installed here."""
    unit = directory / UNIT.name
    unit.write_text(re.sub(r"(?m)^ExecStart=\S+", "ExecStart=/bin/true", text))
    command = [program("systemd-analyze"), "verify", str(unit)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stderr


def test_systemd_knows_each_key(tmp_path: Path) -> None:
    """A misspelt one would be ignored."""
    text = UNIT.read_text()
    assert verified(tmp_path, text) == ""
    assert "Unknown key" in verified(tmp_path, text.replace("RestartSec=", "RestartSecs="))


def test_systemd_finds_little_exposed() -> None:
    """The service sees no home, no device and no kernel setting, and has no capability."""
    limit = f"--threshold={LARGEST_EXPOSURE * 10:.0f}"
    command = [program("systemd-analyze"), "security", "--offline=yes", "--no-pager", limit, str(UNIT)]
    judged = subprocess.run(command, capture_output=True, text=True, check=False)
    assert judged.returncode == 0, judged.stdout


def test_the_unit_waits_for_the_drain() -> None:
    """With the defaults; systemd kills what is left after TimeoutStopSec."""
    match = re.search(r"(?m)^TimeoutStopSec=(\d+)$", UNIT.read_text())
    assert match
    assert int(match[1]) > Settings().drain_timeout + Settings().drain_delay + 5
