"""A program that is ended when it takes too long, too much memory or too much disk."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from openapi.generate.openapi_generator import launcher

LOOK_SECONDS = 0.1
"""Between two looks at what a program uses."""
_OUTPUT = "printed.log"
_SHOWN = 300
"""Of what a program that fails prints last, in characters."""
_MIB = 1024 * 1024


class ProcessFault(Exception):
    """A program failed; the message says how. If `is_passing`, it may succeed another time."""

    def __init__(self, message: str, is_passing: bool) -> None:
        super().__init__(message)
        self.is_passing = is_passing


class Stopped(Exception):
    """The program was ended, because its caller is to stop."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a program may use: seconds, and bytes of memory (resident, and of address space) and of disk.

    A JVM reserves several times the address space that it uses, so that its limit is a last resort: with the heap of
    `program`, OpenAPI Generator 7.26.0 has up to 430 MB of memory, and runs within 2 GiB of address space.
    """

    seconds: float = 120
    memory: int = 1024 * _MIB
    address_space: int = 3072 * _MIB
    disk: int = 64 * _MIB


def run(command: list[str], directory: Path, bounds: Bounds, stopped: threading.Event) -> str:
    """What `command` prints in `directory`, with errors. Its processes have ended, whatever happens.

    ProcessFault if it fails or goes beyond the bounds; Stopped if `stopped` is set meanwhile. The environment of this
    process is not passed on: it has secrets.
    """
    limits = (bounds.address_space, bounds.disk, int(bounds.seconds) + 1)
    environment = {"PATH": os.defpath, "HOME": str(directory), "TMPDIR": str(directory), "LANG": "C.UTF-8"}
    printed = directory / _OUTPUT
    with printed.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 (of ours)
            [sys.executable, "-I", launcher.__file__, *map(str, limits), *command],
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _watch(process, directory, bounds, stopped)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    text = printed.read_text(errors="replace")
    if process.returncode:
        end = " ".join(text.replace(f"{directory}/", "").split())[-_SHOWN:]
        raise ProcessFault(f"{_ended(process.returncode)}: {end}", is_passing=process.returncode < 0)
    return text


def _watch(process: "subprocess.Popen[bytes]", directory: Path, bounds: Bounds, stopped: threading.Event) -> None:
    """Return when the process has ended."""
    until = time.monotonic() + bounds.seconds
    while process.poll() is None:
        if stopped.wait(LOOK_SECONDS):
            raise Stopped
        if time.monotonic() > until:
            raise ProcessFault(f"it took more than {bounds.seconds:g} seconds", is_passing=True)
        if _memory(process.pid) > bounds.memory:
            raise ProcessFault(f"it took more than {bounds.memory // _MIB} MiB of memory", is_passing=True)
        if _disk(directory) > bounds.disk:
            raise ProcessFault(f"it wrote more than {bounds.disk // _MIB} MiB", is_passing=False)


def _memory(pid: int) -> int:
    """The resident memory in bytes of a process and its children."""
    total = 0
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        for each in (process, *process.children(recursive=True)):
            with suppress(psutil.Error):
                total += each.memory_info().rss
    return total


def _disk(directory: Path) -> int:
    """The bytes of all files below a directory."""
    total = 0
    for folder, _, names in os.walk(directory):
        for name in names:
            with suppress(OSError):
                total += (Path(folder) / name).lstat().st_size
    return total


def _ended(code: int) -> str:
    return f"it exited with {code}" if code > 0 else f"it was killed by signal {-code}"
