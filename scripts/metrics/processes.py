"""What this process takes of the machine; memory and open descriptors only where there is /proc."""

import os
import resource
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from scripts.metrics.values import Sample

DESCRIPTORS = Path("/proc/self/fd")
MEMORY = Path("/proc/self/statm")
STARTED_AT = time.time()
"""When this module was imported: soon after the start of the process."""


def readings(worker: str) -> Iterator[Sample]:
    """The values for the number `worker`."""
    labels = (worker,)
    yield "process_cpu_seconds", labels, time.process_time()
    yield "process_max_fds", labels, max_descriptors()
    yield "process_start_time_seconds", labels, STARTED_AT
    with suppress(OSError):
        pages = int(MEMORY.read_text().split()[1])
        yield "process_resident_memory_bytes", labels, pages * os.sysconf("SC_PAGE_SIZE")
        yield "process_open_fds", labels, open_descriptors()


def max_descriptors() -> int:
    """The most descriptors that this process may have open."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def open_descriptors() -> int:
    """The descriptors that this process has open; OSError without /proc."""
    # Linux says the number as the size from 6.2 on; before, each is counted.
    return DESCRIPTORS.stat().st_size or sum(1 for _ in DESCRIPTORS.iterdir())
