"""Forks: what must happen around them to whatever holds a lock, a connection or a file.

A child has copies of the locks of its parent, some held by threads that it does not have, and shares connections and
files with it. Objects are known by weak references alone: none of them lives longer for being listed here.
"""

import os
import threading
import weakref
from typing import Protocol


class Forkable(Protocol):
    """An object with methods that run around each fork."""

    def before_fork(self) -> None:
        """In the parent, before it forks."""

    def after_fork(self, is_child: bool) -> None:
        """In both processes, after it."""


_objects: "weakref.WeakSet[Forkable]" = weakref.WeakSet()
_prepared: list[Forkable] = []
_lock = threading.RLock()
"""Held during a fork: no other thread forks, or adds to the objects, at the same time."""


def watch(each: Forkable) -> None:
    """Tell `each` of every fork, as long as something else refers to it."""
    with _lock:
        _objects.add(each)


def _before() -> None:
    _lock.acquire()
    for each in list(_objects):
        each.before_fork()
        _prepared.append(each)


def _after(is_child: bool) -> None:
    """Tell what was prepared; in a child also the rest: a fork outside of Python prepares nothing."""
    global _lock  # noqa: PLW0603 - the child's lock cannot be that of its parent
    prepared, _prepared[:] = _prepared[:], []
    rest = [each for each in _objects if each not in prepared] if is_child else []
    for each in reversed([*rest, *prepared]):
        each.after_fork(is_child)
    if is_child:
        _lock = threading.RLock()
    else:
        _lock.release()


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(
        before=_before, after_in_parent=lambda: _after(is_child=False), after_in_child=lambda: _after(is_child=True)
    )
