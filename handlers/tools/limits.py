"""The limits of the process that works on documents.

It sets them itself, so that they hold whatever becomes of its worker.
"""

import os
import resource
import signal
from contextlib import suppress
from pathlib import Path

import psutil

CPU_SECONDS = 10
WALL_SECONDS = 20
MEMORY_BYTES = 512 * 1024 * 1024
"""Address space beyond that of the start."""
RESULT_BYTES = 16 * 1024 * 1024
NICENESS = 10
OOM_SCORE = Path("/proc/self/oom_score_adj")
OUT_OF_MEMORY = 71
"""The exit status of a process that used its memory up."""

CPU = f"{CPU_SECONDS} seconds of processor time"
WALL = f"{WALL_SECONDS} seconds"
MEMORY = f"{MEMORY_BYTES // 1024**2} MiB of memory"
RESULT = f"{RESULT_BYTES // 1024**2} MiB of result"
NESTING = "the nesting that the service follows"
"""The words for each limit."""
_BY_STATUS = {
    -signal.SIGXCPU: CPU,
    -signal.SIGALRM: WALL,
    OUT_OF_MEMORY: MEMORY,
    -signal.SIGABRT: MEMORY,  # a library in Rust or C aborts when it gets no memory
    -signal.SIGSEGV: MEMORY,  # the stack is memory, too
    -signal.SIGKILL: MEMORY,  # by the kernel, when the machine has no more
}


def limit_this_process() -> None:
    """Set the limits of this process, which it can never raise again; OSError if the system does not let it.

    It also steps back behind other processes, where the system lets it.
    """
    with suppress(OSError):
        os.nice(NICENESS)
    with suppress(OSError):  # if the machine runs out of memory, the kernel ends this process, not a worker
        OOM_SCORE.write_text("1000")
    address_space = psutil.Process().memory_info().vms + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (address_space, address_space))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core would keep the documents
    signal.setitimer(signal.ITIMER_REAL, WALL_SECONDS)


def exceeded(status: int) -> str | None:
    """The words for the limit that ended a process with `status`, a negative signal or an exit status; None if none."""
    return _BY_STATUS.get(status)
