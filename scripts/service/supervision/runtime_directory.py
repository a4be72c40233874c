"""What the workers of one service share while it runs: a directory, and files without a name."""

import fcntl
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from multiprocessing.reduction import DupFd
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)

OF_SYSTEMD = "RUNTIME_DIRECTORY"
"""systemd names the directories of `RuntimeDirectory=` in this variable, separated by colons (systemd.exec(5))."""
_PREFIX = "service-"
_LOCK = "lock"


@contextmanager
def runtime_directory(named: str, usual: Path) -> Iterator[Path]:
    """A new directory in `named`, or that of systemd, or `usual`; it is removed at the end.

    Its process holds a lock in it, and removes those without one, of services that were killed. OSError if `named` is
    given and cannot be used.
    """
    with ExitStack() as stack:
        parent = _parent(named, usual)
        _remove_abandoned(parent)
        directory = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        stack.callback(shutil.rmtree, directory, ignore_errors=True)
        lock = stack.enter_context((directory / _LOCK).open("w"))
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield directory


@contextmanager
def environment_variable(name: str, value: str) -> Iterator[None]:
    """Set a variable for this process and its workers, and restore it at the end."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        del os.environ[name]
        if before is not None:
            os.environ[name] = before


def _parent(named: str, usual: Path) -> Path:
    """The directory of the runtime directories, which is created if absent."""
    of_systemd = os.environ.get(OF_SYSTEMD, "").split(":")[0]
    parent = Path(named or of_systemd or usual)
    try:
        parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=parent):
            return parent.resolve()
    except OSError as error:
        if named:
            raise OSError(f"the runtime directory '{parent}' cannot be used: {error.strerror}") from None
        other = Path(tempfile.gettempdir())
        logger.warning("the runtime directory %s cannot be used (%s): using %s", parent, error.strerror, other)
        return other


def _remove_abandoned(parent: Path) -> None:
    """Remove the directories of services that were killed."""
    for lock in parent.glob(f"{_PREFIX}*/{_LOCK}"):
        try:
            with lock.open() as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(lock.parent, ignore_errors=True)
        except OSError:  # it is in use, of another user, or removed already
            continue


class SharedFile:
    """A file in memory that the process and its workers open by `path`, and that nothing can remove.

    A worker inherits the descriptor by its number, because a SharedFile is part of what its supervisor sends it.
    """

    def __init__(self, name: str) -> None:
        self._descriptor = os.memfd_create(name)
        self.path = Path(f"/proc/self/fd/{self._descriptor}")

    def close(self) -> None:
        """Close the file in this process."""
        os.close(self._descriptor)

    def __reduce__(self) -> tuple[Any, ...]:
        return _inherited, (DupFd(self._descriptor),)


def _inherited(descriptor: Any) -> int:
    """The number of a descriptor that a worker has inherited."""
    number: int = descriptor.detach()
    return number
