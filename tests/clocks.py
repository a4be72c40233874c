"""A clock that jumps while programs run: libfaketime gives it to those that have its environment."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

LIBRARY = "libfaketimeMT.so.1"
CACHE_SECONDS = 1
"""How long programs go on by the time before a jump: to read the file at each look at the clock slows them down."""
NONE = timedelta()


@dataclass
class Clock:
    """The clock of the programs with its `environment`: the machine's plus `offset`. Intervals stay true."""

    environment: dict[str, str]
    file: Path
    offset: timedelta = NONE

    def jump(self, offset: timedelta) -> None:
        """Set the clock to the machine's plus `offset`, and wait until every program has noticed."""
        self.offset = offset
        new = self.file.with_suffix(".new")
        new.write_text(f"{offset.total_seconds():+.0f}\n")
        new.replace(self.file)  # at no instant is the file empty
        time.sleep(CACHE_SECONDS + 1)

    def now(self) -> datetime:
        """The time by this clock."""
        return datetime.now(UTC) + self.offset


@contextmanager
def jumping_clock() -> Iterator[Clock]:
    """A clock that shows the machine's time until it jumps. Without libfaketime the test is skipped; in CI it fails."""
    library = next(Path("/usr/lib").glob(f"*/faketime/{LIBRARY}"), None)
    if library is None:
        (pytest.fail if "CI" in os.environ else pytest.skip)("Debian's faketime is not installed")
    directory = Path(tempfile.mkdtemp(prefix="ir-clock-"))
    directory.chmod(0o755)  # PostgreSQL, which does not run as root, reads the file
    environment = {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(directory / "offset"),
        "FAKETIME_CACHE_DURATION": str(CACHE_SECONDS),
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    clock = Clock(environment, directory / "offset")
    clock.jump(NONE)
    try:
        yield clock
    finally:
        shutil.rmtree(directory)
