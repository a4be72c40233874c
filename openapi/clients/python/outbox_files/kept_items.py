"""The items that a program reports: what `add` returned for is stored by the service once, or refused with a reason.

It survives crashes and restarts of the program and outages of the service. With `power_safe` it survives a power cut,
too. Programs and their forks may share a file.
"""

import asyncio
import atexit
import logging
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self, Unpack, cast

from openapi.clients.python.batches import encoded_item
from openapi.clients.python.errors import InvalidItem, OutboxError
from openapi.clients.python.forks import watch
from openapi.clients.python.operations import Caller
from openapi.clients.python.outbox_files.additions import Additions
from openapi.clients.python.outbox_files.database import Database
from openapi.clients.python.outbox_files.item_queue import Queue
from openapi.clients.python.outbox_files.items import Counts, Kind, New, Refused, new_key
from openapi.clients.python.outbox_files.options import MAX_BYTES, MAX_ITEMS, Options, logging_to
from openapi.clients.python.outbox_files.sender import IDLE, MOST, Sender, Wait
from openapi.clients.python.outbox_files.turns import Turns

_POLL, _MOST_POLL = 0.02, 0.25
"""Seconds between two looks of `flush` at what another process sends, at first and at the end."""
_AT_EXIT = 2.0
_MOST_BETWEEN_EXPIRIES = 60.0

_open: "weakref.WeakSet[KeptItems]" = weakref.WeakSet()


