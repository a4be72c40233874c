"""Starts a program with bounds that hold even if the process that watches it is killed. It imports nothing of ours.

As a program: the limit in bytes of the address space, of each file, the limit in seconds of CPU time, then the command.
"""

import ctypes
import os
import resource
import signal
import sys
from contextlib import suppress

NICENESS = 19
_SET_PARENT_DEATH_SIGNAL = 1
"""PR_SET_PDEATHSIG of prctl(2) in Linux."""


def start(memory: int, file_bytes: int, seconds: int, command: list[str]) -> None:
    """Replace this process by `command`; a sandbox that refuses a bound does not refuse the program."""
    with suppress(OSError):
        os.nice(NICENESS)
    for limited, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, file_bytes),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_CORE, 0),
    ):
        with suppress(OSError, ValueError):
            resource.setrlimit(limited, (most, most))
    with suppress(OSError, AttributeError):  # not every system has it
        ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    os.execv(command[0], command)  # noqa: S606 (no shell is wanted)


if __name__ == "__main__":
    start(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:])
