"""The limits of the process that works on documents, in processes of their own."""

import signal
import subprocess
import sys

import pytest

from handlers.tools import limits

WITHIN = """
import os, resource, signal, time
from handlers.tools import limits
{change}
limits.limit_this_process()
{work}
"""
LOOP = "while True: pass"


def run(work: str, change: str = "") -> subprocess.CompletedProcess[str]:
    """The end of a process that does `work` within the limits, after a `change` of them."""
    code = WITHIN.format(change=change, work=work)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("work", "change", "words"),
    [
        (LOOP, "limits.CPU_SECONDS = 1", "10 seconds of processor time"),
        ("time.sleep(60)", "limits.WALL_SECONDS = 0.1", "20 seconds"),
        ("os.abort()", "", "512 MiB of memory"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "", "512 MiB of memory"),
        (f"raise SystemExit({limits.OUT_OF_MEMORY})", "", "512 MiB of memory"),
        ("raise SystemExit(1)", "", None),
        ("", "", None),
    ],
)
def test_a_process_ends_beyond_its_limits(work: str, change: str, words: str | None) -> None:
    """It needs no other process for that; its status tells the limit."""
    assert limits.exceeded(run(work, change).returncode) == words


def test_a_process_gets_so_much_memory_and_no_more() -> None:
    """Half of it is there, twice of it is a MemoryError."""
    assert run(f"bytearray({limits.MEMORY_BYTES // 2})").returncode == 0
    assert "MemoryError" in run(f"bytearray({2 * limits.MEMORY_BYTES})").stderr


def test_a_process_leaves_no_core_and_lets_others_go_first() -> None:
    """A core would have the documents in it."""
    printed = run("print(resource.getrlimit(resource.RLIMIT_CORE), os.nice(0), limits.OOM_SCORE.read_text())").stdout
    *core, niceness, score = printed.split()
    assert core == ["(0,", "0)"]
    assert int(niceness) >= limits.NICENESS
    assert score == "1000"


def test_a_process_may_be_unable_to_step_back() -> None:
    """As in the unit for systemd, which forbids it; the limits hold all the same."""
    change = "limits.OOM_SCORE = limits.Path('/nowhere/score'); os.nice = lambda _: open('/nowhere')"
    printed = run("print(resource.getrlimit(resource.RLIMIT_CORE))", change)
    assert (printed.returncode, printed.stdout) == (0, "(0, 0)\n")


def test_a_process_cannot_raise_its_time() -> None:
    """The hard limit follows the soft one by a second, in case the process ignores the signal."""
    printed = run("print(resource.getrlimit(resource.RLIMIT_CPU))").stdout
    assert printed == f"({limits.CPU_SECONDS}, {limits.CPU_SECONDS + 1})\n"
    ignoring = run(f"signal.signal(signal.SIGXCPU, signal.SIG_IGN)\n{LOOP}", "limits.CPU_SECONDS = 1")
    assert ignoring.returncode == -signal.SIGKILL