class KeptItems:
    """Keeps items in a file and sends them; any thread and any event loop may use it."""

    def __init__(self, caller: Caller, kinds: Sequence[Kind], path: str | Path, **options: Unpack[Options]) -> None:
        """The outbox in the file at `path`, which is created if absent; OutboxError if it cannot be used."""
        self._caller = caller
        self._kinds = {kind.name: kind for kind in kinds}
        self._max_age = options.get("max_age")
        self._linger = options.get("linger", 0.1)
        self._background = options.get("background", True)
        self._on_refused = options.get("on_refused") or logging_to(caller.log)
        self._database = Database(
            Path(path).absolute(),
            power_safe=options.get("power_safe", False),
            lock_timeout=options.get("lock_timeout", 75.0),
            log=caller.log,
        )
        self._bounds = options.get("max_items", MAX_ITEMS), options.get("max_bytes", MAX_BYTES)
        self._queue = Queue(self._database)
        self._is_closed = False
        self._begin()
        self.counts()  # what is wrong with the file is said now
        _open.add(self)
        watch(self)
        self._wake()  # for what an earlier process left

    def before_fork(self) -> None:
        """Nothing needs to be done: the database waits for its transaction."""

    def after_fork(self, is_child: bool) -> None:
        """A child has none of the threads of its parent, and sends under its own name."""
        if is_child:
            self._begin()

    def _begin(self) -> None:
        self._additions = Additions(self._database, *self._bounds)  # what threads of a parent add is not the child's
        self._turns = Turns(self._database)
        self._sender = Sender(
            self._queue, self._turns, self._caller, list(self._kinds.values()), self._on_refused, self._caller.log
        )
        self._sending = threading.Lock()
        self._start = threading.Lock()
        self._work, self._hurry, self._end = threading.Event(), threading.Event(), threading.Event()
        self._progress = threading.Condition()
        self._new = 0  # items since the last request; a request need not wait for more than it can have
        self._thread: threading.Thread | None = None
        self._next_expiry = 0.0

    def keep(self, item: Mapping[str, Any], kind: str) -> str:
        """Keep an item until the service has it; returns its key, which is a new one unless the item has one.

        When it returns, the end of the program cannot lose the item; with `power_safe`, nor can a power cut.
        InvalidItem if the service would not read the item, OutboxFull if there is no room: then it is not kept.
        """
        row = self._row(item, kind)
        self._add([row])
        return row.key

    def keep_all(self, items: Sequence[Mapping[str, Any]], kind: str) -> list[str]:
        """Keep all items, or none and raise; returns their keys."""
        rows: list[New] = []
        for index, item in enumerate(items):
            try:
                rows.append(self._row(item, kind))
            except InvalidItem as error:
                raise InvalidItem(f"/{index}{error.pointer}", error.reason) from None
        self._add(rows)
        return [row.key for row in rows]

    def flush(self, timeout: float = 10.0) -> bool:
        """Wait until everything that was added before is stored or refused; False if that takes longer (seconds).

        After False all of it is still kept, and is sent later.
        """
        try:
            return self._flushed(time.monotonic() + timeout)
        finally:
            if not self._background:
                self._sender.leave()  # this process may be frozen now

    def _flushed(self, end: float) -> bool:
        last, poll = self._queue.last(), _POLL
        while self._queue.has_items(last):
            left = end - time.monotonic()
            if left <= 0:
                return False
            if self._wake():
                self._hurry.set()
                with self._progress:
                    self._progress.wait(min(left, poll))
                poll = min(poll * 1.5, _MOST_POLL)
            else:
                wait = self._send(left).seconds
                time.sleep(
                    max(0.0, min(end - time.monotonic(), wait, _MOST_POLL)) if self._queue.has_items(last) else 0.0
                )
        return True

    async def aflush(self, timeout: float = 10.0) -> bool:
        """Like `flush`, for an event loop."""
        return await asyncio.to_thread(self.flush, timeout)

    def close(self, timeout: float = 10.0) -> bool:
        """Flush, stop sending and close the file; False if something is still kept, for the next process."""
        if self._is_closed:
            return True
        try:
            return self.flush(timeout)
        finally:
            self._is_closed = True
            _open.discard(self)
            self._end.set()
            self._work.set()
            self._hurry.set()
            thread = self._thread
            if thread and thread is not threading.current_thread():
                thread.join(min(timeout, 1.0))
            self._sender.leave()
            self._database.close()

    def counts(self) -> Counts:
        """How many items are where."""
        return self._queue.counts()

    def refused(self) -> Iterator[Refused]:
        """What the service refused, with its reasons, oldest first."""
        return self._queue.refused()

    def replay(self, keys: Sequence[str] | None = None) -> int:
        """Send refused items again: all, or those with some keys; returns how many."""
        count = self._queue.replay(keys)
        self._wake()
        return count

    def erase(self, is_meant: Callable[[Mapping[str, Any]], bool]) -> int:
        """Delete the items that `is_meant` picks, refused ones, too; returns how many. A sent item is the service's."""
        count = self._queue.erase(is_meant)
        self._sender.reader.forget()
        return count

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _row(self, given: object, name: str) -> New:
        kind = self._kinds[name]
        if not isinstance(given, Mapping):
            raise InvalidItem("", f"{type(given).__name__} is no item")
        item = cast("Mapping[str, Any]", given)
        now = time.time()
        own = item.get(kind.key_field)
        key = new_key() if own is None else own
        if not isinstance(key, str) or not key:
            raise InvalidItem(f"/{kind.key_field}", "it is no text, or empty")
        whole = {**item, kind.key_field: key}
        if kind.time_field and whole.get(kind.time_field) is None:
            whole[kind.time_field] = datetime.fromtimestamp(now, UTC).isoformat().replace("+00:00", "Z")
        return New(kind, key, own is not None, encoded_item(whole, kind.limits), now)

    def _add(self, rows: Sequence[New]) -> None:
        if self._is_closed:
            raise OutboxError("the outbox is closed")
        self._additions.add(rows)
        self._new += len(rows)
        if self._new >= MOST:
            self._hurry.set()
        self._wake()

    def _wake(self) -> bool:
        """Let the background thread look at the file, and start it if this process has none; False if it cannot."""
        if not self._background or self._is_closed:
            return False
        if (self._thread is None or not self._thread.is_alive()) and not self._started():
            return False
        if not self._work.is_set():
            self._work.set()
        return True

    def _started(self) -> bool:
        """Start the background thread; False if the interpreter is about to end."""
        with self._start:
            if self._thread is None or not self._thread.is_alive():
                whose = weakref.ref(self), self._turns, self._database
                thread = threading.Thread(target=_run, args=whose, daemon=True, name="outbox")
                try:
                    thread.start()
                except RuntimeError:
                    return False
                self._thread = thread
        return True

    def _send(self, seconds: float | None = None) -> Wait:
        """One step of the sender, which `seconds` limit, and those of other threads before it."""
        end = None if seconds is None else time.monotonic() + seconds
        if not self._sending.acquire(timeout=-1 if seconds is None else seconds):
            return Wait(0.0)
        try:
            self._expire()
            return self._sender.step(None if end is None else end - time.monotonic())
        except OutboxError as error:
            self._caller.log.error("the outbox cannot be read: %s", error)  # noqa: TRY400 - it is expected
            return Wait(1.0, ends_with_work=False)
        except Exception:
            self._caller.log.exception("the outbox cannot send")
            return Wait(10.0, ends_with_work=False)
        finally:
            self._sending.release()

    def _expire(self) -> None:
        """Delete what is too old, now and then: it reads all items."""
        if self._max_age and time.monotonic() >= self._next_expiry:
            self._next_expiry = time.monotonic() + min(_MOST_BETWEEN_EXPIRIES, self._max_age / 10)
            if expired := self._queue.expire(self._max_age):
                self._sender.reader.forget()
                self._caller.log.error("%d items were not sent for %.0f s, and are deleted", expired, self._max_age)

    def step(self) -> None:
        """Send what is due, and sleep until more may be."""
        self._new = 0
        wait = self._send()
        with self._progress:
            self._progress.notify_all()
        if not wait.ends_with_work:
            self._end.wait(min(wait.seconds, IDLE))
        elif wait.seconds:
            self._work.wait(min(wait.seconds, IDLE))
            self._work.clear()
            self._hurry.wait(self._linger)
            self._hurry.clear()

    @property
    def is_closed(self) -> bool:
        """True after `close`."""
        return self._is_closed


def _run(reference: "weakref.ref[KeptItems]", turns: Turns, database: Database) -> None:
    """Send for an outbox until it is closed, or nothing else refers to it; then let others send."""
    while (outbox := reference()) and not outbox.is_closed:
        outbox.step()
        del outbox
    with suppress(OutboxError):
        turns.leave()
    database.close()


def _close_all() -> None:
    """Let each outbox send for a moment at the end of the program; what is left is sent by the next one."""
    for outbox in list(_open):
        try:
            outbox.close(_AT_EXIT)
        except (KeyboardInterrupt, OutboxError):
            logging.getLogger(__name__).info("the outbox is left as it is")


atexit.register(_close_all)
